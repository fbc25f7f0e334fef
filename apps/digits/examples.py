"""Digits that the project carries: 50 training images of each class of MNIST, for neighbours and for dead filters.

``python -m apps.digits.examples`` makes the file again from the data set. Licence: CC BY-SA 3.0, see the README beside
the file.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
import typer

from apps.shared.commands import verb
from data_prep.array_files import read_arrays
from data_prep.errors import InputError
from data_prep.files import atomic_writer
from data_prep.images.preparation import LabelledImages
from data_prep.readers.mnist import CLASSES, read_mnist

FILE = Path(__file__).resolve().parent / "mnist_train.npz"
EACH = 50  # images of a class
AMONG = 55_000  # the first so many training images: the rest is what recipes are chosen by


class Examples(NamedTuple):
    """Images of the training set: uint8 (n, 28, 28), labels int64 (n,), and their numbers in the set int64 (n,)."""

    images: np.ndarray
    labels: np.ndarray
    numbers: np.ndarray


@functools.cache
def examples() -> Examples:
    """Open the stored digits, in the order of the training set; shared, so read-only.

    Raises:
        InputError: The file is missing or damaged.
    """
    arrays = read_arrays(FILE)
    count = EACH * CLASSES
    shapes = {"images": (count, 28, 28), "labels": (count,), "numbers": (count,)}
    if {name: array.shape for name, array in arrays.items()} != shapes:
        remedy = "Restore it from the repository"
        raise InputError(f"{FILE.name} does not hold {count:,} digits", remedy=remedy)
    found = Examples(arrays["images"], arrays["labels"].astype(np.int64), arrays["numbers"].astype(np.int64))
    for array in found:
        array.flags.writeable = False
    return found


def choose(train: LabelledImages) -> Examples:
    """Take the first images of each class of the training set, in its order."""
    places = [np.flatnonzero(train.labels[:AMONG] == digit)[:EACH] for digit in range(CLASSES)]
    numbers = np.sort(np.concatenate(places))
    return Examples(train.images[numbers], train.labels[numbers], numbers)


@verb
def main() -> None:
    """Make the file from MNIST."""
    images, labels, numbers = choose(read_mnist("train"))
    with atomic_writer(FILE, overwrite=True) as file:
        np.savez_compressed(
            file, images=images, labels=labels.astype(np.uint8), numbers=numbers.astype(np.int32)
        )
    print(f"{FILE}: {FILE.stat().st_size / 2**20:.2f} MiB")


if __name__ == "__main__":
    typer.run(main)
