"""Tagged text as files and the texts that are tagged: CoNLL-U, CSV and JSON out, text and CoNLL-U in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, count

from apps.tagger.results import ALTERNATIVES, TaggedSentence, TaggedText
from data_prep.errors import InputError
from data_prep.readers.conllu import Sentence, found_lines, found_sentence

CSV_COLUMNS = (
    *("sentence", "word", "text", "start", "end", "upos", "xpos", "probability", "unknown"),
    *("alternative_1", "probability_1", "alternative_2", "probability_2", "alternative_3", "probability_3"),
)
_CONLLU_START = re.compile(r"(?:\s*#[^\n]*\n)*\s*1(?:-[0-9]+)?\t[^\n]*\t")
_CONLLU_SUFFIXES = (".conllu", ".conllu.gz")


def conllu_sentence(text: str, result: TaggedSentence, sent_id: str = "") -> Sentence:
    """Make the sentence of a CoNLL-U file of one that was found in a text."""
    return found_sentence(text, _words(result), sent_id)


def conllu_pieces(
    text: str, sentences: Iterable[TaggedSentence], numbers: Iterable[int] | None = None
) -> Iterator[str]:
    """Write tagged sentences of a text as CoNLL-U, one after the other, numbered from 1 if nothing is said.

    Raises:
        InputError: There are fewer numbers than sentences.
    """
    for sentence, number in zip(sentences, sentence_numbers(numbers), strict=False):
        yield found_lines(text, _words(sentence), str(number))


def sentence_numbers(numbers: Iterable[int] | None) -> Iterator[int]:
    """Give numbers one by one, from 1 if nothing is said; refuse to go on behind the last one."""
    # Through a chain: a generator of numbers that is not used up can go on after the last sentence.
    yield from chain(count(1) if numbers is None else numbers)
    raise InputError("There are fewer numbers than sentences")


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
    """Say whether the name of a file ends in ``.conllu``, or its first line that is no comment is of a first word."""
    return name.lower().endswith(_CONLLU_SUFFIXES) or _CONLLU_START.match(text) is not None


def _words(result: TaggedSentence) -> list[tuple[str, str, str, int, int]]:
    return [(token.text, token.upos, token.xpos, token.start, token.end) for token in result.tokens]


def _csv(rows: Iterable[Iterable[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
