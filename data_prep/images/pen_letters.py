"""Letters that a pen draws by rules, a new hand for every seed: for pages and trainings where the data set is not.

The publisher of the handwritten letters names no licence, so the project carries none of them.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from data_prep.files import toml_beside
from data_prep.images.letters import in_letter_box
from data_prep.images.preparation import LETTER_HEIGHT, LETTER_WIDTH, cut_to_ink

_STROKES = toml_beside(__file__)
_SCALE = 10.0  # pixels a unit while drawing
_MARGIN = 60
_STEPS = 6  # straight pieces between two points of a stroke
_INK = 0.4  # of full ink: what becomes black


def pen_letters(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Draw letters, all by one hand: slant, width, pen and roundness are the seed's, each stroke differs a little.

    Args:
        labels: Places in the alphabet, int (n,), 0 to 25.
        seed: Of the hand and of the differences.

    Returns:
        Uint8 (n, 16, 8), 0 for paper and 255 for ink, scaled as the set's are.
    """
    random = np.random.default_rng(seed)
    slant, wide, turn = random.uniform(-0.05, 0.4), random.uniform(0.75, 1.2), random.uniform(-0.08, 0.08)
    shape = np.array([[wide, turn], [-slant, 1.0]])
    pen = random.uniform(0.8, 1.3)
    found = np.zeros((len(labels), LETTER_HEIGHT, LETTER_WIDTH), np.uint8)
    for at, label in enumerate(np.asarray(labels).tolist()):
        strokes = [
            np.array([(int(point[0], 16), int(point[1], 16)) for point in stroke.split()], np.float64)
            for stroke in _STROKES[chr(ord("a") + label)].split("/")
        ]
        drawn = [(stroke + random.normal(0.0, 0.22, stroke.shape)) @ shape for stroke in strokes]
        found[at] = 255 * (in_letter_box(_inked(drawn, pen)) > _INK)
    return found


def _inked(strokes: list[np.ndarray], pen: float) -> np.ndarray:
    """Draw strokes so that the pen is about ``pen`` pixels wide in the letter's box; float32, cut to the ink."""
    curves = [_curve(stroke) for stroke in strokes]
    points = np.concatenate(curves)
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = (_SCALE * (high - low)).tolist()
    unit = max(height / LETTER_HEIGHT, width / LETTER_WIDTH)
    image = Image.new("L", (int(width) + 2 * _MARGIN, int(height) + 2 * _MARGIN))
    draw = ImageDraw.Draw(image)
    radius = pen * unit / 2.0
    for curve in curves:
        places = [tuple(place) for place in (_SCALE * (curve - low) + _MARGIN).tolist()]
        draw.line(places, fill=255, width=max(1, round(2.0 * radius)), joint="curve")
        for x, y in places:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return cut_to_ink(np.asarray(image, np.float32) / np.float32(255.0))


def _curve(points: np.ndarray) -> np.ndarray:
    """Return a smooth line through points (n, 2), by Catmull and Rom 1974."""
    from scipy.interpolate import CubicHermiteSpline  # here: importing it takes a while

    last = len(points) - 1
    line = CubicHermiteSpline(np.arange(last + 1), points, np.gradient(points, axis=0))
    return line(np.linspace(0.0, last, _STEPS * last + 1))
