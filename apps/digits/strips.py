"""What looking into a digit network returns: layers as strips of small pictures, one scale a strip, and similar digits.

As in ConvNetJS (Karpathy): activations are one tile a channel, a convolution's weights one row of tiles a filter.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageColor

from apps.shared.language import N_
from apps.shared.results import Result
from data_prep.files import atomic_writer

if TYPE_CHECKING:
    from models.digit_cnn.inside import LayerView
    from models.digit_cnn.plan import Step

ACTIVATIONS, WEIGHTS = N_("Activations"), N_("Weights")
GRADIENTS = {ACTIVATIONS: N_("Activation gradients"), WEIGHTS: N_("Weight gradients")}
_COLOURS = ("#b8481f", "#e3ddd0", "#0f7c90")  # of files: below zero, zero, above
MOST_FILTERS, MOST_CHANNELS, MOST_UNITS = 64, 32, 512
COLUMNS = 16  # tiles of channels side by side
_LEVELS = 254  # of the colours; the last index is the gap between tiles
_STEPS = 15  # on each side of zero, of a strip in a picture of a training
_GAP = 255
_SEEN = 0.1  # of the largest value: what is nearer to zero has the colour of zero


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Strip(Result):
    """Tiles of one scale."""

    tiles: np.ndarray  # float32 (rows, columns, height, width)
    count: int  # of the real ones, row by row; the others fill the last row up
    low: float  # least of all values, shown or not
    high: float
    left_out: int  # values that are not shown

    def to_dict(self) -> dict[str, float]:
        """Turn into what JSON can hold: least and largest value."""
        return {"min": self.low, "max": self.high}


def strip_of(values: np.ndarray | None) -> Strip | None:
    """Lay out the output of a layer, a weight, or the gradient of one; None where there is none.

    An output (height, width, channels) becomes one tile a channel. A kernel (height, width, inputs, filters) becomes
    one row a filter with one tile an input channel, or one tile a filter where there is one input; a matrix (inputs,
    units) one tile with a row a unit; a vector one row of cells. At most 64 filters of 32 channels and 512 columns of
    a matrix are shown.
    """
    if values is None:
        return None
    low, high, size = float(values.min()), float(values.max()), values.size
    if values.ndim == 4 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim == 4:
        tiles = values[:, :, :MOST_CHANNELS, :MOST_FILTERS].transpose(3, 2, 0, 1)
        count = tiles.shape[0] * tiles.shape[1]
    elif values.ndim == 3:
        shown = np.moveaxis(values[..., :MOST_FILTERS], -1, 0)
        count, *sides = shown.shape
        columns = min(COLUMNS, count)
        tiles = np.zeros((-(-count // columns), columns, *sides), np.float32)
        tiles.reshape(-1, *sides)[:count] = shown
    else:
        tile = values.T if values.ndim == 2 else values.reshape(1, -1)
        tiles, count = tile[None, None, :MOST_UNITS, :MOST_UNITS], 1
    left_out = size - count * tiles.shape[2] * tiles.shape[3]
    return Strip(np.ascontiguousarray(tiles, np.float32), count, low, high, left_out)


def png(strip: Strip, negative: str, zero: str, positive: str) -> bytes:
    """Draw a strip as a PNG in three colours ``#rrggbb``, tiles parted by transparent pixels.

    A value is a pixel; where there are negative ones three by three, which have a hole for a negative value.
    """
    signed, cells = strip.low < 0, levels(strip)
    ends, size = ([negative, zero, positive], 3) if signed else ([zero, positive], 1)
    if signed:
        below = cells < (1 - _SEEN) * (_LEVELS - 1) / 2
        cells = cells.repeat(size, 2).repeat(size, 3)
        cells[:, :, 1::size, 1::size][below] = _GAP
    cells = np.pad(cells, ((0, 0), (0, 0), (0, size), (0, size)), constant_values=_GAP)
    rows, columns, height, width = cells.shape
    cells.reshape(-1, height, width)[strip.count :] = _GAP
    canvas = cells.swapaxes(1, 2).reshape(rows * height, columns * width)[:-size, :-size]
    picture = Image.fromarray(np.ascontiguousarray(canvas), "P")
    picture.putpalette(_blended(ends).tobytes())
    written = io.BytesIO()
    picture.save(written, "PNG", transparency=_GAP)
    return written.getvalue()


def levels(strip: Strip) -> np.ndarray:
    """Give the number of the colour of each value, uint8 (0 to 253), the shape of the tiles.

    For values on both sides of zero the scale is symmetric about it; else it goes from zero.
    """
    shares = strip.tiles / _largest(strip.low, strip.high)
    if strip.low < 0:
        shares = (shares + 1) / 2
    return np.clip(np.rint(shares * (_LEVELS - 1)), 0, _LEVELS - 1).astype(np.uint8)


def packed(strip: Strip) -> dict[str, Any]:
    """Turn a strip into what a picture of a training holds: each value as one of 31 steps, for few bytes."""
    steps = np.rint(_STEPS * (strip.tiles / _largest(strip.low, strip.high))).astype(np.int8)
    return {
        "steps": steps,
        "count": strip.count,
        "low": strip.low,
        "high": strip.high,
        "left_out": strip.left_out,
    }


def opened(content: Mapping[str, Any]) -> Strip:
    """Turn what :func:`packed` made into a strip again."""
    low, high = content["low"], content["high"]
    tiles = content["steps"] * np.float32(_largest(low, high) / _STEPS)
    return Strip(tiles, content["count"], low, high, content["left_out"])


def _largest(low: float, high: float) -> float:
    return max(abs(low), abs(high)) or 1.0


def _blended(ends: list[str]) -> np.ndarray:
    """Blend two or three colours into a scale, and two places for gaps, uint8 (256, 3)."""
    places = np.linspace(0, len(ends) - 1, _LEVELS)
    channels = zip(*map(ImageColor.getrgb, ends), strict=True)
    scale = np.stack([np.interp(places, range(len(ends)), channel) for channel in channels], axis=1)
    return np.pad(np.rint(scale).astype(np.uint8), ((0, 2), (0, 0)))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class WeightLook(Result):
    """One weight of a layer."""

    name: str  # such as "kernel"
    values: Strip
    gradients: Strip | None  # of the loss by it; None where it is not trained


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LayerLook(Result):
    """One layer as it answers one image."""

    name: str
    kind: str  # its class, such as "Conv2D"
    shape: tuple[int, ...]  # of its output: (height, width, channels) or (units,)
    settings: str  # filter size and stride in words; empty for layers that have none
    formula: str  # how its parameters come about; empty for none
    parameters: int
    activations: Strip  # its output
    gradients: Strip | None  # of the loss by its output; None where the loss does not depend on it
    weights: tuple[WeightLook, ...]
    dead: tuple[int, ...]  # channels that are zero for all examples

    def strips(self) -> list[tuple[str, str, Strip]]:
        """List what can be drawn: kind, name and strip."""
        found = []
        own = WeightLook("activations", self.activations, self.gradients)
        for kind, look in ((ACTIVATIONS, own), *((WEIGHTS, weight) for weight in self.weights)):
            found.append((kind, look.name, look.values))
            if look.gradients is not None:
                found.append((GRADIENTS[kind], f"{look.name}, gradient", look.gradients))
        return found


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DigitLook(Result):
    """A network's answer to one image, from the inside."""

    answer: str  # the most probable class
    probability: float  # of it, 0 to 1
    label: str  # the class whose loss was sent back
    loss: float  # of that class, in nats
    layers: tuple[LayerLook, ...]  # in the order of the calls


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class NearDigit(Result):
    """A training digit that the last hidden layer places near an image."""

    number: int  # its position in the training set
    label: str
    distance: float  # between the two in the hidden layer (Euclidean)
    image: np.ndarray  # uint8 (28, 28)

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold, without the image."""
        return {"number": self.number, "label": self.label, "distance": self.distance}


def layer_look(view: LayerView, dead: tuple[int, ...] = ()) -> LayerLook:
    """Lay out what one layer did, with its dead channels."""
    weights = [WeightLook(name, strip_of(values), strip_of(by)) for name, values, by in view.weights]
    shapes = {name: values.shape or (1,) for name, values, _ in view.weights}
    count = sum(values.size for _, values, _ in view.weights)
    about = (view.step.name, view.kind, view.activations.shape, _settings(view.step), _formula(shapes, count))
    strips = (strip_of(view.activations), strip_of(view.gradients))
    return LayerLook(*about, count, *strips, tuple(weights), dead)


def write_strips(look: DigitLook, folder: Path) -> list[Path]:
    """Write every strip as a PNG, one pixel a value, and return the files.

    Raises:
        InputError: The folder cannot be written.
    """
    written = []
    for at, layer in enumerate(look.layers, start=1):
        for _, name, strip in layer.strips():
            written.append(folder / f"{at:03d}-{layer.name}-{name.replace(', ', '-')}.png")
            with atomic_writer(written[-1], overwrite=True) as file:
                file.write(png(strip, *_COLOURS))
    return written


def _settings(step: Step) -> str:
    settings, kernel = step.settings, step.arrays.get("kernel", ())
    if len(kernel) == 4:
        return f"filter {_times(kernel[:3])}, stride {settings['strides']}"
    if (pool := settings.get("pool_size")) is None:
        return ""
    return f"window {_times(pool)}, stride {_times(pool if len(set(pool)) > 1 else pool[:1])}"


def _formula(shapes: Mapping[str, tuple[int, ...]], count: int) -> str:
    """Write as the lecture does: 8×5×5×1 + 8 = 208."""
    parts = [_times((shape[-1], *shape[:-1])) for shape in shapes.values()]
    return f"{' + '.join(parts)} = {count:,}" if parts else ""


def _times(numbers: tuple[int, ...]) -> str:
    return "×".join(map(str, numbers))
