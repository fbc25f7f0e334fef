"""What makes a sentence of a CoNLL-U file well-formed: columns, ids, heads and tags."""

from __future__ import annotations

import re
from typing import NamedTuple

from data_prep.errors import InputError

UPOS_TAGS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT"),
    *("SCONJ", "SYM", "VERB", "X"),
)
UNTAGGED = "_"
COLUMNS = 10
FORM, UPOS, XPOS, HEAD, MISC = 1, 3, 4, 6, 9
WORD_ID = re.compile(r"[1-9][0-9]*")

_RANGE_ID = re.compile(r"([1-9][0-9]*)-([1-9][0-9]*)")
_EMPTY_ID = re.compile(r"(0|[1-9][0-9]*)\.([1-9][0-9]*)")


class Line(NamedTuple):
    """A line of ten columns and its number in the file, from 1."""

    number: int
    columns: tuple[str, ...]


def broken(source: str, line: int, problem: str, **more: object) -> InputError:
    """Make the error that names the file and the line."""
    return InputError(f"{source}, line {line}: {problem}", **more)  # type: ignore[arg-type]


def split_columns(line: str, number: int, source: str) -> tuple[str, ...]:
    """Split a line at its tabs; ten columns, none of them empty."""
    columns = tuple(line.split("\t"))
    if len(columns) != COLUMNS:
        problem = f"a line of CoNLL-U has {COLUMNS} columns between tabs"
        raise broken(source, number, problem, received=f"{len(columns)} columns")
    if not all(columns):
        raise broken(source, number, f"column {columns.index('') + 1} is empty", allowed="_ for no value")
    return columns


def check_ids(lines: list[Line], source: str) -> dict[int, tuple[Line, int]]:
    """Check the order of ids; return first word index of each multiword token to its line and last index."""
    ranges: dict[int, tuple[Line, int]] = {}
    words = covered = empty = 0
    for line in lines:
        name = line.columns[0]
        if WORD_ID.fullmatch(name):
            expected, found = words + 1, int(name)
            if 0 < found <= words:
                raise broken(source, line.number, "an id is there twice in the sentence", received=name)
            words, empty = words + 1, 0
        elif match := _RANGE_ID.fullmatch(name):
            expected, found = words + 1, int(match[1])
            if int(match[2]) < found or found <= covered:
                raise broken(source, line.number, "the multiword token's range is empty or overlaps another")
            covered = int(match[2])
            ranges[found - 1] = (line, covered - 1)
        elif match := _EMPTY_ID.fullmatch(name):
            expected, found = (words, int(match[1])) if int(match[2]) == empty + 1 else (words, -1)
            empty += 1
        else:
            raise broken(source, line.number, "no id of CoNLL-U", allowed="8, 8-9 or 8.1", received=name)
        if found != expected:
            raise broken(source, line.number, "the ids of a sentence do not count up", received=name)
    if covered > words:
        raise broken(source, lines[-1].number, "a multiword token goes beyond the end of the sentence")
    return ranges


def check_heads(lines: list[Line], source: str) -> None:
    """Refuse heads that are no words, and circles."""
    heads: list[int] = []
    for line in lines:
        head = line.columns[HEAD]
        if head != UNTAGGED and not (head.isascii() and head.isdigit() and int(head) <= len(lines)):
            raise broken(
                source, line.number, "the head is no word", allowed=f"0 to {len(lines)} or _", received=head
            )
        heads.append(0 if head == UNTAGGED else int(head))
    safe = {0}
    for start in range(1, len(lines) + 1):
        at, path = start, []
        while at not in safe:
            if at in path:
                raise broken(source, lines[at - 1].number, "the heads run in a circle", received=path)
            path.append(at)
            at = heads[at - 1]
        safe.update(path)


def check_tags(lines: list[Line], source: str, require_tags: bool) -> None:
    """Refuse UPOS tags that are none of the seventeen of Universal Dependencies."""
    for line in lines:
        tag = line.columns[UPOS]
        if tag not in UPOS_TAGS and (require_tags or tag != UNTAGGED):
            raise broken(source, line.number, "unknown UPOS tag", allowed=", ".join(UPOS_TAGS), received=tag)
