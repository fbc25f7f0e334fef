"""Plain text as lines: a file or a folder, plain or gzip, strict UTF-8, any size in bounded memory.

A line ends at LF or CR LF. A line longer than ``max_characters`` (text8 is one line of 100 MB) comes in
pieces that end behind white space; put together they are the line again.
"""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from data_prep.errors import InputError

MAX_CHARACTERS = 1 << 16

_BLOCK_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_SUFFIXES = (".txt", ".gz")
_SPACES = " \t\v\f\r\x85\xa0\u2028\u2029\u3000"
_OTHER_BOMS = {codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_CONVERT = "Convert it, for example with: iconv -f ENCODING -t UTF-8 FILE"

Progress = Callable[[int], object]


def iter_lines(path: str | Path, max_characters: int = MAX_CHARACTERS) -> Iterator[str]:
    """Read the lines of a file or folder; see ``TextCorpus``."""
    return TextCorpus(path, max_characters).lines()


class TextCorpus:
    """The lines of a text file, or of all ``.txt`` and ``.gz`` files of a folder in sorted order.

    Args:
        path: A file of any name, plain or gzip (told by its first bytes), or a folder, searched through
            recursively.
        max_characters: Longer lines come in pieces of at most so many characters, cut behind the last white
            space, or exactly there where a piece has none.

    Raises:
        InputError: If the path is missing, is a folder without text files, or all its files hold no byte.
    """

    def __init__(self, path: str | Path, max_characters: int = MAX_CHARACTERS) -> None:
        if max_characters < 1:
            raise InputError("max_characters is too small", allowed="1 or more", received=max_characters)
        self.path = Path(path)
        self.max_characters = max_characters
        self.files: tuple[Path, ...] = _text_files(self.path)
        self._sizes = tuple(file.stat().st_size for file in self.files)
        self.total_bytes: int = sum(self._sizes)
        if self.total_bytes == 0:
            raise InputError("The text is empty", allowed="a file or folder with text", received=str(path))

    def lines(self, progress: Progress | None = None) -> Iterator[str]:
        """Read the lines in order, without their line ends.

        Args:
            progress: Called after every block with the bytes read so far, as on disk (compressed ones of a
                gzip file); the last call is ``total_bytes``.

        Yields:
            Lines, empty ones too.

        Raises:
            InputError: If a file is not UTF-8, has NUL bytes, is a damaged gzip file or cannot be read (named
                with byte and line), or if there is nothing but white space.
        """
        for block in self.blocks(progress):
            yield from block

    def blocks(self, progress: Progress | None = None) -> Iterator[list[str]]:
        """Read the lines in lists of about a megabyte; as ``lines``, with less work a line."""
        done, has_text = 0, False
        for file, size in zip(self.files, self._sizes, strict=True):
            for block, consumed in _file_blocks(file, self.max_characters):
                has_text = has_text or any(line and not line.isspace() for line in block)
                yield block
                if progress is not None:
                    progress(done + min(consumed, size))
            done += size
            if progress is not None:
                progress(done)
        if not has_text:
            raise InputError(
                "The text has nothing but white space",
                allowed="a file or folder with text",
                received=str(self.path),
            )


def _text_files(path: Path) -> tuple[Path, ...]:
    try:
        if path.is_dir():
            found = [file for file in path.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file()]
            files = tuple(sorted(found, key=lambda file: file.relative_to(path).parts))
            if not files:
                raise InputError("The folder has no text files", allowed="*.txt or *.gz", received=str(path))
            return files
        if path.is_file():
            return (path,)
    except OSError as error:
        raise InputError(f"The text cannot be read ({error.strerror})", received=str(path)) from error
    raise InputError("There is no such file or folder", allowed="a text file or a folder", received=str(path))


def _file_blocks(file: Path, max_characters: int) -> Iterator[tuple[list[str], int]]:
    """Give the lines of one file in lists, each with the bytes of the file that were consumed up to then."""
    decoder = _Decoder(file)
    rest = ""
    for data, consumed in _data_blocks(file):
        # A CR at the end of a block may belong to an LF at the start of the next one; both stay in the rest.
        *lines, rest = (rest + decoder.decode(data)).split("\n")
        block = [piece for line in lines for piece in _pieces(line.removesuffix("\r"), max_characters)]
        if len(rest) > 2 * max_characters:
            held = "\r" if rest.endswith("\r") else ""
            *pieces, rest = _pieces(rest.removesuffix("\r"), max_characters)
            rest += held
            block.extend(pieces)
        if block:
            yield block, consumed
    rest += decoder.decode(b"", final=True)
    if rest:
        yield list(_pieces(rest.removesuffix("\r"), max_characters)), decoder.consumed


def _pieces(line: str, max_characters: int) -> Iterator[str]:
    start = 0
    while len(line) - start > max_characters:
        limit = start + max_characters
        end = max(line.rfind(space, start, limit) for space in _SPACES) + 1
        end = end if end > start else limit
        yield line[start:end]
        start = end
    yield line[start:] if start else line


def _data_blocks(file: Path) -> Iterator[tuple[bytes, int]]:
    """Give the unpacked bytes of a file, each block with the position in the file on disk."""
    try:
        with file.open("rb") as raw:
            is_packed = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            raw.seek(0)
            stream: BinaryIO = gzip.GzipFile(fileobj=raw) if is_packed else raw  # type: ignore[assignment]
            while data := stream.read(_BLOCK_BYTES):
                yield data, raw.tell()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"The gzip file {os.fspath(file)} is damaged or cut short ({error})", remedy="Get it again"
        ) from error
    except OSError as error:
        raise InputError(f"The file cannot be read ({error.strerror})", received=str(file)) from error


class _Decoder:
    """Strict UTF-8 that says where it fails."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.consumed = 0
        self._lines = 1
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def decode(self, data: bytes, final: bool = False) -> str:
        if self.consumed == 0 and data:
            for mark, name in _OTHER_BOMS.items():
                if data.startswith(mark):
                    raise InputError(f"The file {self.file} is {name}", allowed="UTF-8", remedy=_CONVERT)
            if data.startswith(codecs.BOM_UTF8):
                self.consumed, data = len(codecs.BOM_UTF8), data[len(codecs.BOM_UTF8) :]
        pending = self._decoder.getstate()[0]
        nul = data.find(b"\0")
        if nul >= 0:
            line = self._lines + data[:nul].count(b"\n")
            raise InputError(
                f"The file {self.file} is binary: NUL byte at byte {self.consumed + nul}, line {line}",
                allowed="text in UTF-8",
            )
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            at = self.consumed - len(pending) + error.start
            line = self._lines + (pending + data)[: error.start].count(b"\n")
            wrong = (pending + data)[error.start : error.start + 4]
            raise InputError(
                f"The file {self.file} is not UTF-8 at byte {at}, line {line}",
                allowed="text in UTF-8",
                received=wrong,
                remedy=_CONVERT,
            ) from error
        self.consumed += len(data)
        self._lines += text.count("\n")
        return text
