"""Weights of a digit network at chosen epochs of its training, in one file: of a running training, or of a preset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from data_prep.array_files import ArraySpec, first_non_finite, read_arrays, read_specs, write_arrays
from models.storage.variables import variable_arrays

if TYPE_CHECKING:
    import keras

Weights = Mapping[str, np.ndarray]


class KeptEpochs:
    """Weights of chosen epochs (0 for the first ones) in a run folder, so that a resumed run has those of before."""

    def __init__(self, run_dir: Path, epochs: tuple[int, ...]) -> None:
        self._file, self._epochs = run_dir / "kept.npz", epochs

    def keep(self, epoch: int, model: keras.Model) -> None:
        """Keep the weights of a network if this epoch is to be kept."""
        if epoch in self._epochs:
            weights = variable_arrays(model.weights)
            write_epochs(self._file, {**read_epochs(self._file, weights), epoch: weights}, "float32")

    def all(self, model: keras.Model) -> dict[int, Weights]:
        """Read what was kept: epoch to weights by path."""
        return read_epochs(self._file, variable_arrays(model.weights))


def epochs_file(preset: Path) -> Path:
    """Say where the saved epochs of a preset are: beside its folder, whether there or not."""
    preset = preset.resolve()
    return preset.with_name(f"{preset.name}.epochs.npz")


def write_epochs(
    path: Path, epochs: Mapping[int, Weights], dtype: Literal["float16", "float32"] = "float16"
) -> None:
    """Write weights of several epochs (0 for the first ones), whole or not at all.

    Raises:
        ValueError: A weight is not finite as stored.
        InputError: The file cannot be written.
    """
    with np.errstate(over="ignore"):  # an overflow becomes infinite and is refused below
        arrays = {
            _path(epoch, name): values.astype(dtype)
            for epoch, weights in sorted(epochs.items())
            for name, values in weights.items()
        }
    if (bad := first_non_finite(arrays)) is not None:
        raise ValueError(f"The array {bad!r} is not finite as {dtype}.")
    write_arrays(path, arrays)


def read_epochs(path: Path, like: Weights) -> dict[int, Weights]:
    """Read saved epochs in their order: epoch to weights float32 by stable path; nothing where there is no file.

    Raises:
        InputError: The file is damaged, or its weights have other names and shapes than those of a network ``like`` it.
    """
    if not path.is_file():
        return {}
    epochs = sorted(
        {int(found[1]) for found in map(re.compile(r"epoch(\d+)/").match, read_specs(path)) if found}
    )
    expected = {
        _path(epoch, name): ArraySpec(array.shape, "float32")
        for epoch in epochs
        for name, array in like.items()
    }
    arrays = read_arrays(path, expected, half_precision=True)
    return {epoch: {name: arrays[_path(epoch, name)] for name in like} for epoch in epochs}


def _path(epoch: int, name: str) -> str:
    return f"epoch{epoch:04d}/{name}"
