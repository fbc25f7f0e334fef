"""What makes a sentence of a CoNLL-U file well-formed: columns, ids, heads and tags."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from data_prep.errors import InputError

UPOS_TAGS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT"),
    *("SCONJ", "SYM", "VERB", "X"),
)
UNTAGGED = "_"
COLUMNS = 10
FORM, UPOS, XPOS, HEAD, MISC = 1, 3, 4, 6, 9
WORD_ID = re.compile(r"[1-9][0-9]{0,8}")

_RANGE_ID = re.compile(r"([1-9][0-9]{0,8})-([1-9][0-9]{0,8})")
_HEAD = re.compile(r"[0-9]{1,9}")
_EMPTY_ID = re.compile(r"(0|[1-9][0-9]{0,8})\.([1-9][0-9]{0,8})")


class Line(NamedTuple):
    """A line of ten columns, the name of its file, and its number there, from 1."""

    source: str
    number: int
    columns: tuple[str, ...]

    def error(self, problem: str, **more: object) -> InputError:
        """Make the error that names the file and the line."""
        return InputError(f"{self.source}, line {self.number}: {problem}", **more)  # type: ignore[arg-type]


class Surface(NamedTuple):
    """The line of a surface token, and the places of its first and last word."""

    line: Line
    first: int
    last: int


def checked_columns(line: Line) -> Line:
    """Refuse a line that has not ten columns, or an empty one."""
    if len(line.columns) != COLUMNS:
        problem = f"a line of CoNLL-U has {COLUMNS} columns between tabs"
        raise line.error(problem, received=f"{len(line.columns)} columns")
    if not all(line.columns):
        raise line.error(f"column {line.columns.index('') + 1} is empty", allowed="_ for no value")
    return line


def surface_of(lines: list[Line]) -> list[Surface]:
    """Check the order of ids; return the surface tokens."""
    surface: list[Surface] = []
    words = covered = empty = 0
    for line in lines:
        name = line.columns[0]
        if WORD_ID.fullmatch(name):
            expected, found = words + 1, int(name)
            if 0 < found <= words:
                raise line.error("an id is there twice in the sentence", received=name)
            words, empty = words + 1, 0
            if words > covered:
                surface.append(Surface(line, words - 1, words - 1))
        elif match := _RANGE_ID.fullmatch(name):
            expected, found = words + 1, int(match[1])
            if int(match[2]) < found or found <= covered:
                raise line.error("the multiword token's range is empty or overlaps another")
            covered = int(match[2])
            surface.append(Surface(line, found - 1, covered - 1))
        elif match := _EMPTY_ID.fullmatch(name):
            expected, found = (words, int(match[1])) if int(match[2]) == empty + 1 else (words, -1)
            empty += 1
        else:
            raise line.error("no id of CoNLL-U", allowed="8, 8-9 or 8.1", received=name)
        if found != expected:
            raise line.error("the ids of a sentence do not count up", received=name)
    if covered > words:
        raise lines[-1].error("a multiword token goes beyond the end of the sentence")
    return surface


def check_heads(lines: list[Line]) -> None:
    """Refuse heads that are no words, and circles."""
    heads: dict[int, tuple[int]] = {}
    for at, line in enumerate(lines, start=1):
        head = line.columns[HEAD]
        if head != UNTAGGED and not (_HEAD.fullmatch(head) and int(head) <= len(lines)):
            raise line.error("the head is no word", allowed=f"0 to {len(lines)} or _", received=head)
        heads[at] = (0 if head == UNTAGGED else int(head),)
    try:
        TopologicalSorter(heads).prepare()
    except CycleError as error:
        circle = error.args[1]
        raise lines[circle[0] - 1].error("the heads run in a circle", received=circle) from None


def check_tags(lines: list[Line], require_tags: bool) -> None:
    """Refuse UPOS tags that are none of the seventeen of Universal Dependencies."""
    for line in lines:
        tag = line.columns[UPOS]
        if tag not in UPOS_TAGS and (require_tags or tag != UNTAGGED):
            raise line.error("unknown UPOS tag", allowed=", ".join(UPOS_TAGS), received=tag)
