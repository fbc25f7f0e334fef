"""CSV files of documents whose verdicts are a CSV file again."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from apps.reviews.application import Reviews
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import Refused, Row, iter_csv

if TYPE_CHECKING:
    import pandas as pd


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
