"""Weights of a digit network at chosen epochs of its training, in one file: of a running training, or of a preset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from data_prep.array_files import ArraySpec, first_non_finite, read_arrays, read_specs, write_arrays
from data_prep.errors import InputError
from data_prep.files import writing_to
from models.storage.variables import variable_arrays

if TYPE_CHECKING:
    import keras

MOST_EPOCHS = 1000
_NAME = re.compile(r"epoch(\d{4})/(.+)\Z", re.DOTALL)


class KeptEpochs:
    """Weights of chosen epochs (0 for the first ones) in a run folder, so that a resumed run has those of before."""

    def __init__(self, run_dir: Path, epochs: tuple[int, ...]) -> None:
        self._file, self._epochs = run_dir / "kept.npz", epochs

    def keep(self, epoch: int, model: keras.Model) -> None:
        """Keep the weights of a network if this epoch is to be kept."""
        if epoch not in self._epochs:
            return
        with writing_to(self._file.parent):
            self._file.parent.mkdir(parents=True, exist_ok=True)
        write_epochs(self._file, {**self.all(model), epoch: variable_arrays(model.weights)}, "float32")

    def all(self, model: keras.Model) -> dict[int, dict[str, np.ndarray]]:
        """Read what was kept: epoch to weights by path."""
        like = variable_arrays(model.weights)
        return {epoch: epoch_arrays(self._file, epoch, like) for epoch in saved_epochs(self._file)}


def epochs_file(preset: Path) -> Path:
    """Say where the saved epochs of a preset are: beside its folder, whether there or not."""
    return preset.with_name(f"{preset.name}.epochs.npz")


def write_epochs(
    path: Path,
    epochs: Mapping[int, Mapping[str, np.ndarray]],
    dtype: Literal["float16", "float32"] = "float16",
) -> None:
    """Write weights of several epochs, whole or not at all.

    Args:
        path: As :func:`epochs_file` gives it.
        epochs: Epoch, 0 for the first weights, to arrays by stable path.
        dtype: How they are stored.

    Raises:
        ValueError: An epoch is out of bounds, or a weight is not finite as stored.
        InputError: The file cannot be written.
    """
    arrays = {}
    for epoch, weights in sorted(epochs.items()):
        if not 0 <= epoch < MOST_EPOCHS:
            raise ValueError(f"Epochs are from 0 to {MOST_EPOCHS - 1}. Received: {epoch}")
        for name, values in weights.items():
            with np.errstate(over="ignore"):  # an overflow becomes infinite and is refused below
                arrays[f"epoch{epoch:04d}/{name}"] = values.astype(dtype)
    if (bad := first_non_finite(arrays)) is not None:
        raise ValueError(f"The array {bad!r} is not finite as {dtype}.")
    write_arrays(path, arrays)


def saved_epochs(path: Path) -> tuple[int, ...]:
    """List the epochs of a file in order, without reading a weight; none where there is no file.

    Raises:
        InputError: The file is damaged, or holds something else.
    """
    if not path.is_file():
        return ()
    found = set()
    for name in read_specs(path):
        match = _NAME.match(name)
        if match is None:
            raise InputError(f"{path} does not hold epochs", received=name)
        found.add(int(match[1]))
    return tuple(sorted(found))


def epoch_arrays(path: Path, epoch: int, like: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Read the weights of one epoch, float32 by stable path.

    Args:
        path: As :func:`epochs_file` gives it.
        epoch: One of :func:`saved_epochs`.
        like: Weights of the finished network, whose names and shapes it has to have.

    Raises:
        InputError: There is no such epoch, the file is damaged, or is that of another network.
    """
    epochs = saved_epochs(path)
    if epoch not in epochs:
        allowed = ", ".join(map(str, epochs)) or f"none: there is no file {path.name}"
        raise InputError("That epoch was not saved", allowed=allowed, received=epoch)
    expected = {
        f"epoch{saved:04d}/{name}": ArraySpec(tuple(array.shape), "float32")
        for saved in epochs
        for name, array in like.items()
    }
    arrays = read_arrays(path, expected, half_precision=True)
    start = f"epoch{epoch:04d}/"
    return {name: arrays[start + name] for name in like}
