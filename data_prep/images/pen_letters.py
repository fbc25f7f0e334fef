"""Letters that a pen draws by rules, a new hand for every seed: for pages and trainings where the data set is not.

The publisher of the handwritten letters names no licence, so the project carries none of them.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from data_prep.images.letters import in_letter_box
from data_prep.images.preparation import LETTER_HEIGHT, LETTER_WIDTH, cut_to_ink

# Each stroke by its points, x then y: small letters stand between y = 4 and y = 10 (a), stems reach to 0 and 14 (e).
_STROKES = {
    "a": "55 34 15 07 19 3a 58 54/54 58 6a",
    "b": "00 0a/06 24 44 57 4a 2a 09",
    "c": "55 34 15 07 19 3a 59",
    "d": "55 34 15 07 19 3a 58/50 5a",
    "e": "07 57 55 34 15 07 19 3a 59",
    "f": "51 30 22 2a/04 44",
    "g": "55 34 15 07 19 39 57/54 5b 4d 2e 0d",
    "h": "00 0a/06 24 44 56 5a",
    "i": "24 2a/21 22",
    "j": "44 4c 2e 0d/41 42",
    "k": "00 0a/54 07/07 5a",
    "l": "20 2a",
    "m": "04 0a/06 14 36 3a/36 54 66 6a",
    "n": "04 0a/06 24 44 56 5a",
    "o": "34 15 07 19 3a 59 67 55 34",
    "p": "04 0e/06 24 44 57 4a 2a 09",
    "q": "55 34 15 07 19 3a 58/54 5e 6d",
    "r": "04 0a/07 25 44 54",
    "s": "55 34 15 26 47 59 3a 1a 09",
    "t": "21 29 3a 59/04 44",
    "u": "04 08 1a 3a 58/54 5a",
    "v": "04 2a/2a 54",
    "w": "04 1a/1a 35/35 5a/5a 74",
    "x": "04 5a/54 0a",
    "y": "04 18 39 57/54 5b 3e 0d",
    "z": "04 54/54 0a/0a 5a",
}
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
    before, after = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    frame = np.vstack([before, points, after])
    t = np.linspace(0.0, 1.0, _STEPS, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(frame[:-3], frame[1:-2], frame[2:-1], frame[3:], strict=True):
        pieces.append(
            0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        )
    return np.vstack([*pieces, points[-1:]])
