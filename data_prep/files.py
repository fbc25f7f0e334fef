"""Files that are written whole or not at all, their checksums, the files of a folder, and data beside modules."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from data_prep.errors import InputError

UNFINISHED = ".part"  # how the names of files end that are being written


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn every OSError inside the block into an InputError that names the file or folder being written."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"Cannot write {path}: {error.strerror or error}",
            remedy="Choose a folder that you may write to and that has enough free space",
        ) from error


def named(path: Path) -> Path:
    """Return a path that has a name of its own, with a folder that it lies in; refuse ``.``, ``..`` and ``/``."""
    if path.name in ("", ".."):
        raise InputError(f"{path} is no name of its own", remedy="Give a name, such as runs/mine")
    return path


@contextmanager
def atomic_writer(path: Path | str, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its name, durably, once everything is written.

    Raises:
        InputError: ``path`` exists and may not be replaced, or the folder or the disk refuses.
    """
    path = named(Path(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{UNFINISHED}")
    try:
        with writing_to(path):
            if path.is_dir():
                raise InputError(f"{path} is a folder", allowed="the name of a file")
            if path.exists() and not overwrite:
                raise InputError(
                    f"{path} exists already", remedy="Choose another name or allow overwriting (--force)"
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            make_durable(path.parent)
    finally:
        with suppress(OSError):  # after the rename there is nothing left to remove
            temporary.unlink()


def abandoned(folder: Path, pattern: str) -> Iterator[Path]:
    """Give what processes were writing in a folder that are dead by now; their number is the last in its name."""
    for path in folder.glob(pattern):
        owner = re.search(rf"(\d+)-\w+({re.escape(UNFINISHED)})?$", path.name)
        if owner and not _alive(int(owner[1])):
            yield path


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        pass
    return True


def make_durable(path: Path) -> None:
    """Bring a file, or the names inside a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file as :func:`atomic_writer` does, in place of one that is there."""
    with atomic_writer(path, overwrite=True) as file:
        file.write(data)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as readable JSON; NaN and infinity are refused with a ValueError."""
    write_bytes(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """Return ``value`` as indented UTF-8 JSON that ends in a newline."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def visible_files(folder: Path, suffixes: Sequence[str], kind: str) -> list[Path]:
    """List the files of a folder and its sub-folders, sorted; names that begin with a dot are passed over.

    Raises:
        InputError: A file has another suffix.
    """
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    other = next((path for path in files if path.suffix.lower() not in suffixes), None)
    if other is not None:
        raise InputError(f"{other} is no {kind}", allowed="files " + ", ".join(suffixes))
    return files


def toml_beside(file: str, name: str | None = None) -> dict[str, Any]:
    """Read the data of a module (its ``__file__``): the ``.toml`` file of its name, or one beside it of another."""
    path = Path(file).with_suffix(".toml") if name is None else Path(file).with_name(name)
    return tomllib.loads(path.read_text(encoding="utf-8"))
