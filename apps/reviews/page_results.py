"""Sections of stored results: every network beside what others published, and what word vectors are worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from apps.reviews.application import DEFAULT_PRESET
from apps.reviews.reports import NETWORKS, PEERS
from apps.shared.language import _
from apps.shared.page_reports import (
    show_bars,
    show_facts,
    show_report,
    show_robustness,
    show_table,
    show_transfer,
)
from apps.shared.robustness import NEGATIONS, OTHER_ORIGINS
from apps.shared.style import palette
from apps.shared.tables import Line, Report
from apps.shared.transfer import REVIEWS, TAGS


def show_networks() -> None:
    """Draw the section "Networks"."""
    show_report(NETWORKS, _best_first, show_table, show_facts)


def show_benchmark() -> None:
    """Draw the section "Benchmark": other systems, worse texts, negations, other things than films."""
    show_report(PEERS)
    show_robustness(DEFAULT_PRESET)
    st.subheader(_("Negations and turns"), anchor=False)
    show_report(NEGATIONS, show_table, show_facts)
    st.subheader(_("Short texts about other things"), anchor=False)
    show_report(OTHER_ORIGINS, show_table, show_facts)


def show_embeddings() -> None:
    """Draw the section "Embeddings": for reviews and for tags."""
    st.markdown(
        _(
            "Masked word prediction is a proxy task: nobody needs its answers, but the vectors "
            "that it leaves serve another task, the more the fewer labels that one has. Three "
            "starts of the embeddings: drawn at random, word2vec that stays as it is, and word2vec "
            "that training changes."
        )
    )
    left, right = st.columns(2, gap="medium")
    wide = partial(_below, st.container())
    with left:
        title = _("Verdicts on reviews")
        st.subheader(title, anchor=False)
        show_report(REVIEWS, _by_share(_("training reviews used")), show_facts, partial(wide, title))
    with right:
        title = _("Parts of speech")
        st.subheader(title, anchor=False)
        show_report(TAGS, _by_share(_("training sentences used")), show_facts, partial(wide, title))


def _below(below: Any, title: str, report: Report) -> None:
    """Write a table as wide as the page below both pictures."""
    with below:
        st.markdown(f"**{title}**")
        show_table(report)


def _best_first(report: Report) -> None:
    lines = sorted(report.lines, key=lambda line: -line.values[0])
    show_bars(replace(report, lines=tuple(lines)), colour=_colour, limits=(50, 100))


def _colour(line: Line) -> str:
    return palette().peer if line.label.endswith("(published)") else palette().ours


def _by_share(of: str) -> Callable[[Report], None]:
    def draw(report: Report) -> None:
        show_transfer(report, next(column for column in report.table.columns if column.title), of)

    return draw
