"""Section "Benchmark": the shipped presets on the test fold, and speed and error beside CRFsuite."""

from __future__ import annotations

import streamlit as st

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET
from apps.ocr.reports import SPEED, WAYS_SCORES
from apps.shared.page_reports import show_preset, show_report


def show() -> None:
    """Draw the section."""
    st.subheader("On fold 0", anchor=False)
    for preset in (LETTERS_PRESET, WORDS_PRESET):
        show_preset(WAYS_SCORES, preset)
    st.subheader("Beside CRFsuite", anchor=False)
    show_report(SPEED)
