"""Named arrays in a ``.npz`` file: equal bytes for equal arrays, headers checked before memory is used."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from data_prep.array_files import read_header
from data_prep.errors import InputError

_DATE = (1980, 1, 1, 0, 0, 0)  # a fixed date: equal arrays give equal bytes
_PLAIN_KINDS = "biuf"


class ArraySpec(NamedTuple):
    """Shape and dtype name of one array."""

    shape: tuple[int, ...]
    dtype: str


def write_arrays(file: BinaryIO | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as an uncompressed ``.npz``; equal arrays give equal bytes.

    Args:
        file: Open binary file or path.
        arrays: Name to array of booleans, integers or floats, any shape.

    Raises:
        ValueError: When an array has another dtype (objects, strings, bfloat16), which would need pickle.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, values in arrays.items():
            array = np.asarray(values)
            if array.dtype.kind not in _PLAIN_KINDS:
                raise ValueError(f"Array {name!r} has dtype {array.dtype}; allowed: bool, integers, floats")
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_DATE)
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.array(array, order="C"), allow_pickle=False)


def read_specs(path: Path) -> dict[str, ArraySpec]:
    """Read only the headers of a ``.npz`` and check that every shape fits the bytes that are really there.

    Args:
        path: File written by :func:`write_arrays`, or by ``numpy.savez``.

    Returns:
        Name to shape and dtype.

    Raises:
        InputError: When the file is no ``.npz``, is cut short, is compressed, holds objects, or has a header
            whose shape does not fit its size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _specs(path, archive)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise _damaged(path, f"it cannot be read as .npz ({error})") from error


def read_arrays(
    path: Path, expected: Mapping[str, ArraySpec], *, half_precision: bool = False
) -> dict[str, np.ndarray]:
    """Read a ``.npz`` whose names, shapes and dtypes are known beforehand.

    All headers are compared before the first array is loaded, so a file that claims a huge shape costs no
    memory.

    Args:
        path: File to read.
        expected: Name to shape and dtype; nothing may be missing and nothing more may be there.
        half_precision: Accept float16 where float32 is expected, and return it as float32.

    Returns:
        Arrays in the order of ``expected``, with the expected dtype.

    Raises:
        InputError: When names, shapes or dtypes differ, the file is damaged, or a value is NaN or infinite.
    """
    found = read_specs(path)
    check_specs(path, found, expected, half_precision=half_precision)
    arrays = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name, spec in expected.items():
                with archive.open(f"{name}.npy") as member:
                    array = np.lib.format.read_array(member, allow_pickle=False)
                    member.read()  # reaching the end compares the archive's own checksum
                arrays[name] = array.astype(spec.dtype, copy=False)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise _damaged(path, f"an array cannot be read ({error})") from error
    bad = first_non_finite(arrays)
    if bad is not None:
        raise _damaged(path, f"array {bad!r} holds NaN or infinite values")
    return arrays


def check_specs(
    path: Path,
    found: Mapping[str, ArraySpec],
    expected: Mapping[str, ArraySpec],
    *,
    half_precision: bool = False,
) -> None:
    """Compare the arrays that a file declares with those that are expected.

    Raises:
        InputError: Names the first missing, surplus or differing array.
    """
    for name in expected:
        if name not in found:
            raise _damaged(path, f"array {name!r} is missing")
    for name in found:
        if name not in expected:
            raise _damaged(path, f"array {name!r} is not expected")
    for name, spec in expected.items():
        shape, dtype = found[name]
        if shape != spec.shape:
            raise _damaged(path, f"array {name!r} has shape {shape} instead of {spec.shape}")
        halved = half_precision and (dtype, spec.dtype) == ("float16", "float32")
        if dtype != spec.dtype and not halved:
            raise _damaged(path, f"array {name!r} has dtype {dtype} instead of {spec.dtype}")


def first_non_finite(arrays: Mapping[str, np.ndarray]) -> str | None:
    """Return the name of the first array that holds NaN or infinity, or None."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return name
    return None


def specs_of(arrays: Mapping[str, np.ndarray]) -> dict[str, ArraySpec]:
    """Return shape and dtype of every array."""
    return {name: ArraySpec(tuple(array.shape), array.dtype.name) for name, array in arrays.items()}


def half_precision(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Round float32 arrays to float16 and back, as a preset stores them; others stay as they are.

    Args:
        arrays: Name to array.

    Returns:
        Name to array of the same shape and dtype. A number that is too large for float16 becomes infinite.
    """
    with np.errstate(over="ignore"):
        return {
            name: array.astype(np.float16).astype(np.float32) if array.dtype == np.float32 else array
            for name, array in arrays.items()
        }


def _specs(path: Path, archive: zipfile.ZipFile) -> dict[str, ArraySpec]:
    specs: dict[str, ArraySpec] = {}
    total = path.stat().st_size
    for entry in archive.infolist():
        name = entry.filename.removesuffix(".npy")
        if name == entry.filename:
            raise _damaged(path, f"member {entry.filename!r} is not an array")
        if name in specs:
            raise _damaged(path, f"array {name!r} is there twice")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > total:
            raise _damaged(path, f"array {name!r} is compressed or larger than the file")
        specs[name] = _header(path, archive, entry, name)
    return specs


def _header(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> ArraySpec:
    shape, dtype, start = read_header(archive, entry)
    if dtype.kind not in _PLAIN_KINDS or not dtype.isnative:
        raise _damaged(path, f"array {name!r} has dtype {dtype}, which is not read")
    size = dtype.itemsize * math.prod(shape)  # Python integers: no overflow
    if min(shape, default=0) < 0 or size != entry.file_size - start:
        raise _damaged(path, f"array {name!r} claims shape {shape}, which does not fit its size")
    return ArraySpec(tuple(int(length) for length in shape), dtype.name)


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path} is not usable: {what}", remedy="Restore the file or make it again")
