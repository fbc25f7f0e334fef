"""Labelled documents of your own: CSV files, or a folder with a sub-folder a label; bad rows are reported."""

from __future__ import annotations

import csv
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.readers.folders import visible_files
from data_prep.readers.text import GivenPath, TextCorpus, input_file

MAX_ROW_CHARACTERS = 1 << 22  # of one row, so that a quote that never closes does not swallow the file
_SEPARATORS = ",;\t"
_SUFFIXES = (".txt", ".gz")


class Row(NamedTuple):
    """A document: its row after the header of a CSV file, from 1; its text; its label, "" where none was asked for.

    ``name`` says where it comes from.
    """

    number: int
    text: str
    label: str
    name: str = ""


class Refused(NamedTuple):
    """What could not be used: its row (or its place in the folder) from 1, where it stands, and why."""

    number: int
    where: str
    reason: str


@dataclass(frozen=True, eq=False)
class LabelledTexts:
    """Documents with labels.

    Args:
        texts: The documents as they were written.
        labels: Number of the label of each, int64 (n,).
        classes: Names of the labels.
        names: Where each comes from: a file, or a row.
        refused: What could not be used.
    """

    texts: Sequence[str]
    labels: np.ndarray
    classes: tuple[str, ...]
    names: Sequence[str]
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

    def chosen(self, rows: Sequence[int] | np.ndarray) -> LabelledTexts:
        """Return some of the documents; the classes stay."""
        return LabelledTexts(
            [self.texts[at] for at in rows],
            self.labels[np.asarray(rows, np.int64)],
            self.classes,
            [self.names[at] for at in rows],
        )

    def check_trainable(self, least: int = 2) -> None:
        """Refuse what no classifier can learn from.

        Args:
            least: Documents that every class has to have.

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
        if counts.min() < least:
            rare = self.classes[int(counts.argmin())]
            raise InputError(
                f"The label {rare} has too few documents",
                allowed=f"{least} or more",
                received=int(counts.min()),
            )


def labelled(rows: Iterable[tuple[str, str, str]]) -> LabelledTexts:
    """Put documents together, each with its label and where it comes from; classes are sorted by name."""
    texts, labels, names = map(list, zip(*rows, strict=True))
    classes, numbers = np.unique(np.array(labels, object), return_inverse=True)
    return LabelledTexts(texts, numbers.astype(np.int64), tuple(classes.tolist()), names)


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
    for path in map(input_file, given):
        yield from _rows(path, f"{path.name}, " if len(given) > 1 else "", text, label)


def _rows(path: Path, file: str, text: str, label: str | None) -> Iterator[Row | Refused]:
    header, records = _opened(path, [text] if label is None else [text, label])
    at_text, at_label = header.index(text), None if label is None else header.index(label)
    number = 0
    for line, found in records:
        if not found:  # an empty line
            continue
        number += 1
        where = f"{file}line {line}"
        if isinstance(found, str):
            yield Refused(number, where, found)
        elif len(found) != len(header):
            yield Refused(number, where, f"it has {len(found)} fields and the header has {len(header)}")
        elif not found[at_text].strip():
            yield Refused(number, where, f"its {text} is empty")
        elif at_label is not None and not found[at_label].strip():
            yield Refused(number, where, f"its {label} is empty")
        else:
            label_text = "" if at_label is None else found[at_label].strip()
            yield Row(number, found[at_text], label_text, f"{file}row {number}")


def read_labelled(
    paths: GivenPath | Sequence[GivenPath], text: str = "text", label: str = "label"
) -> LabelledTexts:
    """Read labelled documents as users give them.

    Args:
        paths: A folder as :func:`read_folder` takes it, or what :func:`iter_csv` takes.
        text: Column of the documents in CSV files.
        label: Column of the labels.

    Raises:
        InputError: As :func:`read_folder` and :func:`read_csv`; also if a folder is not alone, or there is nothing.
    """
    given = [paths] if isinstance(paths, GivenPath) else list(paths)
    if not given:
        raise InputError("There are no documents", allowed="a folder, or one or more CSV files")
    if not any(Path(path).is_dir() for path in given):
        return read_csv(given, text, label)
    if len(given) > 1:
        raise InputError(
            "A folder is read alone", allowed="one folder, or one or more CSV files", received=given
        )
    return read_folder(given[0])


def read_csv(paths: GivenPath | Sequence[GivenPath], text: str, label: str) -> LabelledTexts:
    """Read all of CSV files; as :func:`iter_csv`, spaces around a label left out.

    Raises:
        InputError: Also if no row can be used.
    """
    given = [paths] if isinstance(paths, GivenPath) else paths
    return _collected(iter_csv(given, text, label), ", ".join(map(str, given)))


def read_folder(folder: str | Path) -> LabelledTexts:
    """Read a folder with a sub-folder for each label.

    Args:
        folder: Its sub-folders hold ``.txt`` or ``.gz`` files in UTF-8, one document a file, further sub-folders
            included; names that begin with a dot are passed over.

    Returns:
        The documents, sorted by name; files that are empty, binary or not UTF-8 are refused, the others go on.

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
        return Row(number, "\n".join(TextCorpus(path).lines()), name.parts[0], name.as_posix())
    except InputError as error:
        return Refused(number, name.as_posix(), error.problem)


