"""Section "Benchmark": scores on the official test set, and speed as people use it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from apps.digits.reports import PRESETS, SCORES
from apps.shared.as_used import AS_USED
from apps.shared.language import _
from apps.shared.page import plain
from apps.shared.page_reports import show_facts, show_metrics, show_report, show_robustness, show_table
from apps.shared.tables import Report


def show() -> None:
    """Draw the section."""
    st.subheader(_("On the official test set"), anchor=False)
    for preset in PRESETS:
        show_report(SCORES, _scores, preset=preset)
    show_robustness(*PRESETS)
    st.subheader(_("How fast it reads"), anchor=False)
    show_report(AS_USED, _speed, show_facts)


def _speed(report: Report) -> None:
    """Write the lines about digits; the others stand on their own pages."""
    show_table(replace(report, lines=tuple(line for line in report.lines if "digits" in line.label)))


def _scores(report: Report) -> None:
    st.markdown(f"**{report.lines[0].label}**")
    show_metrics(report.found, SCORES.columns)
    st.caption(report.found.text(_("Trained on {metadata.processor}."), escape=plain))
