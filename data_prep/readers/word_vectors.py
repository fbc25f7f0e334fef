"""The file formats of word vectors, word2vec text and word2vec binary, both ways.

They are those of the original C tool (Mikolov et al. 2013, code.google.com/archive/p/word2vec) and of
gensim's ``save_word2vec_format``: a header line ``<count> <dimensions>``, then one row a word. Nothing is
ever unpickled: gensim's own ``KeyedVectors.save`` writes a pickle, and reading a crafted one runs its
author's code.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from data_prep.errors import InputError
from data_prep.files import atomic_writer

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


def read_vectors(path: Path | str, file_format: str) -> tuple[list[str], np.ndarray]:
    """Read the keys and the vectors, float32 (words, dimensions), of a whole, well-formed text or binary file."""
    path = Path(path)
    rows, unit, first, number_size = _FORMS[file_format]
    keys: dict[str, int] = {}
    with _open(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        count, dimensions, begin = _header(data[:_HEADER_LIMIT], path)
        # A row has a key of one byte at least, a space and a line end, which the last may lack.
        needed, available = count * (2 + number_size * dimensions), len(data) - begin + 1
        if needed > available:  # before anything is allocated
            raise InputError(
                f"The header of {path} promises {count} words of {dimensions} dimensions, which need at least "
                f"{needed} bytes, but only {available} bytes follow it",
                remedy="The file is cut short or its header is wrong; get it again",
            )
        data.seek(begin)
        vectors = np.empty((count, dimensions), np.float32)
        for row, (raw, numbers) in enumerate(rows(data, dimensions)):
            if row == count:
                raise InputError(f"{path} holds more than the {count} words that its header promises")
            if not raw and len(numbers) == 0:
                break
            place = f"{unit} {row + first} of {path}"
            key = _key(raw, place)
            if (before := keys.setdefault(key, row)) != row:
                places = f"{unit}s {before + first} and {row + first} of {path}"
                raise InputError(f"{places} have the same key", received=key)
            _fill(vectors[row], key, numbers, place)
    if len(keys) < count:
        last = f"the last whole one is {next(reversed(keys))!r}" if keys else "none is whole"
        raise InputError(
            f"{path} is cut short or damaged: it ends after {len(keys)} of the {count} words that its header "
            f"promises ({last})",
            remedy="Get the file again",
        )
    vectors.setflags(write=False)
    return list(keys), vectors


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
        InputError: A key holds ASCII white space, or the file cannot be written.
    """
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


def _text_rows(data: mmap.mmap, dimensions: int) -> Iterator[tuple[bytes, Sequence[Any]]]:
    for line in iter(data.readline, b""):
        key, *numbers = line.rstrip().split(b" ")
        yield key, numbers


def _binary_rows(data: mmap.mmap, dimensions: int) -> Iterator[tuple[bytes, Sequence[Any]]]:
    """Yield keys and numbers; nothing at all for bytes at the end that are no whole row."""
    position = data.tell()
    while begin := data.find(b" ", position, position + _KEY_LIMIT) + 1:
        end = begin + 4 * dimensions
        if end > len(data):
            break
        # The C tool ends each row with a newline, gensim does not.
        yield data[position : begin - 1].lstrip(b"\n"), np.frombuffer(data[begin:end], "<f4")
        position = end
    if data[position:].strip(b"\n"):
        yield b"", ()


# Rows of a format, what a row is called, the number of the first one, and the fewest bytes of a number in it.
_FORMS = {"text": (_text_rows, "Line", 2, 2), "binary": (_binary_rows, "Word", 1, 4)}


def _key(raw: bytes, place: str) -> str:
    """Decode a key, which is not empty and free of ASCII white space."""
    if not raw:
        raise InputError(f"{place} has an empty key")
    try:
        key = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{place} starts with a key that is not UTF-8", received=raw, remedy="Convert the file to UTF-8"
        ) from error
    if not _ASCII_SPACE.isdisjoint(key):
        raise _spaced(place, key)
    return key


def _fill(vector: np.ndarray, key: str, numbers: Sequence[Any], place: str) -> None:
    """Write the numbers of a row, of which there are as many as the header says, all finite."""
    named = f"{place} (key {key!r})"
    if len(numbers) != len(vector):
        surplus = numbers[: max(0, len(numbers) - len(vector))]
        if not all(map(_is_number, surplus)):
            raise _spaced(place, b" ".join([key.encode(), *surplus]).decode("utf-8", "replace"))
        raise InputError(f"{named} has {len(numbers)} numbers", allowed=f"{len(vector)}, as the header says")
    try:
        vector[:] = numbers
    except ValueError:
        wrong = next(number for number in numbers if not _is_number(number)).decode("utf-8", "replace")
        raise InputError(f"{named} holds something that is not a number", received=wrong) from None
    if not np.isfinite(vector).all():
        raise InputError(f"{named} holds NaN or infinity", allowed="finite numbers")


def _spaced(place: str, key: str) -> InputError:
    return InputError(f"{place} has a key with a space in it", received=key, allowed="keys without spaces")
