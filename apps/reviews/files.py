"""Many documents: lines of streams in bounded memory, and CSV files whose verdicts are a CSV file again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from apps.reviews.application import Reviews
from apps.reviews.results import Refused
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import Row, iter_csv

if TYPE_CHECKING:
    import pandas as pd

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


def csv_verdicts(reviews: Reviews, path: Path, text: str, most: int) -> pd.DataFrame:
    """Classify the rows of a CSV file.

    Args:
        reviews: The classifier.
        path: The file, as ``data_prep.readers.labelled_texts.iter_csv`` takes it.
        text: Column of the documents.
        most: Rows, at most.

    Returns:
        One line a row, in their order, with ``row`` (from 1 after the header), ``label``, ``p_LABEL`` for each label,
        ``words``, ``unknown_words``, ``problem`` and ``text``; of a row that cannot be answered only number, text and
        problem are there, and the others go on.

    Raises:
        InputError: The file cannot be read, lacks the column, or has no rows or too many.
    """
    import pandas as pd

    given: list[str | Refused] = []
    for row in iter_csv(path, text):
        if len(given) == most:
            raise InputError(
                "The file has too many rows for the page",
                allowed=f"{most:,} rows",
                remedy="Use the command line: python -m apps reviews classify --lines",
            )
        given.append(row.text if isinstance(row, Row) else Refused(row.number, f"{row.where}: {row.reason}"))
    if not given:
        raise InputError("The file has no rows after its header")
    shares = [f"p_{label}" for label in reviews.labels]
    found = []
    for number, (said, answer) in enumerate(zip(given, reviews.classify_many(given), strict=True), start=1):
        cells = {"row": number, "text": said if isinstance(said, str) else ""}
        if isinstance(answer, Refused):
            found.append(cells | {"problem": answer.problem})
        else:
            cells |= dict(zip(shares, answer.probabilities.values(), strict=True))
            found.append(
                cells | {name: getattr(answer, name) for name in ("label", "words", "unknown_words")}
            )
    columns = ["row", "label", *shares, "words", "unknown_words", "problem", "text"]
    return pd.DataFrame(found, columns=columns).astype({"words": "Int64", "unknown_words": "Int64"})


def verdicts_file(verdicts: pd.DataFrame) -> str:
    """Write verdicts as CSV, without the texts."""
    return verdicts.drop(columns="text").to_csv(index=False, float_format="%.6f", lineterminator="\n")
