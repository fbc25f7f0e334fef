"""Array files that are safe to read from strangers and that are never left half-written."""

from __future__ import annotations

import math
import os
import secrets
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from data_prep.errors import InputError

UNFINISHED = ".part"  # how the names of files end that are being written
_EXPANSION_LIMIT = 100  # real arrays hardly compress, so an archive that grows more than this is a bomb
_DAMAGE = (zipfile.BadZipFile, zlib.error, SyntaxError)  # what a flipped byte can raise besides ValueError
_EXPANSION_FREE = 1 << 20  # bytes that any archive may unpack to
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_arrays(path: Path | str) -> dict[str, np.ndarray]:
    """Read the arrays of an ``.npz`` file without pickle and without trusting its sizes.

    Args:
        path: The archive.

    Returns:
        Name to array.

    Raises:
        InputError: The file is missing, no archive, damaged, holds Python objects, or would unpack to over a
            hundred times its own size.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            if unpacked > max(_EXPANSION_FREE, _EXPANSION_LIMIT * size):
                raise InputError(
                    f"{path} would unpack to {unpacked} bytes",
                    allowed=f"at most {_EXPANSION_LIMIT} times its own size",
                    received=size,
                )
            for member in members:
                _check_declared_size(archive, member, path)
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}", remedy="Check the name") from error
    except InputError:
        raise
    except (ValueError, KeyError, OSError, EOFError, NotImplementedError, RuntimeError, *_DAMAGE) as error:
        raise InputError(
            f"{path} is damaged or no .npz file of plain arrays ({error})",
            remedy="Export or download it again",
        ) from error


def write_arrays(path: Path | str, arrays: Mapping[str, np.ndarray], *, overwrite: bool = False) -> None:
    """Write arrays to an ``.npz`` file under exactly this name, whole or not at all.

    Args:
        path: Where to.
        arrays: Name to array; no Python objects.
        overwrite: Whether an existing file may be replaced.

    Raises:
        InputError: The file exists and may not be replaced, or cannot be written.
    """
    with atomic_writer(path, overwrite=overwrite) as file:
        np.savez(file, allow_pickle=False, **arrays)


@contextmanager
def atomic_writer(path: Path | str, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Open a temporary file beside ``path`` that takes its name once everything is written.

    Args:
        path: The final name; its folder is made if it does not exist.
        overwrite: Whether an existing file may be replaced.

    Yields:
        The file, open for writing bytes.

    Raises:
        InputError: ``path`` exists and may not be replaced, or the folder or the disk refuses.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{UNFINISHED}")
    try:
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
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error})",
            remedy="Choose a folder that you may write to",
        ) from error
    finally:
        with suppress(OSError):  # after the rename there is nothing left to remove
            temporary.unlink()


def read_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype, int]:
    """Read shape and dtype of an array in an archive, and where its numbers begin.

    Raises:
        ValueError: It is no array, or of an unknown version.
    """
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in _HEADERS:
            raise ValueError(f"unknown array version {version} of {member.filename}")
        shape, _, dtype = _HEADERS[version](file)
        return shape, dtype, file.tell()


def _check_declared_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """An array header that promises more than its member holds makes NumPy allocate it all before failing."""
    shape, dtype, _ = read_header(archive, member)
    declared = math.prod(shape) * dtype.itemsize
    if declared > member.file_size:
        raise InputError(
            f"The array {member.filename} in {path} declares {declared} bytes but holds {member.file_size}",
            remedy="Export or download it again",
        )
