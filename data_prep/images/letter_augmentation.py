"""Letters changed at random, as other hands and pens would have drawn them; only NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from data_prep.fields import Checked, Portion
from data_prep.images.augmentation import Augmentation, augmented


@dataclass(frozen=True)
class LetterAugmentation(Checked):
    """How far letters of 16x8 pixels are changed; the extent is drawn anew for every letter and epoch.

    Args:
        movement: Shifts, slant, turns and bending.
        stroke: Strokes become thinner or thicker: the level at which grey becomes ink moves by at most this much.
        noise: Standard deviation of what is added to every pixel.
    """

    movement: Augmentation = field(
        default_factory=lambda: Augmentation(
            shift=0.7, rotation=6.0, scaling=0.1, shear=0.15, elastic=0.4, smoothness=2.5
        )
    )
    stroke: Annotated[float, Ge(0.0), Le(0.45)] = 0.2
    noise: Portion = 0.05


def augmented_letters(
    images: np.ndarray, augmentation: LetterAugmentation, rng: np.random.Generator
) -> np.ndarray:
    """Change letters uint8 (n, 16, 8) at random to float32 (n, 16, 8, 1) from 0 to 1."""
    found = augmented(images, augmentation.movement, rng)
    if augmentation.stroke > 0.0:
        found = with_stroke(found, augmentation.stroke * rng.uniform(-1.0, 1.0, (len(found), 1, 1, 1)))
    if augmentation.noise > 0.0:
        found = with_noise(found, augmentation.noise, rng)
    return found


def with_stroke(images: np.ndarray, thicker: np.ndarray | float) -> np.ndarray:
    """Make strokes thinner (below 0) or thicker: by so much the level at which grey becomes ink lies below one half."""
    level = np.float32(0.5) - np.asarray(thicker, np.float32)
    return np.clip((images - level) * np.float32(2.0) + np.float32(0.5), 0.0, 1.0, dtype=np.float32)


def with_noise(images: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Add noise of a standard deviation; the result is float32 from 0 to 1."""
    return np.clip(images + np.float32(noise) * rng.standard_normal(images.shape, np.float32), 0.0, 1.0)
