"""Weights of a digit network at chosen epochs of its training, in one file beside its preset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from data_prep.errors import InputError
from models.storage.arrays import ArraySpec, first_non_finite, read_arrays, read_specs, write_arrays
from models.storage.atomic import write_file, writing_to
from models.storage.variables import variable_arrays, variable_specs

if TYPE_CHECKING:
    import keras

MOST_EPOCHS = 1000
_NAME = re.compile(r"epoch(\d{4})/(.+)\Z", re.DOTALL)


class KeptEpochs:
    """Weights of chosen epochs in a run folder, so that a resumed run has those of before.

    Args:
        run_dir: The folder; made when something is kept.
        epochs: Those to keep; 0 for the first weights.
    """

    def __init__(self, run_dir: Path, epochs: tuple[int, ...]) -> None:
        self._run_dir, self._epochs = run_dir, frozenset(epochs)

    def keep(self, epoch: int, model: keras.Model) -> None:
        """Keep the weights of a network if this epoch is to be kept."""
        if epoch not in self._epochs:
            return
        with writing_to(self._run_dir):
            self._run_dir.mkdir(parents=True, exist_ok=True)
        arrays = variable_arrays(model.weights)
        write_file(self._path(epoch), lambda file: write_arrays(file, arrays))

    def all(self, model: keras.Model) -> dict[int, dict[str, np.ndarray]]:
        """Read what was kept: epoch to weights by path."""
        specs = variable_specs(model.weights)
        there = [epoch for epoch in sorted(self._epochs) if self._path(epoch).is_file()]
        return {epoch: read_arrays(self._path(epoch), specs) for epoch in there}

    def _path(self, epoch: int) -> Path:
        return self._run_dir / f"kept-{epoch:04d}.npz"


def epochs_file(preset: Path) -> Path:
    """Say where the saved epochs of a preset are: beside its folder.

    Args:
        preset: Folder of the preset.

    Returns:
        Path of the file, whether it is there or not.
    """
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
    write_file(path, lambda file: write_arrays(file, arrays))


def saved_epochs(path: Path) -> tuple[int, ...]:
    """List the epochs of a file, without reading a weight.

    Args:
        path: As :func:`epochs_file` gives it.

    Returns:
        The epochs in order; none where there is no file.

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
    """Read the weights of one epoch.

    Args:
        path: As :func:`epochs_file` gives it.
        epoch: One of :func:`saved_epochs`.
        like: Weights of the finished network, whose names and shapes it has to have.

    Returns:
        Float32 arrays by stable path.

    Raises:
        InputError: There is no such epoch, the file is damaged, or is that of another network.
    """
    epochs = saved_epochs(path)
    if epoch not in epochs:
        raise InputError(
            "That epoch was not saved",
            allowed=", ".join(map(str, epochs)) or f"none: there is no file {path.name}",
            received=epoch,
        )
    expected = {
        f"epoch{saved:04d}/{name}": ArraySpec(tuple(array.shape), "float32")
        for saved in epochs
        for name, array in like.items()
    }
    start = f"epoch{epoch:04d}/"
    arrays = read_arrays(path, expected, half_precision=True)
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
