"""Section "Embeddings": what word vectors from unlabelled text are worth, for reviews and for tags."""

from __future__ import annotations

import streamlit as st

from apps.shared.page_reports import show_facts, show_report, show_table
from apps.shared.page_transfer import show_transfer
from apps.shared.transfer import REVIEWS, TAGS


def show() -> None:
    """Draw the section."""
    st.markdown(
        "Masked word prediction is a proxy task: nobody needs its answers, but the vectors that it leaves serve "
        "another task, the more the fewer labels that one has. Three starts of the embeddings: drawn at random, "
        "word2vec that stays as it is, and word2vec that training changes."
    )
    tasks = (
        (REVIEWS, "Verdicts on reviews", "train reviews used"),
        (TAGS, "Parts of speech", "training sentences used"),
    )
    for cell, (table, title, unit) in zip(st.columns(2, gap="medium"), tasks, strict=True):
        with cell:
            st.subheader(title, anchor=False)
            score = next(column for column in table.columns if column.title)
            show_report(
                table,
                lambda report, score=score, unit=unit: show_transfer(report, score, unit),
                show_table,
                show_facts,
            )
