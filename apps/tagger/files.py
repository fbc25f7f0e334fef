"""Tagged text as files and the texts that are tagged: CoNLL-U, CSV and JSON out, text and CoNLL-U in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from apps.tagger.results import ALTERNATIVES, TaggedSentence, TaggedText
from data_prep.readers.conllu import Sentence, Word, format_conllu, plain_sentence

CSV_COLUMNS = (
    *("sentence", "word", "text", "start", "end", "upos", "xpos", "probability", "unknown"),
    *("alternative_1", "probability_1", "alternative_2", "probability_2", "alternative_3", "probability_3"),
)
_CONLLU_START = re.compile(r"(?:\s*#[^\n]*\n)*\s*1(?:-[0-9]+)?\t[^\n]*\t")
_CONLLU_SUFFIXES = (".conllu", ".conllu.gz")


def conllu_sentence(result: TaggedSentence, **more: Any) -> Sentence:
    """Make the sentence of a CoNLL-U file; ``more`` goes to ``plain_sentence``."""
    words = [
        Word(token.text, token.upos, token.xpos, token.start - result.start, token.end - result.start)
        for token in result.tokens
    ]
    return plain_sentence(result.text, words, **more)


def conllu_pieces(
    text: str, sentences: Iterable[TaggedSentence], numbers: Iterable[int] | None = None
) -> Iterator[str]:
    """Write tagged sentences of a text as CoNLL-U.

    Args:
        text: The text that was tagged.
        sentences: Its sentences, in order.
        numbers: What they are called; from 1 if not given.

    Yields:
        The lines of one sentence, with the empty line after it.
    """
    for number, sentence in zip(numbers or count(1), sentences, strict=False):
        end = sentence.start + len(sentence.text)
        spaced = end >= len(text) or text[end].isspace()
        yield format_conllu(conllu_sentence(sentence, sent_id=str(number), space_after=spaced))


def csv_pieces(sentences: Iterable[TaggedSentence]) -> Iterator[str]:
    """Write tagged sentences as CSV: the names of the columns, then the lines of one sentence after the other."""
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
                *("", "") * (ALTERNATIVES - len(token.alternatives)),
            )
            for at, token in enumerate(sentence.tokens, start=1)
        )


def json_pieces(sentences: Iterable[TaggedSentence]) -> Iterator[str]:
    """Write tagged sentences as one JSON object on one line, ``{"sentences": [...]}``.

    It comes in pieces, one a sentence, so that a long text needs no more memory than a short one.
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


def _csv(rows: Iterable[Iterable[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
