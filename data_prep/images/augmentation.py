"""Images moved, turned, scaled, slanted and bent at random, as other hands would have drawn them.

The bending is that of Simard, Steinkraus and Platt 2003, "Best practices for convolutional neural networks applied to
visual document analysis": a field of random displacements, smoothed by a Gaussian. All movements of an image are put
into one field and the image is read once along it, between pixels linearly. Everything is drawn from one generator a
batch after the other, so seed and epoch alone decide the images. Only NumPy, which lets a training step run meanwhile.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from data_prep.errors import InputError
from data_prep.fields import Checked, Portion, StrokeChange
from data_prep.images.preparation import LabelledImages, digit_batch

_KEPT_VARIANCE = 0.999  # of a smoothed field, by its strongest components
_OTHER_STROKES = 0.5  # share of the images, where thickness is changed
_AT_ONCE = 256  # images whose intermediate arrays stay in a processor's cache


@dataclass(frozen=True)
class Augmentation(Checked):
    """How far images are changed; the extent is drawn anew for every image and epoch.

    Args:
        shift: Pixels at most, to each side and up or down.
        rotation: Degrees at most, to each side.
        scaling: Sides are multiplied by 1 less to 1 plus this share, both independently.
        shear: Upright lines lean by at most this many pixels a pixel.
        elastic: Standard deviation of the displacement by bending, in pixels.
        smoothness: Standard deviation of the Gaussian that smooths the bending, in pixels.
    """

    shift: Annotated[float, Ge(0.0), Le(14.0)] = 2.0
    rotation: Annotated[float, Ge(0.0), Le(180.0)] = 10.0
    scaling: Annotated[float, Ge(0.0), Le(0.9)] = 0.1
    shear: Annotated[float, Ge(0.0), Le(2.0)] = 0.1
    elastic: Annotated[float, Ge(0.0), Le(10.0)] = 0.7
    smoothness: Annotated[float, Ge(0.5), Le(20.0)] = 4.0

    @property
    def changes(self) -> bool:
        """Whether any image is changed at all."""
        return max(self.shift, self.rotation, self.scaling, self.shear, self.elastic) > 0.0


NO_AUGMENTATION = Augmentation(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class ImageBatches:
    """Labelled images as batches, in an order and with changes that seed and epoch alone decide.

    Images of an epoch that do not fill a batch are left out, other ones each time. Thickness and noise: :func:`worn`.

    Raises:
        InputError: There are not enough images for one batch.
    """

    images: LabelledImages
    batch_size: int
    augmentation: Augmentation = NO_AUGMENTATION
    thickness: float = 0.0
    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse too few images."""
        if not len(self):
            raise InputError(
                "There are too few images for a batch",
                allowed=f"{self.batch_size} or more",
                received=len(self.images.labels),
                remedy="Give more images, or a smaller batch: --set batch_size=16",
            )

    def __len__(self) -> int:
        return len(self.images.labels) // self.batch_size

    def epoch(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches of an epoch: images float32 (batch, height, width, 1) from 0 to 1, labels int32."""
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.images.labels))
        for chosen in order[: len(self) * self.batch_size].reshape(-1, self.batch_size):
            some = self.images.part(chosen)
            moved = augmented(some.images, self.augmentation, rng)
            yield worn(moved, self.thickness, self.noise, rng), some.labels.astype(np.int32)


def augmented(images: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Change images uint8 (n, height, width) at random to float32 (n, height, width, 1) from 0 to 1; outside is 0."""
    if not augmentation.changes:
        return digit_batch(images)
    found = np.empty((*images.shape, 1), np.float32)
    for at in range(0, len(images), _AT_ONCE):
        part = images[at : at + _AT_ONCE]
        rows, columns = displaced(len(part), *part.shape[1:], augmentation, rng)
        found[at : at + _AT_ONCE, ..., 0] = sampled(part, rows, columns)
    return found


def displaced(
    count: int, height: int, width: int, augmentation: Augmentation, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw from where each pixel is read: rows and columns, float32 (count, height, width) both."""
    angle, scale_y, scale_x, shear, *shift = rng.uniform(-1.0, 1.0, (6, count)).astype(np.float32)
    angle = np.radians(np.float32(augmentation.rotation) * angle)
    shear = np.float32(augmentation.shear) * shear
    scale_y, scale_x = (1.0 / (1.0 + np.float32(augmentation.scaling) * one) for one in (scale_y, scale_x))
    cosine, sine = np.cos(angle), np.sin(angle)
    # From a new place to an old one: for rows and for columns what a row and what a column more adds.
    matrix = (
        (cosine * scale_y, sine * scale_y),
        ((shear * cosine - sine) * scale_x, (shear * sine + cosine) * scale_x),
    )
    y = np.arange(height, dtype=np.float32) - np.float32((height - 1) / 2)
    x = np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2)
    places = []
    for (by_row, by_column), moved, length in zip(matrix, shift, (height, width), strict=True):
        start = np.float32(augmentation.shift) * moved + np.float32((length - 1) / 2)
        down, across = by_row[:, None] * y + start[:, None], by_column[:, None] * x
        places.append(down[:, :, None] + across[:, None, :])
    if augmentation.elastic > 0.0:
        rows, columns = (_smoothing(length, augmentation.smoothness) for length in (height, width))
        for place in places:
            noise = rng.standard_normal((count, rows.shape[1], columns.shape[1]), np.float32)
            place += np.float32(augmentation.elastic) * (rows @ noise @ columns.T)
    return places[0], places[1]


def sampled(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Read images uint8 (n, height, width) between their pixels, as float32 from 0 to 1; outside there is 0."""
    count, height, width = images.shape
    framed = np.zeros((count, height + 3, width + 3), np.uint32)
    framed[:, 1:-2, 1:-2] = images
    # Four neighbours in one number, so that there is one look-up a pixel and not four.
    packed = (
        framed[:, :-1, :-1] | framed[:, :-1, 1:] << 8 | framed[:, 1:, :-1] << 16 | framed[:, 1:, 1:] << 24
    )
    rows = np.clip(rows + np.float32(1.0), 0.0, np.float32(height + 1))
    columns = np.clip(columns + np.float32(1.0), 0.0, np.float32(width + 1))
    top, left = rows.astype(np.int32), columns.astype(np.int32)
    rows -= top
    columns -= left
    first = np.arange(count, dtype=np.int32)[:, None, None] * np.int32(packed[0].size)
    four = np.take(packed.reshape(-1), first + top * np.int32(width + 2) + left)
    corners = [((four >> shift) & 255).astype(np.float32) for shift in (0, 8, 16, 24)]
    above = corners[0] + columns * (corners[1] - corners[0])
    below = corners[2] + columns * (corners[3] - corners[2])
    return (above + rows * (below - above)) * np.float32(1.0 / 255.0)


@functools.cache
def _smoothing(length: int, smoothness: float) -> np.ndarray:
    """Return the strongest components of Gaussian smoothing along an axis, float32 (length, components).

    Normal draws times them have the distribution of white noise that was smoothed, with standard deviation 1 in the
    middle, at a fraction of the draws and products.
    """
    at = np.arange(length)
    margin = int(4 * smoothness)  # noise goes on beyond the borders
    outside = np.arange(-margin, length + margin)
    kernel = np.exp(-0.5 * ((at[:, None] - outside) / smoothness) ** 2)
    left, strengths, _ = np.linalg.svd(kernel, full_matrices=False)
    share = np.cumsum(strengths**2) / np.sum(strengths**2)
    components = left * strengths
    components = components[:, : int(np.searchsorted(share, _KEPT_VARIANCE)) + 1]
    middle = np.sqrt((components[length // 2] ** 2).sum())
    return np.ascontiguousarray(components / middle, np.float32)


@dataclass(frozen=True)
class LetterAugmentation(Checked):
    """How far letters of 16x8 pixels are changed; the extent is drawn anew for every letter and epoch.

    Args:
        movement: Shifts, slant, turns and bending.
        stroke: Strokes become thinner or thicker: the level at which grey becomes ink moves by at most this much.
        noise: As :func:`worn` has it.
    """

    movement: Augmentation = field(
        default_factory=lambda: Augmentation(
            shift=0.7, rotation=6.0, scaling=0.1, shear=0.15, elastic=0.4, smoothness=2.5
        )
    )
    stroke: StrokeChange = 0.2
    noise: Portion = 0.4


def augmented_letters(
    images: np.ndarray, augmentation: LetterAugmentation, rng: np.random.Generator
) -> np.ndarray:
    """Change letters uint8 (n, 16, 8) at random to float32 (n, 16, 8, 1) from 0 to 1."""
    found = augmented(images, augmentation.movement, rng)
    if augmentation.stroke > 0.0:
        found = with_stroke(found, augmentation.stroke * rng.uniform(-1.0, 1.0, (len(found), 1, 1, 1)))
    return worn(found, 0.0, augmentation.noise, rng)


def worn(images: np.ndarray, thickness: float, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Change strokes and add noise at random.

    Args:
        images: Float32 (n, height, width, 1) from 0 to 1.
        thickness: Half of the images get strokes thinner or thicker by at most this, as :func:`with_thickness` says.
        noise: The highest standard deviation of what is added to every pixel; low ones come more often.
        rng: Of all draws.

    Returns:
        Float32, the same shape.
    """
    each = (len(images), 1, 1, 1)
    if thickness > 0.0:
        thicker = with_thickness(images, thickness * rng.uniform(-1.0, 1.0, each))
        images = np.where(rng.random(each) < _OTHER_STROKES, thicker, images)
    if noise > 0.0:
        images = with_noise(images, noise * rng.random(each, np.float32) ** 2, rng)
    return images


def with_stroke(images: np.ndarray, thicker: np.ndarray | float) -> np.ndarray:
    """Make strokes thinner (below 0) or thicker: by so much the level at which grey becomes ink lies below one half."""
    level = np.float32(0.5) - np.asarray(thicker, np.float32)
    return np.clip((images - level) * np.float32(2.0) + np.float32(0.5), 0.0, 1.0, dtype=np.float32)


def with_noise(images: np.ndarray, noise: np.ndarray | float, rng: np.random.Generator) -> np.ndarray:
    """Add noise of a standard deviation; the result is float32 from 0 to 1."""
    return np.clip(
        images + np.asarray(noise, np.float32) * rng.standard_normal(images.shape, np.float32), 0.0, 1.0
    )


def with_thickness(images: np.ndarray, thicker: np.ndarray | float) -> np.ndarray:
    """Make strokes thinner (below 0) or thicker by parts of a pixel, those of black and white pictures too.

    Args:
        images: Float32 (n, height, width, 1) from 0 to 1.
        thicker: By how much the level of ink of the smoothed picture lies below one half, -0.45 to 0.45.
    """
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    for axis in (1, 2):
        ends = (np.take(framed, range(at, framed.shape[axis] - 2 + at), axis) for at in range(3))
        first, middle, last = ends
        framed = (first + 2 * middle + last) / np.float32(4.0)
    return with_stroke(framed, thicker)
