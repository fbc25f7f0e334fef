"""Tagged text as files and the texts that are tagged: CoNLL-U, CSV and JSON out, text and CoNLL-U in."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from apps.tagger.results import TaggedSentence, TaggedText
from data_prep.errors import InputError

CSV_COLUMNS = (
    *("sentence", "word", "text", "start", "end", "upos", "xpos", "probability", "unknown"),
    *("alternative_1", "probability_1", "alternative_2", "probability_2", "alternative_3", "probability_3"),
)
MAX_BYTES = 64 << 20
_CONLLU_START = re.compile(r"(?:\s*#[^\n]*\n)*\s*1(?:-[0-9]+)?\t[^\n]*\t")
_CONLLU_SUFFIXES = (".conllu", ".conllu.gz")


def conllu_pieces(text: str, sentences: Iterable[TaggedSentence]) -> Iterator[str]:
    """Write tagged sentences of a text as CoNLL-U.

    Args:
        text: The text that was tagged.
        sentences: Its sentences, in order.

    Yields:
        The lines of one sentence, with the empty line behind it.
    """
    from data_prep.readers.conllu import Word, format_conllu, plain_sentence

    for number, sentence in enumerate(sentences, start=1):
        words = [
            Word(token.text, token.upos, token.xpos, token.start - sentence.start, token.end - sentence.start)
            for token in sentence.tokens
        ]
        end = sentence.start + len(sentence.text)
        spaced = end >= len(text) or text[end].isspace()
        yield format_conllu(plain_sentence(sentence.text, words, sent_id=str(number), space_after=spaced))


def csv_pieces(sentences: Iterable[TaggedSentence]) -> Iterator[str]:
    """Write tagged sentences as CSV, one line a word, after a line of names.

    Args:
        sentences: The sentences, in order.

    Yields:
        The names of the columns, then the lines of one sentence.
    """
    yield _csv([CSV_COLUMNS])
    for number, sentence in enumerate(sentences, start=1):
        yield _csv(
            (
                number,
                at,
                *(token.text, token.start, token.end, token.upos, token.xpos),
                f"{token.probability:.4f}",
                token.unknown,
                *(cell for other in token.alternatives for cell in (other.tag, f"{other.probability:.4f}")),
            )
            for at, token in enumerate(sentence.tokens, start=1)
        )


def json_pieces(sentences: Iterable[TaggedSentence]) -> Iterator[str]:
    """Write tagged sentences as one JSON object on one line, ``{"sentences": [...]}``.

    Args:
        sentences: The sentences, in order.

    Yields:
        Pieces of the line, one a sentence, so that a long text needs no more memory than a short one.
    """
    yield '{"sentences": ['
    for number, sentence in enumerate(sentences):
        comma = ", " if number else ""
        yield comma + json.dumps(sentence.to_dict(), ensure_ascii=False, allow_nan=False)
    yield "]}\n"


def conllu_file(tagged: TaggedText) -> str:
    """Write a tagged text as one CoNLL-U file; see :func:`conllu_pieces`."""
    return "".join(conllu_pieces(tagged.text, tagged.sentences))


def csv_file(tagged: TaggedText) -> str:
    """Write a tagged text as one CSV file; see :func:`csv_pieces`."""
    return "".join(csv_pieces(tagged.sentences))


def is_conllu(text: str, name: str = "") -> bool:
    """Say whether a text is CoNLL-U rather than running text.

    Args:
        text: What was read.
        name: Name of its file, or "".

    Returns:
        Whether the name ends in ``.conllu``, or the first line that is no comment is that of a first word.
    """
    return name.lower().endswith(_CONLLU_SUFFIXES) or _CONLLU_START.match(text) is not None


def read_text(path: str | Path) -> str:
    """Read a text file, plain or gzip.

    Args:
        path: The file.

    Returns:
        Its text; a byte order mark is no part of it.

    Raises:
        InputError: The file is missing, too large, empty, binary or not UTF-8.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError("A text file is expected, not a folder", received=str(path))
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if data.startswith(b"\x1f\x8b"):
            with gzip.open(path) as file:
                data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InputError("There is no such file", received=str(path)) from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"The file cannot be read ({error})", received=str(path)) from error
    return decoded(data, str(path))


def decoded(data: bytes, source: str) -> str:
    """Decode what a person gave.

    Args:
        data: UTF-8, with or without a byte order mark.
        source: Named in errors.

    Returns:
        The text, which is not empty.

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
    if (at := data.find(b"\0")) >= 0:
        raise InputError(f"{source} is no text: byte {at} is NUL", allowed="text in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{source} is not UTF-8: byte {error.start} is {data[error.start]:#04x}",
            remedy="Convert it, for example with: iconv -f ENCODING -t UTF-8 FILE",
        ) from None


def _csv(rows: Iterable[Iterable[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
