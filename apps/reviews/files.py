"""Many documents: lines of streams in bounded memory, and CSV files whose verdicts are a CSV file again."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from apps.reviews.application import Reviews
from apps.reviews.results import Refused, Verdict
from apps.shared.results import Result
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import Row, iter_csv

MAX_LINE_BYTES = 1 << 24
_SKIPPED_AT_ONCE = 1 << 20


def document_lines(stream: BinaryIO) -> Iterator[str | Refused]:
    """Read the lines of a stream as documents.

    Args:
        stream: UTF-8, with or without a byte order mark.

    Yields:
        For each line in turn its text, or, where it is no text or too long, why it is refused; the rest goes on.
    """
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (more := stream.readline(_SKIPPED_AT_ONCE)) and not more.endswith(b"\n"):
                pass
            yield Refused(number, f"it is longer than {MAX_LINE_BYTES >> 20} MiB")
            continue
        try:
            text = line.removesuffix(b"\n").decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            yield Refused(
                number, f"it is not UTF-8: byte {error.start} of the line is {line[error.start]:#04x}"
            )
            continue
        if "\0" in text:
            yield Refused(number, "it is no text: it holds a NUL character")
            continue
        yield text.removesuffix("\r")


@dataclasses.dataclass(frozen=True, slots=True)
class RowVerdict(Result):
    """A row of a file: its number from 1 after the header, its text, and its verdict or what is wrong with it."""

    number: int
    text: str
    verdict: Verdict | None
    problem: str = ""


def csv_verdicts(reviews: Reviews, path: Path, text: str, most: int) -> list[RowVerdict]:
    """Classify the rows of a CSV file.

    Args:
        reviews: The classifier.
        path: The file, as ``data_prep.readers.labelled_texts.iter_csv`` takes it.
        text: Column of the documents.
        most: Rows, at most.

    Returns:
        One answer a row, in their order; a row that cannot be answered says why, and the others go on.

    Raises:
        InputError: The file cannot be read, lacks the column, or has no rows or too many.
    """
    rows: list[tuple[int, str | Refused]] = []
    for row in iter_csv(path, text):
        if len(rows) == most:
            raise InputError(
                "The file has too many rows for the page",
                allowed=f"{most:,} rows",
                remedy="Use the command line: python -m apps reviews classify --lines",
            )
        usable = isinstance(row, Row)
        rows.append((row.number, row.text if usable else Refused(row.number, f"{row.where}: {row.reason}")))
    if not rows:
        raise InputError("The file has no rows after its header")
    answers = reviews.classify_many(given for _, given in rows)
    return [
        RowVerdict(number, given if isinstance(given, str) else "", None, answer.problem)
        if isinstance(answer, Refused)
        else RowVerdict(number, given, answer)
        for (number, given), answer in zip(rows, answers, strict=True)
    ]


def verdicts_file(rows: Sequence[RowVerdict], labels: Sequence[str]) -> str:
    """Write verdicts as CSV: row, label, probability of each label, words, unknown words and problem, a line a row."""
    named = {label: f"p_{label}" for label in labels}
    written = io.StringIO()
    columns = ["row", "label", *named.values(), "words", "unknown_words", "problem"]
    writer = csv.DictWriter(written, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells: dict[str, object] = {"row": row.number, "problem": row.problem}
        if (verdict := row.verdict) is not None:
            cells |= {named[label]: f"{share:.6f}" for label, share in verdict.probabilities.items()}
            cells |= {name: getattr(verdict, name) for name in ("label", "words", "unknown_words")}
        writer.writerow(cells)
    return written.getvalue()
