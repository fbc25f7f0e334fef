"""The file formats of word vectors, word2vec text and word2vec binary, both ways.

They are those of the original C tool (Mikolov et al. 2013, code.google.com/archive/p/word2vec) and of
gensim's ``save_word2vec_format``: a header line ``<count> <dimensions>``, then one row a word. Nothing is
ever unpickled: gensim's own ``KeyedVectors.save`` writes a pickle, and reading a crafted one runs its
author's code.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from data_prep.array_files import atomic_writer
from data_prep.errors import InputError

FORMATS = ("npz", "text", "binary")
_PICKLE_SUFFIXES = (".kv", ".model", ".pkl", ".pickle", ".w2v")
_ASCII_SPACE = frozenset(" \t\n\r\x0b\x0c")
_SAMPLE = 1 << 16  # bytes looked at to tell the formats apart
_HEADER_LIMIT = 64  # bytes; two integers never need more
_KEY_LIMIT = 4096  # bytes; a longer "key" in a binary file means that the rows are out of step


def detect_format(path: Path | str) -> str:
    """Tell from the first bytes how a vectors file is written.

    Args:
        path: The file; its suffix does not matter, except that the usual suffixes of pickles are refused.

    Returns:
        ``"npz"``, ``"text"`` or ``"binary"``.

    Raises:
        InputError: The file is missing, empty, a pickle, gzip-compressed, or starts with no word2vec header.
    """
    path = Path(path)
    with _open(path) as file:
        start = file.read(_SAMPLE)
    if start.startswith(b"PK\x03\x04"):
        return "npz"
    if start.startswith(b"\x80") or path.suffix.lower() in _PICKLE_SUFFIXES:
        raise InputError(
            f"{path} is a Python pickle (the format of gensim's KeyedVectors.save)",
            allowed="word2vec text, word2vec binary or .npz",
            remedy="Reading a pickle can run foreign code, so it is refused; if you trust the file, load it "
            "in gensim, write it with save_word2vec_format(..., binary=True) and import that file",
        )
    if start.startswith(b"\x1f\x8b"):
        raise InputError(
            f"{path} is gzip-compressed", allowed="an uncompressed file", remedy="Run gunzip on it first"
        )
    _, dimensions, header_size = _header(start, path)
    row, row_end, _ = start[header_size:].partition(b"\n")
    numbers = row.rstrip().split(b" ")[1 : 1 + dimensions]
    if not row_end and len(start) == _SAMPLE:
        numbers = numbers[:-1]  # the last one may be cut
    if numbers and all(map(_is_number, numbers)):
        return "text"
    # Not a well-formed row of text: float32 bytes betray themselves by control characters, bad text does not.
    is_binary = any(byte < 32 and byte not in b"\t\n\r\x0b\x0c" for byte in start[header_size:])
    return "binary" if is_binary else "text"


def read_vectors(path: Path | str, file_format: str | None = None) -> tuple[list[str], np.ndarray]:
    """Read the keys and the vectors, float32 (words, dimensions), of a whole, well-formed file."""
    path = Path(path)
    file_format = file_format or detect_format(path)
    if file_format not in ("text", "binary"):
        raise InputError(f"{path} is no word2vec file", allowed="text or binary", received=file_format)
    read, unit, first = (_read_text, "Line", 2) if file_format == "text" else (_read_binary, "Word", 1)
    with _open(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        count, dimensions, begin = _header(data[:_HEADER_LIMIT], path)
        # A row of text has a key of one byte at least, " 0" a number and a line end, which the last may lack.
        row_size, available = (2 + 2 * dimensions, len(data) - begin + 1) if first == 2 else (
            2 + 4 * dimensions, len(data) - begin,
        )  # fmt: skip
        if count * row_size > available:  # before anything is allocated
            raise InputError(
                f"The header of {path} promises {count} words of {dimensions} dimensions, which need at least "
                f"{count * row_size} bytes, but only {available} bytes follow it",
                remedy="The file is cut short or its header is wrong; get it again",
            )
        data.seek(begin)
        vectors = np.empty((count, dimensions), np.float32)
        keys = read(data, vectors, path)
    _check_rows(path, keys, vectors, unit, first)
    vectors.setflags(write=False)
    return keys, vectors


def write_vectors(
    path: Path | str, keys: Sequence[str], vectors: np.ndarray, file_format: str, *, overwrite: bool = False
) -> None:
    """Write word2vec text or binary, byte for byte as gensim's ``save_word2vec_format`` writes them.

    Args:
        path: Where to; written under a temporary name and renamed, so that no half file is ever seen.
        keys: The words, in order.
        vectors: Float32 of shape (words, dimensions).
        file_format: ``"text"`` (shortest decimal digits that give the same float32 back) or ``"binary"``.
        overwrite: Whether an existing file may be replaced.

    Raises:
        InputError: A key holds ASCII white space, the format is unknown, or the file cannot be written.
    """
    if file_format not in ("text", "binary"):
        raise InputError("Unknown format of word vectors", allowed="text or binary", received=file_format)
    spaced = next((key for key in keys if not _ASCII_SPACE.isdisjoint(key)), None)
    if spaced is not None:
        raise InputError(
            "A key with white space cannot be written to a word2vec file",
            received=spaced,
            remedy="Replace the space, for example by an underscore, or save as npz",
        )
    with atomic_writer(path, overwrite=overwrite) as file:
        file.write(f"{len(keys)} {vectors.shape[1]}\n".encode())
        for key, row in zip(keys, vectors, strict=True):
            if file_format == "binary":
                file.write(key.encode() + b" " + row.astype("<f4").tobytes())
            else:
                file.write(f"{key} {' '.join([str(value) for value in row])}\n".encode())


def _open(path: Path) -> BinaryIO:
    """Open for reading; missing, unreadable and empty files are input errors."""
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"There is no vectors file {path}", remedy="Check the name") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror})", allowed="a file of word vectors"
        ) from error
    if os.fstat(file.fileno()).st_size == 0:
        file.close()
        raise InputError(f"The vectors file {path} is empty")
    return file


def _header(start: bytes, path: Path) -> tuple[int, int, int]:
    """Count, dimensions and size in bytes of the header line."""
    line, newline, _ = start[:_HEADER_LIMIT].partition(b"\n")
    fields = line.split()
    numbers = [int(field) for field in fields if field.isdigit()]
    if not newline or len(fields) != 2 or len(numbers) != 2 or 0 in numbers:
        raise InputError(
            f"Line 1 of {path} is no word2vec header",
            allowed="two positive whole numbers, '<words> <dimensions>'",
            received=line.decode("utf-8", "replace"),
            remedy="If the file has no header (GloVe), add that line in front",
        )
    return numbers[0], numbers[1], len(line) + 1


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _decoded(key: bytes, path: Path, where: str) -> str:
    try:
        return key.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where} of {path} starts with a key that is not UTF-8",
            received=key,
            remedy="Convert the file to UTF-8",
        ) from error


def _read_text(data: mmap.mmap, vectors: np.ndarray, path: Path) -> list[str]:
    count, dimensions = vectors.shape
    keys: list[str] = []
    for number, line in enumerate(iter(data.readline, b""), start=2):
        if len(keys) == count:
            raise InputError(
                f"{path} has more than the {count} words that its header promises: line {number}"
            )
        key, *numbers = line.rstrip().split(b" ")
        where = f"Line {number} of {path} (key {key.decode('utf-8', 'replace')!r})"
        if len(numbers) != dimensions:
            more = max(0, len(numbers) - dimensions)
            if not all(map(_is_number, numbers[:more])):
                raise _spaced(
                    f"Line {number}", path, b" ".join([key, *numbers[:more]]).decode("utf-8", "replace")
                )
            raise InputError(
                f"{where} has {len(numbers)} numbers", allowed=f"{dimensions}, as the header says"
            )
        try:
            vectors[len(keys)] = numbers
        except ValueError:
            wrong = next(number for number in numbers if not _is_number(number))
            raise InputError(
                f"{where} holds something that is not a number", received=wrong.decode("utf-8", "replace")
            ) from None
        keys.append(_decoded(key, path, f"Line {number}"))
    if len(keys) < count:
        raise InputError(f"{path} ends after {len(keys)} of the {count} words that its header promises")
    return keys


def _read_binary(data: mmap.mmap, vectors: np.ndarray, path: Path) -> list[str]:
    count, dimensions = vectors.shape
    keys: list[str] = []
    position = data.tell()
    for row in range(count):
        begin = data.find(b" ", position, position + _KEY_LIMIT) + 1
        end = begin + 4 * dimensions
        if begin == 0 or end > len(data):
            last = f"the last whole one is {keys[-1]!r}" if keys else "none is whole"
            raise InputError(
                f"{path} is cut short or damaged at word {row + 1} of {count} ({last})",
                remedy="Get the file again",
            )
        # The C tool ends each row with a newline, gensim does not.
        keys.append(_decoded(data[position : begin - 1].lstrip(b"\n"), path, f"Word {row + 1}"))
        vectors[row] = np.frombuffer(data[begin:end], dtype="<f4")
        position = end
    if data[position:].strip(b"\n"):
        raise InputError(
            f"{path} holds {len(data) - position} bytes more than the {count} words of {dimensions} "
            "dimensions that its header promises"
        )
    return keys


def _spaced(where: str, path: Path, key: str) -> InputError:
    return InputError(
        f"{where} of {path} has a key with a space in it", received=key, allowed="keys without spaces"
    )


def _check_rows(path: Path, keys: list[str], vectors: np.ndarray, unit: str, first: int) -> None:
    """Keys are unique, non-empty and free of ASCII white space; numbers are finite."""
    seen: dict[str, int] = {}
    for row, key in enumerate(keys, start=first):
        if not key:
            raise InputError(f"{unit} {row} of {path} has an empty key")
        if not _ASCII_SPACE.isdisjoint(key):
            raise _spaced(f"{unit} {row}", path, key)
        if seen.setdefault(key, row) != row:
            raise InputError(f"{unit}s {seen[key]} and {row} of {path} have the same key", received=key)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InputError(
            f"{unit} {row + first} of {path} (key {keys[row]!r}) holds NaN or infinity",
            allowed="finite numbers",
        )
