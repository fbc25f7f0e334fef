"""MNIST: 60,000 + 10,000 handwritten digits (LeCun, Cortes and Burges), checked before use."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Literal

import numpy as np

from data_prep.array_files import read_arrays
from data_prep.datasets import DATASETS, locate
from data_prep.errors import InputError
from data_prep.images.preparation import DIGIT_SIZE, LabelledImages

DATASET = "mnist"
TRAIN_MD5 = "6bbc9ace898e44ae57da46a324031adb"  # of the training images as an IDX file, in the original order
CLASSES = 10
_IDX_IMAGES = 2051  # magic number of an IDX file of bytes with three dimensions

Part = Literal["train", "test"]


def read_mnist(part: Part, path: Path | None = None) -> LabelledImages:
    """Read a part of MNIST.

    Args:
        part: ``"train"`` or ``"test"``.
        path: The ``.npz`` file; None finds or downloads it.

    Returns:
        Its images and labels 0 to 9, in the original order.

    Raises:
        InputError: The part is unknown, the data set cannot be had, or the file is not MNIST: arrays, counts, types,
            labels, or the MD5 of the training images differ.
    """
    if part not in ("train", "test"):
        raise InputError("MNIST has no such part", allowed="train, test", received=part)
    path = locate(DATASET) if path is None else path
    arrays = read_arrays(path)
    images, labels = (arrays.get(f"{axis}_{part}", np.zeros(0)) for axis in ("x", "y"))
    if {images.dtype, labels.dtype} != {np.dtype(np.uint8)}:
        raise InputError(
            f"{path} is no MNIST file: it lacks x_{part} or y_{part} of uint8",
            allowed="x_train, y_train, x_test, y_test",
        )
    count = DATASETS[DATASET].counts[f"{part}_images"]
    if images.shape != (count, DIGIT_SIZE, DIGIT_SIZE) or labels.shape != (count,):
        raise InputError(
            f"{path} does not hold the {part} part of MNIST",
            allowed=f"{count:,} images of 28 x 28 pixels and as many labels",
            received=(images.shape, labels.shape),
        )
    if labels.max() >= CLASSES:
        raise InputError(f"{path} holds wrong labels", allowed="0 to 9", received=int(labels.max()))
    if part == "train" and (found := idx_md5(images)) != TRAIN_MD5:
        raise InputError(
            f"{path} holds other training images than MNIST, or in another order",
            allowed=f"MD5 {TRAIN_MD5} as an IDX file",
            received=found,
            remedy="Remove the file, so that it is downloaded again",
        )
    return LabelledImages(images, labels.astype(np.int64))


def idx_md5(images: np.ndarray) -> str:
    """Return the MD5 that images uint8 (n, height, width) have as an IDX file, the publisher's format."""
    header = struct.pack(">4i", _IDX_IMAGES, *images.shape)
    return hashlib.md5(header + np.ascontiguousarray(images).tobytes(), usedforsecurity=False).hexdigest()
