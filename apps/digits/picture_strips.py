"""Arrays of a network as strips of small pictures: one tile a channel or a filter, one scale a strip.

As in ConvNetJS (Karpathy): activations are one tile a channel, a convolution's weights one row of tiles a filter.
"""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from PIL import Image

MOST_FILTERS, MOST_CHANNELS, MOST_UNITS = 64, 32, 512
_LEVELS = 254  # of the colours; the last index is the gap between tiles
_GAP = 255


class Strip(NamedTuple):
    """Tiles of one scale.

    ``tiles`` is float32 (rows, columns, height, width); ``count`` is how many of them are real, row by row, the others
    fill the last row up. ``low`` and ``high`` are the least and the largest of all values, shown or not; ``left_out``
    is how many values are not shown.
    """

    tiles: np.ndarray
    count: int
    low: float
    high: float
    left_out: int

    @property
    def signed(self) -> bool:
        """Whether there are values below zero."""
        return self.low < 0

    @property
    def ends(self) -> dict[str, float]:
        """Least and largest value."""
        return {"min": self.low, "max": self.high}


def activation_strip(values: np.ndarray, columns: int = 16) -> Strip:
    """Lay out the output of a layer, or its gradient: one tile a channel, ``columns`` side by side; units are cells."""
    if values.ndim != 3:
        return _single(values.reshape(1, -1), values)
    height, width, channels = values.shape
    shown = values[..., :MOST_FILTERS]
    count = shown.shape[-1]
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    tiles = np.zeros((rows * columns, height, width), np.float32)
    tiles[:count] = np.moveaxis(shown, -1, 0)
    low, high = _limits(values)
    return Strip(
        tiles.reshape(rows, columns, height, width), count, low, high, (channels - count) * height * width
    )


def weight_strip(values: np.ndarray) -> Strip:
    """Lay out a weight of a layer, or its gradient.

    A kernel (height, width, inputs, filters) becomes one row a filter with one tile an input channel, or one tile a
    filter where there is one input; a matrix (inputs, units) one tile with a row a unit; a vector one row of cells. At
    most 64 filters of 32 channels and 512 columns of a matrix are shown.
    """
    if values.ndim == 4:
        height, width, inputs, filters = values.shape
        if inputs == 1:
            return activation_strip(values[:, :, 0, :])
        shown = values[:, :, :MOST_CHANNELS, :MOST_FILTERS]
        tiles = np.ascontiguousarray(shown.transpose(3, 2, 0, 1), np.float32)
        count = tiles.shape[0] * tiles.shape[1]
        return Strip(tiles, count, *_limits(values), (inputs * filters - count) * height * width)
    if values.ndim == 2:
        return _single(values.T, values)
    return _single(values.reshape(1, -1), values)


def png(strip: Strip, colours: np.ndarray, gap: int = 1) -> bytes:
    """Draw a strip as a PNG, one pixel a value.

    Args:
        strip: The tiles.
        colours: As :func:`scale` gives them, for a signed strip with zero in the middle.
        gap: Transparent pixels between two tiles.
    """
    rows, columns, height, width = strip.tiles.shape
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), _GAP, np.uint8)
    cells = levels(strip)
    for row in range(rows):
        for column in range(min(columns, strip.count - row * columns)):
            top, left = row * (height + gap), column * (width + gap)
            canvas[top : top + height, left : left + width] = cells[row, column]
    picture = Image.fromarray(canvas, "P")
    picture.putpalette(np.vstack([colours, np.zeros((2, 3), np.uint8)]).astype(np.uint8).tobytes())
    written = io.BytesIO()
    picture.save(written, "PNG", transparency=_GAP)
    return written.getvalue()


def levels(strip: Strip) -> np.ndarray:
    """Give the number of the colour of each value, uint8 (0 to 253), the shape of the tiles.

    For values on both sides of zero the scale is symmetric about it; else it goes from zero.
    """
    largest = max(abs(strip.low), abs(strip.high)) or 1.0
    shares = strip.tiles / largest
    if strip.signed:
        shares = (shares + 1) / 2
    return np.clip(np.rint(shares * (_LEVELS - 1)), 0, _LEVELS - 1).astype(np.uint8)


def scale(ends: list[tuple[int, int, int]]) -> np.ndarray:
    """Blend two or three colours (red, green, blue) into a scale for :func:`png`, uint8 (254, 3)."""
    places = np.linspace(0, len(ends) - 1, _LEVELS)
    channels = [np.interp(places, range(len(ends)), [end[at] for end in ends]) for at in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def _single(tile: np.ndarray, values: np.ndarray) -> Strip:
    shown = np.ascontiguousarray(tile[:MOST_UNITS, :MOST_UNITS], np.float32)
    return Strip(shown[None, None], 1, *_limits(values), values.size - shown.size)


def _limits(values: np.ndarray) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
