"""Folders of files: replaced in one step, and recorded with sizes and checksums in JSON that is signed.

A reader sees the old folder or the complete new one, never a part of it.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from data_prep.files import abandoned, make_durable, named, sha256_of, write_json, writing_to

REMEDY = "Restore the files, or make them again"

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Give a new empty folder next to ``target`` that takes its place when the block ends without an error.

    Its files have to be written by ``data_prep.files``, which makes them durable. On Linux the swap is one atomic
    exchange, so that ``target`` exists at every moment; elsewhere it is two renames, and an interrupted pair is put
    right by the next call.

    Raises:
        InputError: When the folder cannot be written.
    """
    named(target)
    with writing_to(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _recover(target)
        staging = target.with_name(f".{target.name}.writing-{os.getpid()}-{secrets.token_hex(4)}")
        staging.mkdir()
    try:
        yield staging
        with writing_to(target):
            _swap(staging, target)
            make_durable(target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _previous_name(target: Path) -> Path:
    return target.with_name(f".{target.name}.previous")


def _recover(target: Path) -> None:
    """Undo what a killed process left: half of a two-rename swap, and staging folders of dead processes."""
    previous = _previous_name(target)
    if previous.exists():
        if target.exists():
            shutil.rmtree(previous)
        else:
            os.rename(previous, target)
    for path in abandoned(target.parent, f".{target.name}.writing-*"):
        shutil.rmtree(path, ignore_errors=True)


def _swap(staging: Path, target: Path) -> None:
    if target.exists():
        if _exchange(staging, target):
            return  # the old content is now under the staging name, which the caller removes
        os.rename(target, _previous_name(target))
    try:
        os.rename(staging, target)
    finally:
        _recover(target)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step (Linux ``renameat2``); False where that does not exist."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return rename(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0


def write_signed(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON with a checksum of itself under ``sha256``."""
    write_json(path, {**content, "sha256": _digest(content)})


def read_signed(path: Path) -> dict[str, Any]:
    """Read what :func:`write_signed` wrote, without the checksum.

    Raises:
        InputError: The file is missing, no complete JSON object, or altered.
    """
    if not path.is_file():
        raise InputError(f"The file {path} is missing", remedy=REMEDY)
    try:
        content = json.loads(path.read_bytes().decode("utf-8"))
        digest = content.pop("sha256")
    except (OSError, ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise InputError(f"The file {path} is no complete JSON ({error!r})", remedy=REMEDY) from error
    if digest != _digest(content):
        raise InputError(f"The file {path} was altered: its SHA-256 is not the recorded one", remedy=REMEDY)
    return content


def record_of(path: Path) -> dict[str, Any]:
    """Return size and SHA-256 of a file."""
    return {"size": path.stat().st_size, "sha256": sha256_of(path)}


def check_file(path: Path, record: Mapping[str, Any]) -> Path:
    """Return the path of a recorded file after its size and SHA-256 were compared.

    Raises:
        InputError: It is missing, cut short or altered.
    """
    if not path.is_file():
        raise InputError(f"The file {path} is missing", remedy=REMEDY)
    if (size := path.stat().st_size) != record["size"]:
        raise InputError(f"The file {path} has {size} bytes instead of {record['size']}", remedy=REMEDY)
    if sha256_of(path) != record["sha256"]:
        raise InputError(f"The file {path} was altered: its SHA-256 is not the recorded one", remedy=REMEDY)
    return path


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()
