"""Section "Benchmark": scores beside other taggers, and what word vectors are worth with few sentences."""

from __future__ import annotations

import streamlit as st

from apps.shared.language import _
from apps.shared.page_reports import show_facts, show_numbers, show_report, show_robustness, show_transfer
from apps.shared.tables import Report
from apps.shared.transfer import TAGS
from apps.tagger.application import DEFAULT_PRESET
from apps.tagger.reports import PEERS


def show() -> None:
    """Draw the section."""
    st.subheader(_("Beside other taggers"), anchor=False)
    show_report(PEERS)
    st.subheader(_("What word vectors are worth"), anchor=False)
    show_report(TAGS, _pictures, show_facts, show_numbers)
    show_robustness(DEFAULT_PRESET)


def _pictures(report: Report) -> None:
    scores = [column for column in TAGS.columns if column.title]
    for cell, column in zip(st.columns(2, gap="medium"), scores, strict=True):
        with cell:
            show_transfer(report, column, _("training sentences used"))
