"""Section "File": a CSV file of documents, and its verdicts as a CSV file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import streamlit as st

from apps.reviews.application import DEFAULT_PRESET, Reviews
from apps.reviews.files import csv_verdicts, verdicts_file
from apps.reviews.page_text import EXAMPLES
from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import heavy_work, input_errors, plain, text_box
from apps.shared.style import palette

MOST_MEBIBYTES, MOST_ROWS = 5, 5_000
_SHOWN, _LONGEST, _NAMED = 200, 160, 5
_WHOLE = 20  # rows of a table that does not scroll


def show(reviews: Reviews, preset: str) -> None:
    """Draw the section."""
    column = text_box(st, _("Column of the documents"), "text", "column", 200)
    upload = st.file_uploader(
        _(
            "A CSV file in UTF-8 whose first row names the columns, at most {most_mebibytes} MiB",
            most_mebibytes=MOST_MEBIBYTES,
        ),
        type=["csv", "tsv", "txt"],
        key="csv file",
        max_upload_size=MOST_MEBIBYTES,
    )
    content, column = (_example(preset), "text") if upload is None else (upload.getvalue(), column.strip())
    if upload is None:
        st.info(
            _(
                "Every row gets a verdict; rows that cannot be read are listed by their numbers. "
                "Until you upload a file, these are verdicts on a small example."
            )
        )
    with input_errors():
        _summary(_classified(preset, reviews, content, column), reviews.labels)


def _example(preset: str) -> bytes:
    """A CSV file of a few documents that fit the preset."""
    lines = EXAMPLES["lines"].splitlines()
    own = {} if preset == DEFAULT_PRESET else EXAMPLES.get(preset, {})
    return pd.DataFrame({"text": list(own.values()) or lines}).to_csv(index=False).encode()


@st.cache_data(show_spinner="Reading …", max_entries=4)
def _classified(preset: str, _reviews: Reviews, content: bytes, column: str) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder, heavy_work():
        path = Path(folder) / "upload.csv"
        path.write_bytes(content)
        return csv_verdicts(_reviews, path, column, MOST_ROWS)


def _summary(verdicts: pd.DataFrame, labels: tuple[str, ...]) -> None:
    counts = verdicts["label"].value_counts().reindex(list(labels), fill_value=0).tolist()
    picture = charts.bars(labels, counts, x_title=_("rows"), colour=palette().ours, number=",")
    charts.show(picture, "file", _("Rows by verdict"))
    refused = verdicts[verdicts["label"].isna()]
    if len(refused):
        named = [
            _("row {row}: {problem}", row=one.row, problem=one.problem)
            for one in refused[:_NAMED].itertuples()
        ]
        more = [_("and {n:,} more", n=len(refused) - _NAMED)] if len(refused) > _NAMED else []
        said = _(
            "{n:,} of {all:,} rows have no verdict. {rows}.",
            n=len(refused),
            all=len(verdicts),
            rows="; ".join(named + more),
        )
        st.warning(plain(said))
    st.download_button(
        _("Download verdicts"),
        lambda: verdicts_file(verdicts),
        "verdicts.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    shares = verdicts[[f"p_{label}" for label in labels]]
    shown = pd.DataFrame(
        {
            _("row"): verdicts["row"],
            _("verdict"): verdicts["label"].fillna("–"),
            _("sure, %"): (100 * shares.max(axis=1)).round(1),
            _("text"): verdicts["text"].str[:_LONGEST],
        }
    )
    looks = {
        _("row"): st.column_config.NumberColumn(width=60),
        _("verdict"): st.column_config.TextColumn(width=120),
        _("sure, %"): st.column_config.NumberColumn(format="%.1f", width=80),
        _("text"): st.column_config.TextColumn(width=800),
    }
    height = "content" if len(verdicts) <= _WHOLE else "auto"
    st.dataframe(shown[:_SHOWN], hide_index=True, column_config=looks, height=height)
    if len(verdicts) > _SHOWN:
        st.caption(
            _("The first {shown} of {n:,} rows; the download holds all.", shown=_SHOWN, n=len(verdicts))
        )
