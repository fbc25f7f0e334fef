"""Handwritten letters and words, drawn, scanned or photographed, to what the readers' networks read.

The set of Kassel and Taskar holds letters of thin strokes, each scaled into 16x8 pixels with its shape kept, and put in
the middle; a picture from outside becomes the same. A word becomes 16 pixels high and keeps its shape.
"""

from __future__ import annotations

import numpy as np

from data_prep.errors import InputError
from data_prep.images.decoding import Source, called
from data_prep.images.preparation import (
    LETTER_HEIGHT,
    LETTER_WIDTH,
    MAX_WORD_WIDTH,
    ImageStep,
    PreparedImage,
    cut_to_ink,
    find_ink,
    resized,
)

MAX_LETTERS = 32
_PEN = 1.5  # width of a stroke in pixels of what is read: the set's are one or two pixels wide
_THINNEST, _THICKEST = 1.0, 2.2  # strokes between these stay as they are
_MEASURED_UNIT = 3.0  # pixels of a picture to one of what is read, below which a stroke cannot be measured
_GAP = 1 / 60  # of the height of the ink: columns without ink that part two letters


def prepare_letter(source: Source, name: str | None = None) -> PreparedImage:
    """Make of an image of one letter what the letter network reads.

    Args:
        source: As for ``data_prep.images.preparation.prepare_digit``.
        name: What it is called in messages.

    Returns:
        Float32 (16, 8, 1), 1 for ink, and every step.

    Raises:
        InputError: It is no image, too large, or shows nothing.
    """
    return _letter(*find_ink(source, name))


def prepare_letters(source: Source, name: str | None = None) -> tuple[PreparedImage, ...]:
    """Cut an image of letters that stand apart from one another, and make of each what the letter network reads.

    Takes what :func:`prepare_letter` takes, and returns the letters from left to right as that makes them.

    Raises:
        InputError: As for :func:`prepare_letter`, or there are over 32 letters.
    """
    ink, steps = find_ink(source, name)
    pieces = cut_at_gaps(ink)
    if len(pieces) > MAX_LETTERS:
        raise InputError(
            f"{called(source, name)} shows too many letters",
            allowed=f"at most {MAX_LETTERS}",
            received=len(pieces),
            remedy="Show one word at a time",
        )
    return tuple(_letter(piece / piece.max(), steps) for piece in pieces)


def prepare_word(source: Source, name: str | None = None) -> PreparedImage:
    """Make of an image of one word 16 pixels of height and the width that keeps its shape.

    Takes what :func:`prepare_letter` takes.

    Returns:
        Float32 (16, width, 1), 1 for ink, and every step.

    Raises:
        InputError: As for :func:`prepare_letter`, or the word would be wider than 512 pixels.
    """
    ink, steps = find_ink(source, name)
    thin = _with_pen(ink, ink.shape[0] / LETTER_HEIGHT, steps)
    # Thick strokes that are made thin are longer for their height.
    for height, width in (ink.shape, thin.shape):
        if LETTER_HEIGHT * width > MAX_WORD_WIDTH * height:
            raise InputError(
                f"{called(source, name)} is too long a strip for a word",
                allowed=f"at most {MAX_WORD_WIDTH // LETTER_HEIGHT} times as wide as high",
                received=f"{width} x {height} pixels of ink",
            )
    scaled = resized(thin, LETTER_HEIGHT, max(1, round(LETTER_HEIGHT * width / height)))
    text = f"scaled to a height of {LETTER_HEIGHT} pixels, its shape kept"
    return PreparedImage(scaled[..., None], (*steps, ImageStep("scaled", text, scaled)))


def cut_at_gaps(ink: np.ndarray) -> list[np.ndarray]:
    """Cut ink (height, width) where columns are empty, from left to right, each piece cut to its ink."""
    inked = np.flatnonzero(ink.any(axis=0))
    wide = np.flatnonzero(np.diff(inked) > max(1.0, _GAP * ink.shape[0]))
    starts, ends = np.append(inked[0], inked[wide + 1]), np.append(inked[wide], inked[-1])
    return [cut_to_ink(ink[:, start : end + 1]) for start, end in zip(starts, ends, strict=True)]


def in_letter_box(ink: np.ndarray) -> np.ndarray:
    """Scale ink, cut to it, into the middle of float32 (16, 8), its shape kept; sides are even, as in the set."""
    height, width = ink.shape
    unit = _letter_unit(ink)
    rows = min(LETTER_HEIGHT, 2 * max(1, round(height / unit / 2)))
    columns = min(LETTER_WIDTH, 2 * max(1, round(width / unit / 2)))
    found = np.zeros((LETTER_HEIGHT, LETTER_WIDTH), np.float32)
    top, left = (LETTER_HEIGHT - rows) // 2, (LETTER_WIDTH - columns) // 2
    found[top : top + rows, left : left + columns] = resized(ink, rows, columns)
    return found


def _letter(ink: np.ndarray, before: list[ImageStep]) -> PreparedImage:
    steps = list(before)
    ink = _with_pen(ink, _letter_unit(ink), steps)
    boxed = in_letter_box(ink)
    text = f"scaled into {LETTER_HEIGHT} x {LETTER_WIDTH} pixels, its shape kept"
    return PreparedImage(boxed[..., None], (*steps, ImageStep("scaled", text, boxed)))


def _letter_unit(ink: np.ndarray) -> float:
    """Return how many pixels of ink become one pixel of a letter."""
    return max(ink.shape[0] / LETTER_HEIGHT, ink.shape[1] / LETTER_WIDTH)


def _with_pen(ink: np.ndarray, unit: float, steps: list[ImageStep]) -> np.ndarray:
    """Draw ink again along the middle of its strokes, where they are thinner or thicker than the set's."""
    if unit < _MEASURED_UNIT:
        return ink
    from scipy import ndimage  # here: importing it takes a while

    margin = int(unit) + 2
    drawn = np.pad(ink > 0.5, margin)
    inside = ndimage.distance_transform_edt(drawn)
    stroke = 4.0 * float(inside[drawn].mean()) - 1.0  # of a line of width w the mean distance is (w + 1) / 4
    if _THINNEST * unit <= stroke <= _THICKEST * unit:
        return ink
    middle = drawn & (inside >= ndimage.maximum_filter(inside, 3))
    middle &= inside >= 0.5 * float(np.median(inside[middle]))  # rough edges have middles of their own
    again = np.clip(0.5 * _PEN * unit + 0.5 - ndimage.distance_transform_edt(~middle), 0.0, 1.0)
    again = cut_to_ink(again.astype(np.float32))
    steps.append(ImageStep("pen", "strokes made as thick as those of the set", again))
    return again
