"""The folder of a training run: one recipe, one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import importlib.metadata
import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from data_prep.files import UNFINISHED, abandoned, json_bytes, write_bytes, write_json, writing_to
from models.training.checkpoint import checkpoint_epochs
from models.training.recipe import differing

_PLACED = "preset"  # the file of a run that names the preset that is being put in place
_ENGINE_PACKAGES = {"tensorflow": "tensorflow", "jax": "jaxlib", "torch": "torch"}


def run_folder_of(out: Path, resume: bool = False, folder: Path | None = None) -> Path:
    """Say where the run of a preset lies, ``OUT.run`` if not given, and remove what killed ones left beside it.

    Raises:
        InputError: When something is there already, unless it is the preset of a run that is gone on with: one that was
            killed after it had put its preset in place, and before all was written that belongs to it.
    """
    folder = out.parent / f"{out.name}.run" if folder is None else folder
    shutil.rmtree(_removed_name(folder), ignore_errors=True)
    for path in abandoned(out.parent, f".{glob.escape(out.name)}.*{UNFINISHED}"):
        path.unlink(missing_ok=True)
    placed = folder / _PLACED
    written = resume and placed.is_file() and placed.read_text(encoding="utf-8") == out.name
    if not written:
        refuse_existing(out)
    return folder


def refuse_existing(out: Path) -> None:
    """Refuse a folder to write to that is there and not empty."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists already", remedy="Choose another folder")


def begin_preset(folder: Path, out: Path) -> None:
    """Note in a run which preset is put in place from now on, so that it may be replaced after a kill."""
    write_bytes(folder / _PLACED, out.name.encode())


def remove_run(folder: Path) -> None:
    """Remove a run whose preset is written; a kill leaves all of it or nothing that could be gone on with."""
    with contextlib.suppress(OSError):
        folder.rename(_removed_name(folder))
    shutil.rmtree(_removed_name(folder), ignore_errors=True)


def _removed_name(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.removed")


def begin_run(folder: Path, content: dict[str, Any], resume: bool) -> None:
    """Print and save the recipe, or compare it with that of the run that is there, and say where versions differ.

    Raises:
        InputError: When a run is there and ``resume`` is False, or its recipe cannot be read or differs.
    """
    print(json_bytes(content["recipe"]).decode(), end="", file=sys.stderr, flush=True)
    path = folder / "recipe.json"
    begun = path.exists() or bool(checkpoint_epochs(folder))
    if not begun:
        if resume:
            print(f"Nothing was begun in {folder}: starting with epoch 1", file=sys.stderr, flush=True)
        write_json(path, {**content, "versions": engine_versions()})
        return
    if not resume:
        raise InputError(
            f"The folder {folder} already holds a run", remedy="Go on with --resume, or choose another folder"
        )
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        before = {"recipe": saved["recipe"], "fit": saved["fit"]}
        versions = saved["versions"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The recipe of the run, {path}, cannot be read ({error})", remedy="Start again in another folder"
        ) from error
    if changes := differing(before, content):
        raise InputError(
            f"The recipe differs from that of the run in {folder}: {', '.join(changes)}",
            remedy="Resume with the same recipe, or start in another folder",
        )
    for name, now in engine_versions().items():
        if versions.get(name) != now:
            notice = f"The run was begun with {name} {versions.get(name)}, this is {now}: bits may differ"
            print(notice, file=sys.stderr, flush=True)


def engine_versions() -> dict[str, str]:
    """Return the versions of what computes: Python, NumPy and, where it was loaded, Keras and its backend."""
    packages = ["numpy"]
    if (keras := sys.modules.get("keras")) is not None:  # never loaded for this: it takes seconds
        packages = ["keras", "numpy", _ENGINE_PACKAGES.get(keras.backend.backend(), "keras")]
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Refuse a second process in the same run folder; the lock goes with the process."""
    with writing_to(folder):
        file = (folder / ".lock").open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"Another process is training in {folder}", remedy="Wait for it, or choose another folder"
            ) from error
        yield


def processor() -> str:
    """Return the processor's name and its number of cores."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()}, {os.cpu_count()} cores"
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
