"""Section "Benchmark": scores on the official test set, and speed beside PyTorch."""

from __future__ import annotations

import streamlit as st

from apps.digits.reports import PRESETS, SCORES, SPEED
from apps.shared.page import plain
from apps.shared.page_reports import show_metrics, show_report
from apps.shared.tables import Report


def show() -> None:
    """Draw the section."""
    st.subheader("On the official test set", anchor=False)
    for preset in PRESETS:
        show_report(SCORES, _scores, preset=preset)
    st.subheader("Beside PyTorch", anchor=False)
    show_report(SPEED)


def _scores(report: Report) -> None:
    st.markdown(f"**{report.lines[0].label}**")
    show_metrics(report.found, SCORES.columns)
    st.caption(report.found.text("Trained on {metadata.processor}.", escape=plain))
