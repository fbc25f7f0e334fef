"""Verdicts for a CSV file: every row answered or refused by number, and the answers as a CSV file again."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from apps.reviews.results import Verdict
from apps.shared.results import Result
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import Row, iter_csv

if TYPE_CHECKING:
    from apps.reviews.application import Reviews


@dataclasses.dataclass(frozen=True, slots=True)
class RowVerdict(Result):
    """A row of a file: its number from 1 behind the header, its text, and its verdict or what is wrong with it."""

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
    found: list[RowVerdict] = []
    texts: list[tuple[int, str]] = []  # places in found, and what is asked there
    for row in iter_csv(path, text):
        if len(found) == most:
            raise InputError(
                "The file has too many rows for the page",
                allowed=f"{most:,} rows",
                remedy="Use the command line: python -m apps reviews classify --lines",
            )
        if isinstance(row, Row):
            texts.append((len(found), row.text))
            found.append(RowVerdict(row.number, row.text, None))
        else:
            found.append(RowVerdict(row.number, "", None, f"{row.where}: {row.reason}"))
    if not found:
        raise InputError("The file has no rows behind its header")
    for (at, _), answer in zip(texts, reviews.classify_many(one for _, one in texts), strict=True):
        if isinstance(answer, Verdict):
            found[at] = dataclasses.replace(found[at], verdict=answer)
        else:
            found[at] = dataclasses.replace(found[at], problem=answer.problem)
    return found


def verdicts_file(rows: Sequence[RowVerdict], labels: Sequence[str]) -> str:
    """Write verdicts as CSV.

    Args:
        rows: Answers.
        labels: Of the classifier, in their order.

    Returns:
        Row, label, probability of each label, words, unknown words and problem; one line a row.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(
        ["row", "label", *(f"p_{label}" for label in labels), "words", "unknown_words", "problem"]
    )
    writer.writerows(_cells(rows, labels))
    return written.getvalue()


def _cells(rows: Sequence[RowVerdict], labels: Sequence[str]) -> Iterator[list[object]]:
    for row in rows:
        verdict = row.verdict
        if verdict is None:
            yield [row.number, *[""] * (len(labels) + 3), row.problem]
        else:
            shares = [f"{verdict.probabilities[label]:.6f}" for label in labels]
            yield [row.number, verdict.label, *shares, verdict.words, verdict.unknown_words, ""]
