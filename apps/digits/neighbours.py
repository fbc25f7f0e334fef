"""The last hidden layer of a network for all example digits, computed once and kept beside its preset.

    python -m apps.digits.neighbours digits_mnist

It saves the seconds that a large network takes for thousands of images; a network without the file computes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from apps.digits.application import Digits
from apps.digits.examples import examples
from apps.shared.commands import verb
from data_prep.array_files import ArraySpec, read_arrays, write_arrays
from data_prep.errors import InputError
from data_prep.images.preparation import digit_batch
from models.presets.search import resolve_preset

_ARRAY = "features"
_COMPARED = 16  # rows that are computed again, to see whose they are
_TOLERANCE = 1e-2  # of the largest number of a row: half precision, and sums in another order


def neighbours_file(preset: Path) -> Path:
    """Say where the features are that belong to a preset: beside its folder, whether there or not."""
    return preset.with_name(f"{preset.name}.neighbours.npz")


def example_features(digits: Digits, path: Path | None = None) -> np.ndarray:
    """Give the last hidden layer for all example digits, float32 (examples, width).

    Args:
        digits: The network.
        path: As :func:`neighbours_file` gives it; None, or a file that is not there, computes them.

    Raises:
        InputError: The file is damaged, or belongs to another network.
    """
    images = examples().images
    if path is None or not path.is_file():
        return digits.hidden(digit_batch(images))
    expected = digits.hidden(digit_batch(images[:_COMPARED]))
    spec = ArraySpec((len(images), expected.shape[1]), "float32")
    features = read_arrays(path, {_ARRAY: spec}, half_precision=True)[_ARRAY]
    allowed = _TOLERANCE * np.abs(expected).max(axis=1, keepdims=True)
    if (np.abs(features[:_COMPARED] - expected) > allowed).any():
        remedy = "Make it again with python -m apps.digits.neighbours, or remove it"
        raise InputError(f"{path} belongs to another network", remedy=remedy)
    return features


@verb
def main(preset: Annotated[str, typer.Argument(metavar="NAME_OR_FOLDER")]) -> None:
    """Keep the features of a preset beside it."""
    folder = resolve_preset(preset)
    path = neighbours_file(folder)
    features = example_features(Digits.from_preset(folder)).astype(np.float16)
    write_arrays(path, {_ARRAY: features})
    print(path)


if __name__ == "__main__":
    typer.run(main)
