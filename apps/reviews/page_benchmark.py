"""Section "Benchmark": speed and accuracy beside TF-IDF with logistic regression and fastText, and bounded memory."""

from __future__ import annotations

import streamlit as st

from apps.reviews.reports import SYSTEMS, ClassifierSpeedReport, speed_report
from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.style import palette

COMMAND = "python -m benchmarks.reviews_speed --store"
_MEASURES = {
    "documents_per_second": ("documents a second, in batches", ",.0f"),
    "one_document_ms": ("milliseconds for one document", ".2f"),
    "accuracy": ("test reviews right, %", ".2f"),
    "training_seconds": ("seconds of training", ",.0f"),
}


def show() -> None:
    """Draw the section."""
    with input_errors():
        report = speed_report()
        if report is None:
            st.info(f"The benchmark has not run in this checkout. Run it: `{COMMAND}`")
        else:
            _speed(report)


def _speed(report: ClassifierSpeedReport) -> None:
    colours = palette()
    names = [SYSTEMS[one.system] for one in report.systems]
    hues = [colours.ours if one.system == "lectern" else colours.peer for one in report.systems]
    for at, (measure, (title, number)) in enumerate(_MEASURES.items()):
        if at % 2 == 0:
            columns = st.columns(2, gap="medium")
        with columns[at % 2]:
            values = [getattr(one, measure) for one in report.systems]
            picture = charts.bars(names, values, x_title=title, colour=hues, number=number)
            charts.show(picture, f"speed {measure}", title)
    st.caption(
        f"The test half of IMDB from raw text, batches of {report.documents:,} documents, all systems held to "
        f"{report.threads} core(s) of {plain(report.processor)}. Measure again: `{COMMAND}`"
    )
    if report.memory_mib:
        memory = ", ".join(
            f"{lines:,} lines: {peak:,.0f} MiB" for lines, peak in sorted(report.memory_mib.items())
        )
        st.caption(
            f"Peak memory of `classify --lines`, which keeps no line: {memory}; "
            f"{report.lines_per_second:,.0f} lines a second."
        )
