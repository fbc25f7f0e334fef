"""A folder that takes another one's place in one step: a reader sees the old one or the complete new one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from data_prep.files import make_durable, writing_to

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextlib.contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Give a new empty folder next to ``target`` that takes its place when the block ends without an error.

    Its files have to be written by ``data_prep.files``, which makes them durable. On Linux the swap is one atomic
    exchange, so that ``target`` exists at every moment; elsewhere it is two renames, and an interrupted pair is put
    right by the next call.

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
    prefix = f".{target.name}.writing-"
    for path in target.parent.glob(f"{prefix}*"):
        owner = path.name.removeprefix(prefix).split("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(path, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        pass
    return True


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
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return rename(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0
