"""The last hidden layer of a network for all example digits, computed once and kept beside its preset.

    python -m apps.digits.neighbours digits_mnist

It saves the seconds that a large network takes for thousands of images; a network without the file computes them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.digits.examples import examples
from data_prep.errors import InputError
from data_prep.images.preparation import digit_batch

if TYPE_CHECKING:
    from apps.digits.application import Digits

_COMMAND = "python -m apps.digits.neighbours"
_ARRAY = "features"
_COMPARED = 16  # rows that are computed again, to see whose they are
_TOLERANCE = 1e-2  # of the largest number of a row: half precision, and sums in another order


def neighbours_file(preset: Path) -> Path:
    """Say where the features are that belong to a preset: beside its folder, whether there or not."""
    return preset.with_name(f"{preset.name}.neighbours.npz")


def example_features(digits: Digits, path: Path | None = None) -> np.ndarray:
    """Give the last hidden layer for all example digits.

    Args:
        digits: The network.
        path: As :func:`neighbours_file` gives it; None, or a file that is not there, computes them.

    Returns:
        Float32 (examples, width).

    Raises:
        InputError: The file is damaged, or belongs to another network.
    """
    images = examples().images
    if path is None or not path.is_file():
        return digits.hidden(digit_batch(images))
    from models.storage.arrays import ArraySpec, read_arrays

    expected = digits.hidden(digit_batch(images[:_COMPARED]))
    spec = ArraySpec((len(images), expected.shape[1]), "float32")
    features = read_arrays(path, {_ARRAY: spec}, half_precision=True)[_ARRAY]
    allowed = _TOLERANCE * np.abs(expected).max(axis=1, keepdims=True)
    if (np.abs(features[:_COMPARED] - expected) > allowed).any():
        raise InputError(
            f"{path} belongs to another network", remedy=f"Make it again with {_COMMAND}, or remove it"
        )
    return features


def write_features(digits: Digits, path: Path) -> None:
    """Compute and keep them, whole or not at all.

    Args:
        digits: The network.
        path: As :func:`neighbours_file` gives it.

    Raises:
        InputError: The file cannot be written.
    """
    from models.storage.arrays import write_arrays
    from models.storage.atomic import write_file

    features = example_features(digits).astype(np.float16)
    write_file(path, lambda file: write_arrays(file, {_ARRAY: features}))


def main(arguments: Sequence[str]) -> int:
    """Keep the features of the preset that the one argument names; return the exit code."""
    from apps.digits.application import Digits
    from models.presets.search import resolve_preset

    if len(arguments) != 1:
        print(f"usage: {_COMMAND} NAME_OR_FOLDER", file=sys.stderr)
        return 2
    try:
        folder = resolve_preset(arguments[0])
        write_features(Digits.from_preset(folder), neighbours_file(folder))
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    print(neighbours_file(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