def _collected(found: Iterable[Row | Refused], source: object) -> LabelledTexts:
    """Put what can be used together; refuse a source of which nothing can."""
    rows: list[Row] = []
    refused: list[Refused] = []
    for one in found:
        (rows if isinstance(one, Row) else refused).append(one)  # type: ignore[arg-type]
    if not rows:
        first = f"; the first, {refused[0].where}: {refused[0].reason}" if refused else ""
        raise InputError(f"{source} holds no document that can be used ({len(refused)} refused{first})")
    return replace(labelled((row.text, row.label, row.name) for row in rows), refused=tuple(refused))


def _opened(path: Path, wanted: list[str]) -> tuple[list[str], Iterator[tuple[int, list[str] | str]]]:
    """Read the first row; the separator is the one by which it names the columns that are asked for."""
    if path.is_dir():
        raise InputError(f"{path} is a folder", allowed="a CSV file")
    tried = []
    for separator in _SEPARATORS:
        records = _records(path, separator)
        _, found = next(records, (1, "it is not there"))
        if isinstance(found, str):
            raise InputError(f"The first row of the CSV file cannot be read: {found}", received=str(path))
        if all(found.count(name) == 1 for name in wanted):
            return found, records
        tried.append(found)
    columns = max(tried, key=len)
    missing = next((name for name in wanted if columns.count(name) != 1), wanted[0])
    twice = " once only" if columns.count(missing) > 1 else ""
    raise InputError(
        f"The CSV file has no column {missing}{twice}",
        allowed=", ".join(columns),
        remedy="Name the columns so in the first row, or ask for other columns",
    )


def _records(path: Path, separator: str) -> Iterator[tuple[int, list[str] | str]]:
    """Give the line where each record begins, from 1, and its fields (none: an empty line) or why it is broken."""
    lines = TextCorpus(path, max_characters=MAX_ROW_CHARACTERS).lines()
    waiting: deque[str] = deque()  # lines behind a broken quote, which are read again
    taken: list[str] = []

    def feed() -> Iterator[str]:
        size = 0
        while (
            size <= MAX_ROW_CHARACTERS
            and (line := waiting.popleft() if waiting else next(lines, None)) is not None
        ):
            taken.append(line)
            size += len(line) + 1
            yield line + "\n"

    number = 1
    while True:
        taken.clear()
        try:
            found = next(csv.reader(feed(), delimiter=separator, strict=True), None)
        except csv.Error as error:
            waiting.extendleft(reversed(taken[1:]))
            del taken[1:]
            found = f"its quotes are broken or it is too long ({error})"
        if found is None:
            return
        yield number, found
        number += len(taken)
