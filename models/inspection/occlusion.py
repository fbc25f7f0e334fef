"""What an answer loses where an image is covered, whatever computes the answer (Zeiler and Fergus 2013)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from data_prep.errors import InputError

_BATCH = 128


def occluded(
    answer: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    *,
    patch: int,
    stride: int,
    fill: float = 0.0,
) -> np.ndarray:
    """Cover an image float (1, height, width, channels) patch by patch; ``answer`` gives the probability of images.

    Other arguments, result and errors are those of ``models.inspection.attribution.occlusion_map``.
    """
    height, width = image.shape[1:3]
    for what, value, most in (("patch", patch, max(height, width)), ("stride", stride, patch)):
        if type(value) is not int or not 1 <= value <= most:
            raise InputError(f"The {what} is out of bounds", allowed=f"1 to {most} pixels", received=value)
    # From the first patch that touches the image to the last, so that borders are covered like the middle.
    corners = list(product(range(1 - patch, height, stride), range(1 - patch, width, stride)))
    whole = answer(image)[0]
    lost, count = np.zeros((2, height, width))
    for start in range(0, len(corners), _BATCH):
        tops, lefts = np.array(corners[start : start + _BATCH]).T[:, :, None]
        rows, columns = np.arange(height) - tops, np.arange(width) - lefts
        inside = [(at >= 0) & (at < patch) for at in (rows, columns)]
        covered = inside[0][:, :, None] & inside[1][:, None, :]  # (patches, height, width)
        images = np.where(covered[..., None], image.dtype.type(fill), image)
        lost += np.tensordot(whole - answer(images), covered, axes=1)
        count += covered.sum(axis=0)
    return (lost / np.maximum(count, 1)).astype(np.float32)
