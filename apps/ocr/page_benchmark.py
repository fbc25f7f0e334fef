"""Section "Benchmark": the shipped presets on the test fold, and speed and error beside CRFsuite."""

from __future__ import annotations

import streamlit as st

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET
from apps.ocr.evaluation import WAYS
from apps.ocr.reports import SYSTEMS, ReadingSpeedReport, preset_errors, speed_report
from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.reports import preset_installed
from apps.shared.style import palette

COMMAND = "python -m benchmarks.ocr_speed --store"
MEASURES = {
    "words_per_second": ("words a second, in batches", ",.0f"),
    "one_word_ms": ("milliseconds for one word", ".2f"),
    "character_error": ("letters read wrong, %", ".2f"),
}


def show() -> None:
    """Draw the section."""
    st.subheader("On fold 0", anchor=False)
    for preset in (LETTERS_PRESET, WORDS_PRESET):
        with input_errors():
            _scores(preset)
    st.subheader("Beside CRFsuite", anchor=False)
    with input_errors():
        report = speed_report()
        if report is None:
            st.info(f"The benchmark has not run in this checkout. Run it: `{COMMAND}`")
        else:
            _speed(report)


def _scores(preset: str) -> None:
    if not preset_installed(preset):
        st.info(f"The preset {preset} is not part of this checkout.")
        return
    rows = [
        {
            "read by": WAYS[one.way],
            "letters wrong, %": round(one.character_error, 2),
            "standard error": round(one.standard_error, 2),
            "words wrong, %": round(one.word_error, 2),
            "letters": one.n,
        }
        for one in preset_errors(preset)
    ]
    st.dataframe(rows, hide_index=True)


def _speed(report: ReadingSpeedReport) -> None:
    colours = palette()
    for column, (measure, (title, number)) in zip(st.columns(3, gap="medium"), MEASURES.items(), strict=True):
        shown = [one for one in report.systems if getattr(one, measure) is not None]
        with column:
            charts.show(
                charts.bars(
                    [SYSTEMS[one.system] for one in shown],
                    [getattr(one, measure) for one in shown],
                    x_title=title,
                    colour=[colours.peer if "crfsuite" in one.system else colours.ours for one in shown],
                    number=number,
                ),
                f"speed {measure}",
                title,
            )
    st.caption(
        f"The {report.words:,} words of fold 0, all systems trained on the others, held to {report.threads} processor "
        f"core(s) of {plain(report.processor)}; CRFsuite uses one of them, and its features are made before the clock "
        f"starts. Measure again: `{COMMAND}`"
    )
