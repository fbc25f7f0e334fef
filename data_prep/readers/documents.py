"""Many documents: lines of streams, a column of JSON Lines, and how many of them are held at once."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from data_prep.errors import InputError
from data_prep.readers.labelled_texts import Refused

MAX_LINE_BYTES = 1 << 24
CHARACTERS_AT_ONCE = 1 << 22  # of the documents that are read together
MOST_DOCUMENTS = 8192  # of one part
_SKIPPED_AT_ONCE = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_LOOKED_AT = 10  # lines of a file before anything is answered


def document_lines(stream: BinaryIO) -> Iterator[str | Refused]:
    """Read the lines of a stream, UTF-8 with or without a byte order mark, as documents.

    Yields:
        For each line in turn its text, or, where it is no text or too long, why it is refused; the rest goes on.
    """
    read = partial(stream.readline, MAX_LINE_BYTES + 1)
    for number, line in enumerate(iter(read, b""), start=1):
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (more := stream.readline(_SKIPPED_AT_ONCE)) and not more.endswith(b"\n"):
                pass
            yield Refused(number, f"it is longer than {MAX_LINE_BYTES >> 20} MiB")
        elif b"\0" in line:
            yield Refused(number, "it is no text: it holds a NUL character")
        else:
            try:
                text = line.removesuffix(b"\n").decode("utf-8-sig" if number == 1 else "utf-8")
                yield text.removesuffix("\r")
            except UnicodeDecodeError as error:
                wrong = f"byte {error.start} of the line is {line[error.start]:#04x}"
                yield Refused(number, f"it is not UTF-8: {wrong}")


def together(texts: Iterable[str | Refused], most: int) -> Iterator[list[str | Refused]]:
    """Cut a stream into lists of at most so many documents, fewer where they are long."""
    waiting: list[str | Refused] = []
    characters = 0
    for text in texts:
        waiting.append(text)
        characters += len(text)
        if len(waiting) >= most or characters > CHARACTERS_AT_ONCE:
            yield waiting
            waiting, characters = [], 0
    if waiting:
        yield waiting


class Part(NamedTuple):
    """Documents of a file that stand one behind the other.

    Attributes:
        number: Of the part in its file, from 0.
        first: Line of its first document, from 1.
        documents: For each line its text, or why there is none.
        consumed: Bytes of the file, as on the disk, that were read for it.
        last: Whether the file ends here.
        damage: Why it ends here, where it is not whole.
    """

    number: int
    first: int
    documents: list[str | Refused]
    consumed: int
    last: bool
    damage: str = ""


class JsonLines:
    """A column of a file of JSON objects, one a line, plain or gzip (told by its first bytes).

    Attributes:
        damage: Once the end was met: why the file is not whole, or nothing.
        consumed: Bytes of the file, as on the disk, that were read.
    """

    def __init__(self, path: Path, column: str) -> None:
        self.path, self.column = path, column
        self.damage, self.consumed = "", 0

    def objects(self) -> Iterator[dict[str, Any] | Refused]:
        """Read line after line.

        Yields:
            For each line its object, or why there is none; where the file breaks off, this is the last one.
        """
        number = 0
        try:
            with self.path.open("rb") as raw:
                packed = raw.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
                raw.seek(0)
                stream: Any = gzip.GzipFile(fileobj=raw) if packed else raw
                for number, line in enumerate(document_lines(stream), start=1):
                    self.consumed = raw.tell()
                    yield _object(line, number)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.damage = f"it is gzip and damaged or cut short ({error})"
        except OSError as error:
            self.damage = f"it cannot be read ({error.strerror})"
        if self.damage:
            yield Refused(number + 1, f"the file breaks off: {self.damage}")

    def texts(self) -> Iterator[str | Refused]:
        """Read the column of each line, as :meth:`objects` does."""
        for number, found in enumerate(self.objects(), start=1):
            yield found if isinstance(found, Refused) else self._text(found, number)

    def check(self) -> None:
        """Refuse a file that cannot be meant, by its first lines.

        Raises:
            InputError: It cannot be read, is no JSON Lines, or lacks the column.
        """
        looked_at = list(islice(self.objects(), _LOOKED_AT))
        found = [one for one in looked_at if not isinstance(one, Refused)]
        if looked_at and not found:
            why = self.damage or f"line 1: {looked_at[0].problem}"
            raise InputError(
                f"The file {self.path} has no document: {why}", allowed="a JSON object a line, plain or gzip"
            )
        if found and not any(self.column in one for one in found):
            raise InputError(
                f"The file {self.path} has no column {self.column}", allowed=", ".join(found[0]) or None
            )

    def parts(self, characters: int, most: int) -> Iterator[Part]:
        """Cut into parts, one at least, that end where documents that are answered together end.

        Args:
            characters: After which a part ends; it does so after ``MOST_DOCUMENTS`` too.
            most: Documents that are answered together.
        """
        texts, waiting, before = [], 0, 0
        number, first, chunks = 0, 1, together(self.texts(), most)
        chunk, last = next(chunks, []), False
        while not last:
            texts += chunk
            waiting += sum(map(len, chunk))
            chunk = next(chunks, [])
            last = not chunk
            if last or waiting >= characters or len(texts) >= MOST_DOCUMENTS:
                consumed, before = self.consumed - before, self.consumed
                yield Part(number, first, texts, consumed, last, self.damage if last else "")
                number, first = number + 1, first + len(texts)
                texts, waiting = [], 0

    def _text(self, found: dict[str, Any], number: int) -> str | Refused:
        text = found.get(self.column)
        if not isinstance(text, str):
            lacks = self.column not in found
            problem = f"it has no column {self.column}" if lacks else f"its {self.column} is no text"
            return Refused(number, problem)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return Refused(number, f"its {self.column} holds half of a surrogate pair")
        return text


def _object(line: str | Refused, number: int) -> dict[str, Any] | Refused:
    if isinstance(line, Refused):
        return line
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else Refused(number, "it is no JSON object")
