"""A drawn, scanned or photographed digit to what a network reads: one way for all who ask.

Training sets are prepared already (:func:`digit_batch`); of everything else :func:`prepare_digit` makes what the makers
of MNIST made of their scans (LeCun et al. 1998, section III): light ink on black paper, scaled into a box of 20x20
pixels with its shape kept, and moved so that its centre of mass is the centre of 28x28 pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from data_prep.errors import InputError
from data_prep.images.decoding import Source, called, read_gray

DIGIT_SIZE = 28
_ROUNDED = 1e-3  # so far beyond 0 and 1 a value may be
DIGIT_BOX = 20
LETTER_HEIGHT, LETTER_WIDTH = 16, 8
MAX_WORD_WIDTH = 512
FRAME_COLUMNS = 2  # of a picture of a word for each frame that a network answers


_BORDER_SHARE = 0.03  # of the shorter side: where there is paper and no ink
_LEAST_CONTRAST = 0.06  # between ink and paper, of the range from black to white
_NOISE_FACTOR = 4.0  # ink stands out from the grain of the paper by this many standard deviations
_SPECK_SHARE = 0.03  # of the ink in the largest piece
_UNEVEN = 0.02  # standard deviation of paper at the border beyond which it is lit unevenly
_THIN, _THICKENED = 2.4, 3.2  # pixels of a stroke in the box of 20: of MNIST's, 99 % are 3 or wider
_MEASURED_SIDE = 40  # pixels below which the width of a stroke cannot be told


class ImageStep(NamedTuple):
    """What one step made of an image."""

    name: str  # "gray", "ink", "clean", "box", "stroke", "scaled" or "centred"
    text: str  # what was done
    image: np.ndarray  # float32 (height, width) from 0 to 1, for show; from "ink" on 1 is ink


class PreparedImage(NamedTuple):
    """What a network reads, ``image`` float32 (height, width, 1) with 1 for ink, and the ``steps`` that made it."""

    image: np.ndarray
    steps: tuple[ImageStep, ...]


class LabelledImages(NamedTuple):
    """Prepared images uint8 (n, 28, 28), 0 for paper and 255 for ink, and the class of each, int64 (n,)."""

    images: np.ndarray
    labels: np.ndarray

    def part(self, chosen: slice | np.ndarray) -> LabelledImages:
        """Return some of them, in the order in which they are chosen."""
        return LabelledImages(self.images[chosen], self.labels[chosen])


def image_bytes(prepared: PreparedImage) -> np.ndarray:
    """Return a prepared picture as training sets store it, uint8 (height, width)."""
    return np.round(255.0 * prepared.image[..., 0]).astype(np.uint8)


def digit_batch(images: np.ndarray) -> np.ndarray:
    """Turn centred images uint8 (..., 28, 28), 255 for ink, into what a network reads, float32 (..., 28, 28, 1)."""
    return (images.astype(np.float32) / np.float32(255.0))[..., None]


def is_prepared(images: np.ndarray) -> bool:
    """Tell whether an array holds what networks read: floats from 0 to 1, but for rounding."""
    return images.dtype.kind == "f" and bool(((images > -_ROUNDED) & (images < 1.0 + _ROUNDED)).all())


def prepare_digit(source: Source, name: str | None = None) -> PreparedImage:
    """Make of any image of one digit what a network trained on MNIST reads.

    Args:
        source: As ``data_prep.images.decoding.read_gray`` takes it: bytes, a path, or an array.
        name: What it is called in messages.

    Returns:
        Float32 (28, 28, 1), 0 for paper and 1 for ink, and every step.

    Raises:
        InputError: It is no image, too large, or shows nothing.
    """
    ink, steps = find_ink(source, name)
    thick = thickened(ink)
    if thick is not ink:
        steps.append(ImageStep("stroke", "a thin stroke made as thick as MNIST's pens are", thick))
    longer = max(thick.shape)
    height, width = (max(1, round(DIGIT_BOX * side / longer)) for side in thick.shape)
    scaled = resized(thick, height, width)
    steps.append(ImageStep("scaled", f"scaled into {DIGIT_BOX} x {DIGIT_BOX} pixels, its shape kept", scaled))
    centred = centred_by_mass(scaled, DIGIT_SIZE)
    text = f"centre of mass moved to the centre of {DIGIT_SIZE} x {DIGIT_SIZE} pixels"
    return PreparedImage(centred[..., None], (*steps, ImageStep("centred", text, centred)))


def find_ink(source: Source, name: str | None = None) -> tuple[np.ndarray, list[ImageStep]]:
    """Find what is drawn: ink float32 (height, width), paper 0, without specks, cut to the ink; and the steps."""
    picture = read_gray(source, name)
    ink, dark = _ink(picture.gray, called(source, name))
    clean = _without_specks(ink)
    width, height = picture.size
    steps = [
        ImageStep("gray", f"{width:,} x {height:,} pixels as grey values", picture.gray),
        ImageStep("ink", f"{'dark' if dark else 'light'} ink on {'light' if dark else 'dark'} paper", ink),
    ]
    if clean is not ink:
        clean = (clean / clean.max()).astype(np.float32)  # the darkest ink may have been a speck
        steps.append(ImageStep("clean", "specks removed", clean))
    box = cut_to_ink(clean)
    return box, [*steps, ImageStep("box", "cut to the ink", box)]


def cut_to_ink(ink: np.ndarray) -> np.ndarray:
    """Return the part of an image (height, width) that holds all its ink; there has to be some."""
    rows, columns = (np.flatnonzero(ink.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _ink(gray: np.ndarray, name: str) -> tuple[np.ndarray, bool]:
    """Return ink from 0 to 1, and whether it is darker than the paper.

    The paper is what the border shows. Ink is what differs from it most, so either may be the darker one. The grain
    of the paper becomes 0, the full tone of the ink 1, what lies between keeps its shade.
    """
    width = max(1, round(_BORDER_SHARE * min(gray.shape)))
    border = np.ones(gray.shape, bool)
    border[width:-width, width:-width] = False
    difference = gray - _paper(gray, border)
    dark = float((np.minimum(difference, 0.0) ** 2).sum()) >= float((np.maximum(difference, 0.0) ** 2).sum())
    strength = np.maximum(-difference if dark else difference, 0.0)
    threshold = _otsu(strength)
    inked = strength > threshold
    full = float(np.percentile(strength[inked], 90)) if inked.any() else 0.0
    if full < max(_LEAST_CONTRAST, _NOISE_FACTOR * float(difference[~inked].std())):
        raise InputError(
            f"{name} shows nothing",
            allowed="a drawing that stands out from its paper",
            remedy="Draw larger, or with more contrast",
        )
    # Clean paper has no grain to take away: such a picture keeps its faint edges.
    paper = border & ~inked
    grain = float(strength[paper].std()) if paper.any() else 0.0
    floor = min(_NOISE_FACTOR * grain, threshold)
    return np.clip((strength - floor) / (full - floor), 0.0, 1.0).astype(np.float32), dark


def _paper(gray: np.ndarray, border: np.ndarray) -> np.ndarray | float:
    """Return the brightness of the paper: one number, or where it is lit unevenly, a curved surface."""
    level = float(np.median(gray[border]))
    spread = float(np.median(np.abs(gray[border] - level)))
    if spread < _UNEVEN:
        return level
    rows, columns = (np.linspace(-1.0, 1.0, n, dtype=np.float32) for n in gray.shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    chosen = border
    surface = np.full_like(gray, level)
    for _ in range(4):
        weights, *_ = np.linalg.lstsq(terms[chosen], gray[chosen], rcond=None)
        surface = terms @ weights
        distance = np.abs(gray - surface)
        chosen = distance <= max(_UNEVEN, 1.5 * float(np.median(distance)))  # ink is no paper
    return surface


def _otsu(values: np.ndarray) -> float:
    """Return the threshold that parts values from 0 to 1 into the two most different classes (Otsu 1979)."""
    counts = np.bincount(np.minimum(values * 256.0, 255.0).astype(np.int64).ravel(), minlength=256)
    edges = np.linspace(0.0, 1.0, 257)
    middles = (edges[:-1] + edges[1:]) / 2.0
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(edges[1 + int(np.argmax(np.nan_to_num(between)))])


def _without_specks(ink: np.ndarray) -> np.ndarray:
    """Remove pieces that hold little ink beside the largest; the same array if there are none."""
    from scipy import ndimage  # here: importing it takes a while

    pieces, count = ndimage.label(ink > 0.0, structure=np.ones((3, 3)))
    if count < 2:
        return ink
    amounts = ndimage.sum_labels(ink, pieces, np.arange(count + 1))
    small = amounts < _SPECK_SHARE * amounts.max()
    small[0] = False
    return np.where(small[pieces], np.float32(0.0), ink) if small.any() else ink


def thickened(ink: np.ndarray) -> np.ndarray:
    """Make strokes thicker that would be thinner in the box of 20 pixels than MNIST's; else the same array."""
    longer = max(ink.shape)
    if longer < _MEASURED_SIDE:
        return ink
    from scipy import ndimage

    drawn = ink > 0.5
    inside = ndimage.distance_transform_edt(np.pad(drawn, 1))[1:-1, 1:-1]
    stroke = 4.0 * float(inside[drawn].mean()) - 1.0  # of a line of width w the mean distance is (w + 1) / 4
    unit = longer / DIGIT_BOX
    if stroke >= _THIN * unit:
        return ink
    radius = (_THICKENED * unit - stroke) / 2.0
    wider = np.pad(ink, int(radius) + 2)
    outside = ndimage.distance_transform_edt(wider <= 0.5)
    return np.maximum(wider, np.clip(radius + 1.0 - outside, 0.0, 1.0)).astype(np.float32)


def resized(ink: np.ndarray, height: int, width: int) -> np.ndarray:
    """Scale ink float32 (rows, columns) by averaging, and bring its darkest ink to 1."""
    if ink.shape != (height, width):
        image = Image.fromarray(np.ascontiguousarray(ink, np.float32))
        ink = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    return np.clip(ink / max(float(ink.max()), 1e-6), 0.0, 1.0).astype(np.float32)


def centred_by_mass(ink: np.ndarray, size: int) -> np.ndarray:
    """Put ink into a square so that its centre of mass is the square's centre; nothing is cut off."""
    margins = []
    for axis, length in enumerate(ink.shape):
        mass = ink.sum(axis=1 - axis)
        middle = float(mass @ np.arange(length, dtype=np.float32)) / float(ink.sum())
        # The middle of MNIST's images is pixel 14, counted from 0, not 13.5.
        start = min(max(round(size // 2 - middle), 0), size - length)
        margins.append((start, size - length - start))
    return np.pad(ink, margins)
