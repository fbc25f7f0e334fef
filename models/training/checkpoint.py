"""Checkpoints of a training run: written so that a kill at any moment leaves one that can be read."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.array_files import ArraySpec, differences, read_arrays, read_specs, write_arrays
from data_prep.errors import InputError
from data_prep.files import UNFINISHED
from models.storage.folders import check_file, read_signed, record_of, write_signed

FORMAT = 2
_KEPT = 2  # the newest checkpoint and the one before it


@dataclass(frozen=True)
class TrainingState:
    """What a training has reached, without its arrays.

    Args:
        epoch: Finished epochs.
        history: One mapping for each epoch: number from 1, steps, seconds, whether it was the best, metrics.
        best_epoch: Finished epochs when the monitored value was best; None before the first one.
        best_value: The monitored value then.
        best_file: Name, size and SHA-256 of the file with the weights of that moment; None where the last are kept.
    """

    epoch: int = 0
    history: tuple[dict[str, Any], ...] = ()
    best_epoch: int | None = None
    best_value: float | None = None
    best_file: dict[str, Any] | None = None

    @property
    def seconds(self) -> float:
        """Time of all finished epochs, those before a resume included."""
        return sum(line["seconds"] for line in self.history)


def write_best(folder: Path, epoch: int, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Write the best weights so far under a name of their own, so that an older checkpoint keeps its own."""
    return _write_record(folder, f"best-{epoch:04d}.npz", arrays)


def save_checkpoint(folder: Path, state: TrainingState, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a checkpoint: arrays first, then the JSON that makes it valid, then remove what is too old."""
    record = _write_record(folder, f"state-{state.epoch:04d}.npz", arrays)
    content = {"format": FORMAT, "arrays": record, **vars(state)}
    write_signed(folder / f"state-{state.epoch:04d}.json", content)
    _remove_old(folder, state)


def checkpoint_epochs(folder: Path) -> list[int]:
    """Return the epochs whose checkpoint was finished, newest first."""
    return sorted(
        (int(path.stem[6:]) for path in folder.glob("state-*.json") if path.stem[6:].isdigit()), reverse=True
    )


def load_checkpoint(
    folder: Path, expected: Mapping[str, ArraySpec]
) -> tuple[TrainingState, dict[str, np.ndarray]] | None:
    """Read the newest checkpoint that is whole, and say which were passed over; None when there was no first one.

    Raises:
        InputError: When no checkpoint is whole, or a whole one has other arrays than ``expected``.
    """
    for path in folder.glob(f".*{UNFINISHED}"):  # that a killed process was writing
        path.unlink(missing_ok=True)
    notices: list[str] = []
    for epoch in checkpoint_epochs(folder):
        try:
            state, path = _read_state(folder, epoch)
        except InputError as error:
            notices.append(f"The checkpoint of epoch {epoch} is damaged and was passed over: {error}")
            continue
        if problems := differences(expected, read_specs(path)):
            raise InputError(
                f"The run in {folder} was made with another network: {'; '.join(problems[:3])}",
                remedy="Resume with the code and the recipe of that run, or start in another folder",
            )
        for notice in notices:
            print(notice, file=sys.stderr)
        return state, read_arrays(path, expected)
    if notices:
        raise InputError(
            f"No checkpoint in {folder} can be read: {' '.join(notices)}",
            remedy="Start again in another folder",
        )
    return None


def _write_record(folder: Path, name: str, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    write_arrays(folder / name, arrays)
    return {"name": name, **record_of(folder / name)}


def _read_state(folder: Path, epoch: int) -> tuple[TrainingState, Path]:
    path = folder / f"state-{epoch:04d}.json"
    content = read_signed(path)
    if content.pop("format") != FORMAT:
        raise InputError(f"{path} has an unknown format", allowed=str(FORMAT))
    arrays, best = content.pop("arrays"), content["best_file"]
    for record in filter(None, (arrays, best)):
        check_file(folder / record["name"], record)
    state = TrainingState(**{**content, "history": tuple(content["history"])})
    return state, folder / arrays["name"]


def _remove_old(folder: Path, state: TrainingState) -> None:
    """Keep the newest checkpoints and the best weights that they name, and nothing else."""
    kept = [epoch for epoch in checkpoint_epochs(folder) if epoch <= state.epoch][:_KEPT]
    names = {f"state-{epoch:04d}{suffix}" for epoch in kept for suffix in (".json", ".npz")}
    for epoch in kept:
        best = max((line["epoch"] for line in state.history[:epoch] if line["best"]), default=0)
        names.add(f"best-{best:04d}.npz")
    for path in [*folder.glob("state-*.json"), *folder.glob("state-*.npz"), *folder.glob("best-*.npz")]:
        if path.name not in names:
            with contextlib.suppress(OSError):
                os.unlink(path)
