"""MNIST: 60,000 + 10,000 handwritten digits (LeCun, Cortes and Burges), checked before use."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Literal

import numpy as np

from data_prep.array_files import read_arrays
from data_prep.datasets import locate
from data_prep.errors import InputError
from data_prep.images.preparation import LabelledImages

DATASET = "mnist"
CLASSES = 10
# Of the arrays as the publisher's IDX files, in the original order.
MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}
_IDX_BYTES = 0x800  # magic number of an IDX file of bytes, to which its dimensions are added


def read_mnist(part: Literal["train", "test"], path: Path | None = None) -> LabelledImages:
    """Read a part of MNIST.

    Args:
        part: ``"train"`` or ``"test"``.
        path: The ``.npz`` file; None finds or downloads it.

    Returns:
        Its images and labels 0 to 9, in the original order.

    Raises:
        InputError: The part is unknown, the data set cannot be had, or the file does not hold MNIST's numbers.
    """
    if part not in ("train", "test"):
        raise InputError("MNIST has no such part", allowed="train, test", received=part)
    path = locate(DATASET) if path is None else path
    arrays = read_arrays(path)
    names = f"x_{part}", f"y_{part}"
    for name in names:
        array = arrays.get(name, np.zeros(0))
        if (found := idx_md5(array)) != MD5[name]:
            raise InputError(
                f"{path} is not MNIST: {name} lacks, or has other numbers, types, or another order",
                allowed=f"MD5 {MD5[name]} as an IDX file",
                received=f"{found} of {array.dtype}{list(array.shape)}",
                remedy="Remove the file, so that it is downloaded again",
            )
    images, labels = (arrays[name] for name in names)
    return LabelledImages(images, labels.astype(np.int64))


def idx_md5(array: np.ndarray) -> str:
    """Return the MD5 that an array of bytes has as an IDX file, the publisher's format."""
    header = struct.pack(f">{1 + array.ndim}i", _IDX_BYTES + array.ndim, *array.shape)
    return hashlib.md5(header + array.tobytes(), usedforsecurity=False).hexdigest()
