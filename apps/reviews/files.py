"""Many documents: lines of streams in bounded memory, and CSV files whose verdicts are a CSV file again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from apps.reviews.application import Reviews
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import Refused, Row, iter_csv

if TYPE_CHECKING:
    import pandas as pd

MAX_LINE_BYTES = 1 << 24
_SKIPPED_AT_ONCE = 1 << 20


def document_lines(stream: BinaryIO) -> Iterator[str | Refused]:
    """Read the lines of a stream, UTF-8 with or without a byte order mark, as documents.

    Yields:
        For each line in turn its text, or, where it is no text or too long, why it is refused; the rest goes on.
    """
    read = partial(stream.readline, MAX_LINE_BYTES + 1)
    for number, line in enumerate(iter(read, b""), start=1):
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (more := stream.readline(_SKIPPED_AT_ONCE)) and not more.endswith(b"\n"):
                pass
            yield Refused(number, f"it is longer than {MAX_LINE_BYTES >> 20} MiB")
        elif b"\0" in line:
            yield Refused(number, "it is no text: it holds a NUL character")
        else:
            try:
                text = line.removesuffix(b"\n").decode("utf-8-sig" if number == 1 else "utf-8")
                yield text.removesuffix("\r")
            except UnicodeDecodeError as error:
                wrong = f"byte {error.start} of the line is {line[error.start]:#04x}"
                yield Refused(number, f"it is not UTF-8: {wrong}")


def csv_verdicts(reviews: Reviews, path: Path, text: str, most: int) -> pd.DataFrame:
    """Classify the rows of a CSV file (``data_prep.readers.labelled_texts.iter_csv``), at most ``most``.

    Returns:
        One line a row, in their order, with ``row`` (from 1 after the header), ``label``, ``p_LABEL`` for each label,
        ``words``, ``unknown_words``, ``problem`` and ``text``; of a row that cannot be answered only number, text and
        problem are there, and the others go on.

    Raises:
        InputError: The file cannot be read, lacks the column ``text``, or has no rows or too many.
    """
    import pandas as pd

    rows = list(islice(iter_csv(path, text), most + 1))
    if len(rows) > most:
        raise InputError(
            "The file has too many rows for the page",
            allowed=f"{most:,} rows",
            remedy="Use the command line: python -m apps reviews classify --lines",
        )
    if not rows:
        raise InputError("The file has no rows after its header")
    texts = [row.text if isinstance(row, Row) else row for row in rows]
    shares = [f"p_{label}" for label in reviews.labels]
    found = []
    for row, answer in zip(rows, reviews.classify_many(texts), strict=True):
        cells = {"row": row.number, "text": row.text if isinstance(row, Row) else ""}
        if isinstance(answer, Refused):
            cells["problem"] = answer.problem
        else:
            cells |= {name: getattr(answer, name) for name in ("label", "words", "unknown_words")}
            cells |= dict(zip(shares, answer.probabilities.values(), strict=True))
        found.append(cells)
    columns = ["row", "label", *shares, "words", "unknown_words", "problem", "text"]
    return pd.DataFrame(found, columns=columns).astype({"words": "Int64", "unknown_words": "Int64"})


def verdicts_file(verdicts: pd.DataFrame) -> str:
    """Write verdicts as CSV, without the texts."""
    return verdicts.drop(columns="text").to_csv(index=False, float_format="%.6f", lineterminator="\n")
