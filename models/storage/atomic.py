"""Crash-safe writing: a reader sees the old file or folder, or the complete new one, never a part of it."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from data_prep.array_files import UNFINISHED, atomic_writer
from data_prep.errors import InputError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_TEMPORARY = ".writing-"
_CHUNK = 1 << 20


@contextlib.contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn every OSError inside the block into an InputError that names ``path``.

    Args:
        path: File or folder that is being written.

    Raises:
        InputError: When the operating system refuses a write (no permission, disk full, not a folder).
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"Cannot write {path}: {reason}",
            remedy="Choose a folder that you may write to and that has enough free space",
        ) from error


def fsync_folder(folder: Path) -> None:
    """Make the names inside ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file under a temporary name, make it durable, then rename it.

    Args:
        path: Final name; its folder is made if it does not exist.
        write: Receives the open binary file and writes all of it.

    Raises:
        InputError: When the folder cannot be written.
    """
    with atomic_writer(path, overwrite=True) as file:
        write(file)
    fsync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` as :func:`write_file` does."""
    write_file(path, lambda file: file.write(data) and None)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as readable JSON to ``path``; NaN and infinity are refused with a ValueError."""
    write_bytes(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """Return ``value`` as indented UTF-8 JSON that ends in a newline."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def remove_unfinished_files(folder: Path) -> None:
    """Remove the temporary files that killed :func:`write_file` calls left in ``folder``."""
    for path in folder.glob(f".*{UNFINISHED}"):
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Give a new empty folder next to ``target`` that takes its place when the block ends without an error.

    The files in it are made durable before the swap. On Linux the swap is one atomic exchange, so that
    ``target`` exists at every moment; elsewhere it is two renames, and an interrupted pair is put right by
    the next call.

    Args:
        target: Folder to create or replace.

    Yields:
        The folder to fill.

    Raises:
        InputError: When the folder cannot be written.
    """
    with writing_to(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _recover(target)
        staging = target.with_name(f"{_staging_prefix(target)}{os.getpid()}-{secrets.token_hex(4)}")
        staging.mkdir()
    try:
        yield staging
        with writing_to(target):
            _make_durable(staging)
            _swap(staging, target)
            fsync_folder(target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _staging_prefix(target: Path) -> str:
    return f".{target.name}{_TEMPORARY}"


def _previous_name(target: Path) -> Path:
    return target.parent / f".{target.name}.previous"


def _recover(target: Path) -> None:
    """Undo what a killed process left: half of a two-rename swap, and staging folders of dead processes."""
    previous = _previous_name(target)
    if previous.exists():
        if target.exists():
            shutil.rmtree(previous)
        else:
            os.rename(previous, target)
    prefix = _staging_prefix(target)
    for path in target.parent.glob(f"{prefix}*"):
        owner = path.name[len(prefix) :].split("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(path, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _make_durable(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    fsync_folder(folder)


def _swap(staging: Path, target: Path) -> None:
    if not target.exists():
        os.rename(staging, target)
        return
    if _exchange(staging, target):
        return  # the old content is now under the staging name, which the caller removes
    previous = _previous_name(target)
    os.rename(target, previous)
    try:
        os.rename(staging, target)
    except OSError:
        os.rename(previous, target)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two names in one step (Linux ``renameat2``); False where that does not exist."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return rename(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0
