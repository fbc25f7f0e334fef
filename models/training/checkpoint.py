"""Checkpoints of a training run: written so that a kill at any moment leaves one that can be read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.errors import InputError
from models.storage.arrays import ArraySpec, read_arrays, read_specs, write_arrays
from models.storage.atomic import remove_unfinished_files, sha256_of, write_file, write_json
from models.storage.variables import differences

FORMAT = 1
_KEPT = 2  # the newest checkpoint and the one before it


@dataclass(frozen=True)
class FileRecord:
    """Name, size in bytes and SHA-256 of a file of the run folder."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class TrainingState:
    """Everything of a run that is not an array.

    Args:
        epoch: Finished epochs.
        history: One mapping of metrics for each finished epoch.
        best_epoch: Finished epochs when the monitored value was best; None before the first one.
        best_value: The monitored value then.
        best_file: Weights of that moment.
        stopped: True when patience ran out.
    """

    epoch: int = 0
    history: tuple[dict[str, Any], ...] = ()
    best_epoch: int | None = None
    best_value: float | None = None
    best_file: FileRecord | None = None
    stopped: bool = False


@dataclass
class Loaded:
    """A checkpoint that was read, and what had to be passed over on the way."""

    state: TrainingState
    arrays: dict[str, np.ndarray]
    notices: list[str] = field(default_factory=list)


def write_best(folder: Path, epoch: int, arrays: Mapping[str, np.ndarray]) -> FileRecord:
    """Write the best weights so far under a name of their own, so that an older checkpoint keeps its own."""
    return _write_record(folder, f"best-{epoch:04d}.npz", arrays)


def save_checkpoint(folder: Path, state: TrainingState, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a checkpoint: arrays first, then the JSON that makes it valid, then remove what is too old.

    Args:
        folder: Run folder.
        state: Everything but the arrays.
        arrays: All variables of model and optimizer by name.

    Raises:
        InputError: When the folder cannot be written.
    """
    record = _write_record(folder, f"state-{state.epoch:04d}.npz", arrays)
    content = {
        "format": FORMAT,
        "epoch": state.epoch,
        "arrays": vars(record),
        "best_epoch": state.best_epoch,
        "best_value": state.best_value,
        "best_file": vars(state.best_file) if state.best_file else None,
        "stopped": state.stopped,
        "history": list(state.history),
    }
    write_json(folder / f"state-{state.epoch:04d}.json", {**content, "sha256": _digest(content)})
    _remove_old(folder, state)


def checkpoint_epochs(folder: Path) -> list[int]:
    """Return the epochs whose checkpoint was finished, newest first."""
    return sorted(
        (int(path.stem[6:]) for path in folder.glob("state-*.json") if path.stem[6:].isdigit()), reverse=True
    )


def load_checkpoint(
    folder: Path, expected_for: Callable[[Mapping[str, ArraySpec]], Mapping[str, ArraySpec]]
) -> Loaded | None:
    """Read the newest checkpoint that is whole.

    Args:
        folder: Run folder.
        expected_for: Receives the arrays that the checkpoint declares and returns those that the model
            expects (an optimizer may have to make its slots first).

    Returns:
        The checkpoint with a notice for every damaged one that was passed over; None when the run was ended
        before its first checkpoint.

    Raises:
        InputError: When no checkpoint is whole, or a whole one belongs to another network.
    """
    remove_unfinished_files(folder)
    notices: list[str] = []
    epochs = checkpoint_epochs(folder)
    for epoch in epochs:
        try:
            state, path = _read_state(folder, epoch)
            found = read_specs(path)
        except InputError as error:
            notices.append(f"The checkpoint of epoch {epoch} is damaged and was passed over: {error}")
            continue
        expected = expected_for(found)
        problems = differences(expected, found)
        if problems:
            raise InputError(
                f"The run in {folder} was made with another network: {'; '.join(problems[:3])}",
                remedy="Resume with the code and the recipe of that run, or start in another folder",
            )
        try:
            return Loaded(state, read_arrays(path, expected), notices)
        except InputError as error:
            notices.append(f"The checkpoint of epoch {epoch} is damaged and was passed over: {error}")
    if epochs:
        raise InputError(
            f"No checkpoint in {folder} can be read: {' '.join(notices)}",
            remedy="Start again in another folder",
        )
    return None


def check_record(folder: Path, record: FileRecord) -> Path:
    """Return the path of a recorded file after its size and SHA-256 were compared.

    Raises:
        InputError: When it is missing, cut short or altered.
    """
    path = folder / record.name
    if not path.is_file():
        raise InputError(f"The file {path} is missing")
    if path.stat().st_size != record.size:
        raise InputError(f"The file {path} has {path.stat().st_size} bytes instead of {record.size}")
    if sha256_of(path) != record.sha256:
        raise InputError(f"The file {path} was altered: its SHA-256 is not the recorded one")
    return path


def _write_record(folder: Path, name: str, arrays: Mapping[str, np.ndarray]) -> FileRecord:
    path = folder / name
    write_file(path, lambda file: write_arrays(file, arrays))
    return FileRecord(name, path.stat().st_size, sha256_of(path))


def _read_state(folder: Path, epoch: int) -> tuple[TrainingState, Path]:
    path = folder / f"state-{epoch:04d}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        digest = content.pop("sha256")
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no complete JSON ({error})") from error
    if digest != _digest(content):
        raise InputError(f"{path} was altered: its SHA-256 is not the recorded one")
    if content["format"] != FORMAT:
        raise InputError(f"{path} has an unknown format", allowed=str(FORMAT), received=content["format"])
    arrays = check_record(folder, FileRecord(**content["arrays"]))
    best = FileRecord(**content["best_file"]) if content["best_file"] else None
    if best is not None:
        check_record(folder, best)
    state = TrainingState(
        epoch=content["epoch"],
        history=tuple(content["history"]),
        best_epoch=content["best_epoch"],
        best_value=content["best_value"],
        best_file=best,
        stopped=content["stopped"],
    )
    return state, arrays


def _digest(content: Mapping[str, Any]) -> str:
    canonical = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _remove_old(folder: Path, state: TrainingState) -> None:
    """Keep the newest checkpoints and the best weights that they name, and nothing else."""
    kept = [epoch for epoch in checkpoint_epochs(folder) if epoch <= state.epoch][:_KEPT]
    names = {f"state-{epoch:04d}{suffix}" for epoch in kept for suffix in (".json", ".npz")}
    for epoch in kept:
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            best = json.loads((folder / f"state-{epoch:04d}.json").read_text(encoding="utf-8"))["best_file"]
            names.add(best["name"] if best else "")
    for path in [*folder.glob("state-*.json"), *folder.glob("state-*.npz"), *folder.glob("best-*.npz")]:
        if path.name not in names:
            with contextlib.suppress(OSError):
                os.unlink(path)
