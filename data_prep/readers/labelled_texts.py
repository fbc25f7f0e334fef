"""Labelled documents of your own: CSV files, or a folder with a sub-folder a label; bad rows are reported."""

from __future__ import annotations

import csv
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.files import visible_files
from data_prep.readers.text import MAX_BYTES, GivenPath, TextCorpus, input_file

MAX_ROW_CHARACTERS = 1 << 22  # of one row, so that a quote that never closes does not swallow the file
_FEWEST = 2  # documents that every label has to have
_SEPARATORS = ",;\t"
_SUFFIXES = (".txt", ".gz")


class Row(NamedTuple):
    """A document: its row after the header of a CSV file, from 1; its text; its label, "" where none was asked for.

    ``file`` is the name of the file where there are several.
    """

    number: int
    text: str
    label: str
    file: str = ""


class Refused(NamedTuple):
    """What cannot be used: its row, or its place among the documents, from 1, and why."""

    number: int
    problem: str


@dataclass(frozen=True, eq=False)
class LabelledTexts:
    """Documents with labels.

    Args:
        texts: The documents as they were written.
        labels: Number of the label of each, int64 (n,).
        classes: Names of the labels.
        refused: What could not be used.
    """

    texts: Sequence[str]
    labels: np.ndarray
    classes: tuple[str, ...]
    refused: tuple[Refused, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def checksum(self) -> str:
        """SHA-256 of all texts and labels in their order."""
        digest = hashlib.sha256()
        for text, label in zip(self.texts, self.labels.tolist(), strict=True):
            digest.update(f"{self.classes[label]}\0{text}\0".encode("utf-8", "surrogatepass"))
        return f"sha256:{digest.hexdigest()}"

    def rows(self) -> Iterator[Row | Refused]:
        """Give what was refused, then the documents with their labels, numbered from 1."""
        yield from self.refused
        for number, (text, label) in enumerate(zip(self.texts, self.labels.tolist(), strict=True), start=1):
            yield Row(number, text, self.classes[label])

    def chosen(self, rows: Sequence[int] | np.ndarray) -> LabelledTexts:
        """Return some of the documents; the classes stay."""
        texts, labels = [self.texts[at] for at in rows], self.labels[np.asarray(rows, np.int64)]
        return LabelledTexts(texts, labels, self.classes)

    def check_trainable(self) -> None:
        """Refuse what no classifier can learn from.

        Raises:
            InputError: There is one class only, or a class has too few documents.
        """
        if len(self.classes) < 2:
            raise InputError(
                "All documents have one label",
                allowed="two labels or more",
                received=list(self.classes),
                remedy="Give documents of another class as well",
            )
        counts = np.bincount(self.labels, minlength=len(self.classes))
        rarest = int(counts.argmin())
        if counts[rarest] < _FEWEST:
            raise InputError(
                f"The label {self.classes[rarest]} has too few documents",
                allowed=f"{_FEWEST} or more",
                received=int(counts[rarest]),
            )


def labelled(rows: Iterable[tuple[str, str]], refused: Sequence[Refused] = ()) -> LabelledTexts:
    """Put documents together, each with its label; classes are sorted by name."""
    texts, labels = map(list, zip(*rows, strict=True))
    classes, numbers = np.unique(np.array(labels, object), return_inverse=True)
    return LabelledTexts(texts, numbers.astype(np.int64), tuple(classes.tolist()), tuple(refused))


def iter_csv(
    paths: GivenPath | Sequence[GivenPath], text: str, label: str | None = None
) -> Iterator[Row | Refused]:
    """Read CSV files of any size row by row; fields are separated by comma, semicolon or tab.

    Args:
        paths: One or several: UTF-8, plain or gzip, or ``-`` for standard input; the first row names the columns.
        text: Column of the documents.
        label: Column of the labels; None where there is none.

    Yields:
        A :class:`Row`, or a :class:`Refused` for a row with broken quotes, with another number of fields than the
        header, without text or without label; the rows behind it go on. Empty lines are passed over.

    Raises:
        InputError: A file is missing, empty, not UTF-8 or binary, or lacks a column.
    """
    # The limit is the csv module's own, for the whole process; its default is 128 KiB.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW_CHARACTERS))
    given = [paths] if isinstance(paths, GivenPath) else paths
    wanted = [text] if label is None else [text, label]
    for path in map(input_file, given):
        file = path.name if len(given) > 1 else ""
        header, records = _opened(path, wanted)
        for number, (line, fields, problem) in enumerate(records, start=1):
            cells = dict(zip(header, fields, strict=False))
            empty = [name for name in wanted if not cells.get(name, "").strip()]
            if not problem and len(fields) != len(header):
                problem = f"it has {len(fields)} fields and the header has {len(header)}"
            elif not problem and empty:
                problem = f"its {empty[0]} is empty"
            if problem:
                yield Refused(number, f"{file}{', ' if file else ''}line {line}: {problem}")
            else:
                yield Row(number, cells[text], cells.get(label, "").strip(), file)


def read_csv(paths: GivenPath | Sequence[GivenPath], text: str, label: str) -> LabelledTexts:
    """Read all of CSV files; as :func:`iter_csv`, spaces around a label left out.

    Raises:
        InputError: Also if no row can be used.
    """
    given = [paths] if isinstance(paths, GivenPath) else paths
    return _collected(iter_csv(given, text, label), ", ".join(map(str, given)))


def read_folder(folder: str | Path) -> LabelledTexts:
    """Read a folder with a sub-folder for each label, further sub-folders included: the documents sorted by name.

    Files are ``.txt`` or ``.gz`` in UTF-8, one document each; names that begin with a dot are passed over. Files that
    are empty, binary or not UTF-8 are refused, the others go on.

    Raises:
        InputError: It is no folder, has no sub-folders, holds another kind of file, or no file can be used.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder", allowed="a folder with one sub-folder a label")
    folders = [part for part in sorted(folder.iterdir()) if part.is_dir() and not part.name.startswith(".")]
    files = [path for part in folders for path in visible_files(part, _SUFFIXES, "text")]
    if not files:
        raise InputError(
            f"{folder} holds no labelled texts", allowed="one sub-folder a label, with files .txt or .gz"
        )
    return _collected((_document(path, folder, number) for number, path in enumerate(files, start=1)), folder)


def _document(path: Path, folder: Path, number: int) -> Row | Refused:
    name = path.relative_to(folder)
    try:
        return Row(number, "\n".join(TextCorpus(path, MAX_BYTES).lines()), name.parts[0])
    except InputError as error:
        return Refused(number, f"{name.as_posix()}: {error.problem}")


def _collected(found: Iterable[Row | Refused], source: object) -> LabelledTexts:
    """Put what can be used together; refuse a source of which nothing can."""
    rows: list[Row] = []
    refused: list[Refused] = []
    for one in found:
        (rows if isinstance(one, Row) else refused).append(one)  # type: ignore[arg-type]
    if not rows:
        first = f"; the first, {refused[0].problem}" if refused else ""
        raise InputError(f"{source} holds no document that can be used ({len(refused)} refused{first})")
    return labelled(((row.text, row.label) for row in rows), refused)


def _opened(path: Path, wanted: list[str]) -> tuple[list[str], Iterator[tuple[int, list[str], str]]]:
    """Read the first row; the separator is the one by which it names the columns that are asked for."""
    if path.is_dir():
        raise InputError(f"{path} is a folder", allowed="a CSV file")
    tried, broken = [], ""  # quotes that are whole by one separator are broken by another
    for separator in _SEPARATORS:
        records = _records(path, separator)
        _, header, problem = next(records, (1, [], "it is not there"))
        if problem:
            broken = broken or problem
            continue
        if all(header.count(name) == 1 for name in wanted):
            return header, records
        tried.append(header)
    if not tried:
        raise InputError(f"The first row of the CSV file cannot be read: {broken}", received=str(path))
    columns = max(tried, key=len)
    missing = next((name for name in wanted if columns.count(name) != 1), wanted[0])
    twice = " once only" if columns.count(missing) > 1 else ""
    raise InputError(
        f"The CSV file has no column {missing}{twice}",
        allowed=", ".join(columns),
        remedy="Name the columns so in the first row, or ask for other columns",
    )


def _records(path: Path, separator: str) -> Iterator[tuple[int, list[str], str]]:
    """Give the line where each record begins, from 1, and its fields, or none and why; empty lines are passed over."""
    # One character more than is allowed shows that a line is too long; its rest is no row of its own.
    lines = TextCorpus(path, MAX_ROW_CHARACTERS + 1, pieces=False).lines()
    waiting: deque[str] = deque()  # lines behind a broken quote, which are read again
    taken: list[str] = []

    def feed() -> Iterator[str]:
        while (line := waiting.popleft() if waiting else next(lines, None)) is not None:
            taken.append(line)
            if len(line) > MAX_ROW_CHARACTERS:
                raise csv.Error(f"more than {MAX_ROW_CHARACTERS:,} characters")
            yield line + "\n"

    number = 1
    while True:
        taken.clear()
        try:
            fields, problem = next(csv.reader(feed(), delimiter=separator, strict=True), None), ""
        except csv.Error as error:
            waiting.extendleft(reversed(taken[1:]))
            del taken[1:]
            fields, problem = [], f"its quotes are broken or it is too long ({error})"
        if fields is None:
            return
        if fields or problem:
            yield number, fields, problem
        number += len(taken)
