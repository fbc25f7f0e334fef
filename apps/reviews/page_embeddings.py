"""Section "Embeddings": what word vectors from unlabelled text are worth, for reviews and for tags."""

from __future__ import annotations

import streamlit as st

from apps.reviews.reports import transfer_report
from apps.shared import charts
from apps.shared.page import input_errors
from apps.tagger.page_benchmark import transfer_picture
from apps.tagger.reports import EMBEDDINGS
from apps.tagger.reports import transfer_report as tags_report

COMMAND = "python -m benchmarks.embedding_transfer --task"


def show() -> None:
    """Draw the section."""
    st.markdown(
        "Masked word prediction is a proxy task: nobody needs its answers, but the vectors that it leaves serve "
        "another task, the more the fewer labels that one has. Three starts of the embeddings: drawn at random, "
        "word2vec that stays as it is, and word2vec that training changes."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        _task("reviews", "Verdicts on reviews", "train reviews used", transfer_report)
    with right:
        _task("tags", "Parts of speech", "training sentences used", tags_report)


def _task(task: str, title: str, unit: str, read) -> None:
    st.subheader(title, anchor=False)
    with input_errors():
        cells = read()
        if not cells:
            st.info(f"The benchmark has not run in this checkout. Run it: `{COMMAND} {task} --store`")
            return
        charts.show(
            transfer_picture(cells, "mean", "% right", unit),
            f"transfer {task}",
            f"{title}: % right by labels",
        )
        count = "documents" if task == "reviews" else "sentences"
        st.dataframe(
            [
                {
                    "embeddings": EMBEDDINGS[cell.embedding],
                    "% of labels": cell.share,
                    count: getattr(cell, count),
                    "% right": round(cell.mean, 2),
                    "± s.d.": round(cell.deviation, 2),
                }
                for cell in cells
            ],
            hide_index=True,
        )
        st.caption(f"{cells[0].seeds} seeds a cell. Measure again: `{COMMAND} {task} --store`")
