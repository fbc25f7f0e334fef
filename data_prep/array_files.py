"""Named arrays in ``.npz`` files: equal bytes for equal arrays, read without pickle and without trusting sizes."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.files import atomic_writer

_DATE = (1980, 1, 1, 0, 0, 0)  # a fixed date: equal arrays give equal bytes
_PLAIN_KINDS = "biuf"
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of the others zipfile unpacks without a limit
_MOST_PROBLEMS = 3  # that a message lists
_PACKED = 100  # real arrays hardly compress, so an archive that grows more than this is a bomb
_PACKED_FREE = 1 << 20  # bytes that any packed archive may unpack to
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_DAMAGE = (  # what a flipped byte can raise
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError),
    *(SyntaxError, NotImplementedError, RuntimeError),
)


class ArraySpec(NamedTuple):
    """Shape and dtype name of one array."""

    shape: tuple[int, ...]
    dtype: str


def write_arrays(path: Path | str, arrays: Mapping[str, np.ndarray], *, overwrite: bool = True) -> None:
    """Write arrays of booleans, integers or floats to an uncompressed ``.npz`` file, whole or not at all.

    Raises:
        ValueError: When an array has another dtype (objects, strings, bfloat16), which would need pickle.
        InputError: The file exists and may not be replaced, or cannot be written.
    """
    with atomic_writer(path, overwrite=overwrite) as file, zipfile.ZipFile(file, "w") as archive:
        for name, values in arrays.items():
            array = np.asarray(values)
            if array.dtype.kind not in _PLAIN_KINDS:
                raise ValueError(f"Array {name!r} has dtype {array.dtype}; allowed: bool, integers, floats")
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_DATE)
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.array(array, order="C"), allow_pickle=False)


def read_specs(path: Path | str, *, packed: bool = False) -> dict[str, ArraySpec]:
    """Read only the headers of a ``.npz`` and check that every shape fits the bytes that are really there.

    ``packed`` says whether the file may be compressed, to a hundredth of its size.

    Raises:
        InputError: When the file is missing, no ``.npz``, is cut short, would unpack to more than it may, holds
            objects, or has a header whose shape does not fit its size.
    """
    specs: dict[str, ArraySpec] = {}
    with _reading(path) as archive:
        if any(entry.compress_type not in PACKINGS for entry in archive.infolist()):
            raise _damaged(path, "it is packed in another way")
        size, unpacked = Path(path).stat().st_size, sum(entry.file_size for entry in archive.infolist())
        most = max(_PACKED * size, _PACKED_FREE) if packed else size
        if unpacked > most:
            raise _damaged(path, f"it would unpack to {unpacked} bytes, not to at most {most}")
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            if name == entry.filename or name in specs:
                raise _damaged(path, f"member {entry.filename!r} is not an array, or is there twice")
            specs[name] = _header(path, archive, entry, name)
    return specs


def read_arrays(
    path: Path | str, expected: Mapping[str, ArraySpec] | None = None, *, half_precision: bool = False
) -> dict[str, np.ndarray]:
    """Read a ``.npz``; all headers are compared before the first array is loaded.

    Args:
        path: File to read.
        expected: Name to shape and dtype; nothing may be missing and nothing more may be there. None takes what
            there is, also from a compressed file.
        half_precision: Accept float16 where float32 is expected, and return it as float32.

    Returns:
        Arrays in the order of ``expected``, with the expected dtype.

    Raises:
        InputError: When names, shapes or dtypes differ, the file is missing or damaged, or a value is NaN or infinite.
    """
    found = read_specs(path, packed=expected is None)
    expected = found if expected is None else expected
    if half_precision:
        found = {
            n: spec._replace(dtype=spec.dtype.replace("float16", "float32")) for n, spec in found.items()
        }
    check_specs(path, found, expected)
    arrays = {}
    with _reading(path) as archive:
        for name, spec in expected.items():
            with archive.open(f"{name}.npy") as member:
                array = np.lib.format.read_array(member, allow_pickle=False)
                member.read()  # reaching the end compares the archive's own checksum
            arrays[name] = array.astype(spec.dtype, copy=False)
    if (bad := first_non_finite(arrays)) is not None:
        raise _damaged(path, f"array {bad!r} holds NaN or infinite values")
    return arrays


def check_specs(path: Path | str, found: Mapping[str, ArraySpec], expected: Mapping[str, ArraySpec]) -> None:
    """Refuse a file whose arrays are not those that are expected; the InputError names the first ones that differ."""
    if problems := differences(expected, found):
        raise _damaged(path, "; ".join(problems[:_MOST_PROBLEMS]))


def differences(expected: Mapping[str, ArraySpec], found: Mapping[str, ArraySpec]) -> list[str]:
    """Describe in words how two sets of array specs differ; empty when they agree."""
    missing = [f"{name!r} is missing" for name in expected if name not in found]
    surplus = [f"{name!r} is not expected" for name in found if name not in expected]
    changed = [
        f"{name!r} is {_words(found[name])} instead of {_words(spec)}"
        for name, spec in expected.items()
        if name in found and found[name] != spec
    ]
    return missing + surplus + changed


def _words(spec: ArraySpec) -> str:
    return f"{spec.dtype}{list(spec.shape)}"


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
    """Round float32 arrays to float16 and back, as a preset stores them; what is too large becomes infinite."""
    with np.errstate(over="ignore"):
        return {
            name: array.astype(np.float16).astype(np.float32) if array.dtype == np.float32 else array
            for name, array in arrays.items()
        }


def _header(path: Path | str, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> ArraySpec:
    """Read shape and dtype of one array: a header that promises more than there is would make NumPy allocate it."""
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version not in _HEADERS:
            raise ValueError(f"unknown array version {version} of {name}")
        shape, _, dtype = _HEADERS[version](file)
        start = file.tell()
    if dtype.kind not in _PLAIN_KINDS or not dtype.isnative:
        raise _damaged(path, f"array {name!r} has dtype {dtype}, which is not read")
    size = dtype.itemsize * math.prod(shape)  # Python integers: no overflow
    if min(shape, default=0) < 0 or size != entry.file_size - start:
        raise _damaged(path, f"array {name!r} claims shape {shape}, which does not fit its size")
    return ArraySpec(tuple(int(length) for length in shape), dtype.name)


@contextmanager
def _reading(path: Path | str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}", remedy="Check the name") from error
    except InputError:
        raise
    except _DAMAGE as error:
        raise _damaged(path, f"it is damaged or no .npz file of plain arrays ({error})") from error


def _damaged(path: Path | str, what: str) -> InputError:
    return InputError(f"{path} is not usable: {what}", remedy="Restore the file, download or make it again")
