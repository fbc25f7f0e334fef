"""Section "File": a CSV file of documents, and its verdicts as a CSV file."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import streamlit as st

from apps.reviews.application import Reviews
from apps.reviews.files import RowVerdict, csv_verdicts, verdicts_file
from apps.shared import charts
from apps.shared.page import heavy_work, input_errors, plain
from apps.shared.style import palette

MOST_MEBIBYTES, MOST_ROWS = 5, 5_000
_SHOWN, _LONGEST = 200, 160


def show(reviews: Reviews, preset: str) -> None:
    """Draw the section."""
    column = st.text_input(
        "Column of the documents", "text", key="column", bind="query-params", max_chars=200
    )
    upload = st.file_uploader(
        f"A CSV file in UTF-8 whose first row names the columns, at most {MOST_MEBIBYTES} MiB",
        type=["csv", "tsv", "txt"],
        key="csv file",
        max_upload_size=MOST_MEBIBYTES,
    )
    if upload is None:
        st.info("Every row gets a verdict; what cannot be read is named by its number, and the rest goes on.")
        return
    with input_errors():
        rows = _classified(reviews, preset, upload.getvalue(), column.strip())
        _summary(rows, reviews.labels)


def _classified(reviews: Reviews, preset: str, content: bytes, column: str) -> list[RowVerdict]:
    """Classify a file, or give the last answer of this visitor for the same one."""
    asked = (content, column, preset)
    last = st.session_state.get("csv verdicts")
    if last is None or last[0] != asked:
        with tempfile.TemporaryDirectory() as folder, heavy_work(), st.spinner("Reading …"):
            path = Path(folder) / "upload.csv"
            path.write_bytes(content)
            last = (asked, csv_verdicts(reviews, path, column, MOST_ROWS))
        st.session_state["csv verdicts"] = last
    return last[1]


def _summary(rows: list[RowVerdict], labels: tuple[str, ...]) -> None:
    counts = Counter(row.verdict.label for row in rows if row.verdict is not None)
    refused = [row for row in rows if row.verdict is None]
    found = [counts[label] for label in labels]
    picture = charts.bars(labels, found, x_title="rows", colour=palette().ours, number=",")
    charts.show(picture, "file", "Rows by verdict")
    if refused:
        first = "; ".join(f"row {row.number}: {row.problem}" for row in refused[:5])
        more = f"; and {len(refused) - 5:,} more" if len(refused) > 5 else ""
        st.warning(plain(f"{len(refused):,} of {len(rows):,} rows have no verdict. {first}{more}."))
    st.download_button(
        "Download verdicts",
        lambda: verdicts_file(rows, labels),
        "verdicts.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.dataframe(
        [
            {
                "row": row.number,
                "verdict": "–" if row.verdict is None else row.verdict.label,
                "sure, %": None if row.verdict is None else round(100 * row.verdict.confidence, 1),
                "text": row.text[:_LONGEST],
            }
            for row in rows[:_SHOWN]
        ],
        hide_index=True,
    )
    if len(rows) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(rows):,} rows; the download holds all.")
