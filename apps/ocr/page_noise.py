"""Section "Noise": a word gets worse pixel by pixel, and every network's error on the test fold with it."""

from __future__ import annotations

import streamlit as st

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader, noisy
from apps.ocr.evaluation import WAYS
from apps.ocr.page_letters import show_letters
from apps.ocr.page_source import Letters, written
from apps.ocr.reports import CONTEXT, noise_curves
from apps.shared import charts
from apps.shared.charts import line_looks
from apps.shared.page import input_errors
from apps.shared.page_reports import Curve, curves, show_facts, show_report
from apps.shared.style import palette
from apps.shared.tables import Report

MOST = 30


def show(reader: Reader, preset: str) -> None:
    """Draw the section."""
    level = st.slider("Pixels turned, %", 0, MOST, 10, key="noise", bind="query-params")
    show_report(CONTEXT, lambda report: _curves(report, level), show_facts)
    if preset != LETTERS_PRESET:
        st.caption(
            f"The curves are those of {LETTERS_PRESET} and {WORDS_PRESET}; this preset reads the word below."
        )
    with input_errors():
        chosen, hand = written(reader)
        images = noisy(chosen.images, level / 100, seed=hand)
        show_letters(Letters(images, chosen.truth), reader.read_letters(images))


def _curves(report: Report, level: int) -> None:
    found = noise_curves(report.found)
    shares, looks = [100 * share for share in report.found.numbers("levels")], line_looks(list(found))
    picture = curves(
        {WAYS[way]: Curve(shares, errors, *looks[way]) for way, errors in found.items()},
        x_title="pixels turned, %",
        y_title="letters read wrong, %",
        hover="%{x} % of the pixels: %{y:.2f} %",
        height=460,
    )
    picture.add_vline(x=level, line={"color": palette().text, "dash": "dot", "width": 1})
    legend = {"y": 1.02, "yanchor": "bottom"}  # below it would meet the axis title in narrow windows
    picture.update_layout(margin={"t": 24}, legend=legend)
    picture.update_yaxes(rangemode="tozero")
    charts.show(picture, "noise curves", "Character error of every way of reading by the share of noise")
