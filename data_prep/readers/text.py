"""Plain text as users give it: files, folders, standard input; plain or gzip, strict UTF-8, any size in bounded memory.

A line ends at LF or CR LF. A line longer than ``max_characters`` (text8 is one line of 100 MB) comes in
pieces that end behind white space; put together they are the line again.
"""

from __future__ import annotations

import atexit
import codecs
import functools
import gzip
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

from data_prep.errors import InputError

STDIN = Path("-")
MAX_BYTES = 64 << 20  # of a text that is read whole
MAX_CHARACTERS = 1 << 16

_BLOCK_BYTES = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_SUFFIXES = (".txt", ".gz")
_SPACES = " \t\v\f\r\x85\xa0\u2028\u2029\u3000"
_OTHER_BOMS = {codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_CONVERT = "Convert it, for example with: iconv -f ENCODING -t UTF-8 FILE"
_SPOOLED_NAME = "standard input"

GivenPath = str | Path
Progress = Callable[[int], object]


def input_file(path: GivenPath) -> Path:
    """Return the file that a path stands for: ``-`` is a copy of standard input, called "standard input".

    Raises:
        InputError: Standard input is asked for and is a terminal, or empty.
    """
    if Path(path) != STDIN:
        return Path(path)
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError("There is no text", allowed="a text, a file, or text on standard input")
    copy = _spooled(sys.stdin)
    if not copy.stat().st_size:
        raise InputError("Standard input is empty", allowed="a text with at least one word")
    return copy


@functools.lru_cache(maxsize=1)
def _spooled(stream: TextIO) -> Path:
    """Copy a stream to a temporary file once, because data are read more than once."""
    folder = tempfile.mkdtemp(prefix="lectern-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = Path(folder) / _SPOOLED_NAME
    with copy.open("wb") as file:
        shutil.copyfileobj(stream.buffer, file)
    return copy


def called(file: Path) -> str:
    """Return what messages call a file at the begin of a sentence."""
    return "Standard input" if file.name == _SPOOLED_NAME else f"The file {file}"


def given_text(given: str | Path) -> str:
    """Read a text that a command was given: itself, or a file.

    Raises:
        InputError: :func:`read_text` refuses it.
    """
    if isinstance(given, Path):
        return read_text(given)
    # Bytes of the command line that are no UTF-8 arrive as halves of surrogate pairs.
    return decoded(given.encode("utf-8", "surrogateescape"), "The text")


def read_texts(paths: Sequence[GivenPath]) -> str:
    """Read texts, as :class:`TextCorpus` takes them, as one; a line break follows one that does not end its last line.

    Raises:
        InputError: There is none, or one of them is refused by :func:`read_text`.
    """
    texts = [read_text(file) for path in paths for file in _text_files(path)]
    if not texts:
        raise InputError("There is no text", allowed="one or more files or folders")
    ended = [text if text.endswith("\n") else text + "\n" for text in texts[:-1]]
    return "".join([*ended, texts[-1]])


def read_text(path: GivenPath) -> str:
    """Read one text whole: a file, plain or gzip, or ``-`` for standard input; a byte order mark is no part of it.

    Raises:
        InputError: It is missing, a folder, too large, empty, binary, damaged or not UTF-8.
    """
    (*files, file) = _text_files(path)
    if files or file != input_file(path):
        raise InputError("A text file is expected, not a folder", received=str(path))
    # No more than tell that it is too large.
    blocks = islice(_data_blocks(file), MAX_BYTES // _BLOCK_BYTES + 1)
    return decoded(b"".join(block for block, _ in blocks), called(file))


def decoded(data: bytes, source: str) -> str:
    """Decode UTF-8 that a person gave, with or without a byte order mark; ``source`` begins the messages.

    Raises:
        InputError: There are too many bytes or none, a NUL byte (a binary file), or bytes that are not UTF-8.
    """
    if len(data) > MAX_BYTES:
        raise InputError(
            f"{source} is too large",
            allowed=f"at most {MAX_BYTES >> 20} MiB",
            remedy="Split it, for example with: split -C 50m FILE",
        )
    if not data.strip():
        raise InputError(f"{source} is empty", allowed="a text with at least one word")
    return _Decoder(source).decode(data, final=True)


def iter_lines(paths: GivenPath | Sequence[GivenPath], max_characters: int = MAX_CHARACTERS) -> Iterator[str]:
    """Read the lines of files and folders; see ``TextCorpus``."""
    return TextCorpus(paths, max_characters).lines()


class TextCorpus:
    """The lines of text files, one file after the other; they can be read several times.

    Args:
        paths: One or several: a file of any name, plain or gzip (told by its first bytes), a folder, all of whose
            ``.txt`` and ``.gz`` files are read in sorted order, or ``-`` for standard input.
        max_characters: Longer lines come in pieces of at most this many characters, cut after the last white
            space, or exactly there where a piece has none.
        pieces: Without them a longer line comes as its first ``max_characters``, and what is behind is left out.

    Raises:
        InputError: If a path is missing or a folder without text files, or all files hold no byte.
    """

    def __init__(
        self,
        paths: GivenPath | Sequence[GivenPath],
        max_characters: int = MAX_CHARACTERS,
        *,
        pieces: bool = True,
    ) -> None:
        given = [paths] if isinstance(paths, GivenPath) else list(paths)
        self.name = ", ".join(map(str, given))
        self.max_characters, self.pieces = max_characters, pieces
        self.files = tuple(file for path in given for file in _text_files(path))
        self.total_bytes = sum(file.stat().st_size for file in self.files)
        if self.total_bytes == 0:
            raise InputError("The text is empty", allowed="a file or folder with text", received=self.name)

    def lines(self, progress: Progress = lambda done: None) -> Iterator[str]:
        """Read the lines in order, empty ones too, without their line ends.

        Args:
            progress: Called after every block with the bytes read so far, as on disk (compressed ones of a
                gzip file); the last call is ``total_bytes``.

        Raises:
            InputError: If a file is not UTF-8, has NUL bytes, is a damaged gzip file or cannot be read (named
                with byte and line), or if there is nothing but white space.
        """
        done, has_text = 0, False
        for file in self.files:
            size = file.stat().st_size
            for block, consumed in _file_blocks(file, self.max_characters, self.pieces):
                has_text = has_text or any(line and not line.isspace() for line in block)
                yield from block
                progress(done + min(consumed, size))
            done += size
            progress(done)
        if not has_text:
            raise InputError(
                "The text has nothing but white space",
                allowed="a file or folder with text",
                received=self.name,
            )


def _text_files(given: GivenPath) -> tuple[Path, ...]:
    path = input_file(given)
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
    what = "This is no regular file" if path.exists() else "There is no such file or folder"
    raise InputError(what, allowed="a text file or a folder, or - for a pipe", received=str(path))


def _file_blocks(file: Path, max_characters: int, pieces: bool) -> Iterator[tuple[list[str], int]]:
    """Give the lines of one file in lists, each with the bytes of the file that were consumed up to then."""
    decoder = _Decoder(called(file))
    cut = _pieces if pieces else _beginning
    rest = ""
    for data, consumed in _data_blocks(file):
        # A CR at the end of a block may belong to an LF at the start of the next one; both stay in the rest.
        *lines, rest = (rest + decoder.decode(data)).split("\n")
        block = [piece for line in lines for piece in cut(line.removesuffix("\r"), max_characters)]
        if len(rest) > 2 * max_characters and not pieces:
            rest = rest[:max_characters]
        elif len(rest) > 2 * max_characters:
            held = "\r" if rest.endswith("\r") else ""
            *found, rest = _pieces(rest.removesuffix("\r"), max_characters)
            rest += held
            block.extend(found)
        yield block, consumed
    rest += decoder.decode(b"", final=True)
    if rest:
        yield list(cut(rest.removesuffix("\r"), max_characters)), decoder.consumed


def _beginning(line: str, max_characters: int) -> Iterator[str]:
    yield line[:max_characters]


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
            f"{called(file)} is gzip and damaged or cut short ({error})", remedy="Get it again"
        ) from error
    except OSError as error:
        raise InputError(f"{called(file)} cannot be read ({error.strerror})") from error


class _Decoder:
    """Strict UTF-8 that says where it fails."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.consumed = 0
        self._lines = 1
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def decode(self, data: bytes, final: bool = False) -> str:
        if self.consumed == 0 and data:
            for mark, name in _OTHER_BOMS.items():
                if data.startswith(mark):
                    raise InputError(f"{self.source} is {name}", allowed="UTF-8", remedy=_CONVERT)
            if data.startswith(codecs.BOM_UTF8):
                self.consumed, data = len(codecs.BOM_UTF8), data[len(codecs.BOM_UTF8) :]
        pending = self._decoder.getstate()[0]
        nul = data.find(b"\0")
        if nul >= 0:
            line = self._lines + data[:nul].count(b"\n")
            raise InputError(
                f"{self.source} is binary: NUL byte at byte {self.consumed + nul}, line {line}",
                allowed="text in UTF-8",
            )
        try:
            text = self._decoder.decode(data, final)
        except UnicodeDecodeError as error:
            at = self.consumed - len(pending) + error.start
            line = self._lines + (pending + data)[: error.start].count(b"\n")
            wrong = (pending + data)[error.start : error.start + 4]
            raise InputError(
                f"{self.source} is not UTF-8 at byte {at}, line {line}",
                allowed="text in UTF-8",
                received=wrong,
                remedy=_CONVERT,
            ) from error
        self.consumed += len(data)
        self._lines += text.count("\n")
        return text
