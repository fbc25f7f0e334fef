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
from data_prep.readers.mnist import read_mnist

FILE = Path(__file__).resolve().parent / "mnist_train.npz"
EACH = 50  # images of a class
AMONG = 55_000  # the first so many training images: the rest is what recipes are chosen by
_CLASSES = 10


class Examples(NamedTuple):
    """Images of the training set: uint8 (n, 28, 28), labels int64 (n,), and their numbers in the set int64 (n,)."""

    images: np.ndarray
    labels: np.ndarray
    numbers: np.ndarray


@functools.cache
def examples() -> Examples:
    """Open the stored digits.

    Returns:
        The first ``EACH`` images of each class, in the order of the training set; shared, so read-only.

    Raises:
        InputError: The file is missing or damaged.
    """
    arrays = read_arrays(FILE)
    count = EACH * _CLASSES
    shapes = {"images": (count, 28, 28), "labels": (count,), "numbers": (count,)}
    fits = shapes == {name: arrays[name].shape for name in shapes if name in arrays}
    if not fits or arrays["images"].dtype != np.uint8 or set(arrays["labels"]) != set(range(_CLASSES)):
        remedy = "Restore it from the repository"
        raise InputError(f"{FILE.name} does not hold {count:,} digits", remedy=remedy)
    found = Examples(*(arrays[name] for name in shapes))
    found = found._replace(labels=found.labels.astype(np.int64), numbers=found.numbers.astype(np.int64))
    for array in found:
        array.flags.writeable = False
    return found


def choose(images: np.ndarray, labels: np.ndarray, each: int = EACH, among: int = AMONG) -> Examples:
    """Take the first images of each class, of the first ``among`` images only, in the order of the set.

    Raises:
        InputError: A class has too few.
    """
    places = [np.flatnonzero(labels[:among] == digit)[:each] for digit in range(_CLASSES)]
    few = [digit for digit, found in enumerate(places) if len(found) < each]
    if few:
        raise InputError("Too few images of some digits", allowed=f"{each} of each", received=few)
    numbers = np.sort(np.concatenate(places))
    return Examples(images[numbers], labels[numbers].astype(np.int64), numbers)


def write(chosen: Examples, path: Path = FILE) -> None:
    """Write the file of digits, whole or not at all."""
    images, labels, numbers = chosen
    with atomic_writer(path, overwrite=True) as file:
        np.savez_compressed(
            file, images=images, labels=labels.astype(np.uint8), numbers=numbers.astype(np.int32)
        )


@verb
def main() -> None:
    """Make the file from MNIST."""
    train = read_mnist("train")
    write(choose(train.images, train.labels))
    print(f"{FILE}: {FILE.stat().st_size / 2**20:.2f} MiB")


if __name__ == "__main__":
    typer.run(main)
