"""Section "Noise": a word gets worse pixel by pixel, and every network's error on the test fold with it."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from apps.ocr.application import Reader, noisy
from apps.ocr.evaluation import WAYS
from apps.ocr.page_letters import show_letters
from apps.ocr.page_looks import line_looks
from apps.ocr.page_source import Letters, compose
from apps.ocr.reports import ContextReport, context_report
from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.style import palette
from data_prep.images.letter_batches import letter_pictures

COMMAND = "python -m benchmarks.ocr_context --store"
MOST = 30


def show(reader: Reader) -> None:
    """Draw the section.

    Args:
        reader: Opened for letters.
    """
    level = st.slider("Pixels turned, %", 0, MOST, 10, key="noise", bind="query-params")
    with input_errors():
        report = context_report()
        if report is None:
            st.info(f"The curves have not been measured in this checkout. Measure them: `{COMMAND}`")
        else:
            charts.show(
                _curves(report, level),
                "noise curves",
                "Character error of every way of reading by the share of noise",
            )
            letters, words = (report.n.get(way, 0) for way in ("alone", "words"))
            whole = f", words in one piece on {words:,}" if words else ""
            st.caption(
                f"On the {letters:,} letters of fold 0{whole}; {plain(report.processor)}. Measure again: `{COMMAND}`"
            )
    with input_errors():
        text, letters, hand = compose()
        images = noisy(letter_pictures(letters), level / 100, seed=hand)
        show_letters(Letters(images, text), reader.read_letters(images))


def _curves(report: ContextReport, level: int) -> go.Figure:
    colours = palette()
    looks = line_looks(list(report.curves))
    picture = charts.figure(x_title="pixels turned, %", y_title="letters read wrong, %", height=460)
    for way, errors in report.curves.items():
        colour, dash = looks[way]
        picture.add_scatter(
            x=[100 * share for share in report.levels],
            y=list(errors),
            mode="lines+markers",
            name=WAYS[way],
            line={"color": colour, "dash": dash},
            hovertemplate=f"{WAYS[way]}, %{{x}} % of the pixels: %{{y:.2f}} %<extra></extra>",
        )
    picture.add_vline(x=level, line={"color": colours.text, "dash": "dot", "width": 1})
    legend = {"y": 1.02, "yanchor": "bottom"}  # below it would meet the axis title in narrow windows
    picture.update_layout(showlegend=True, margin={"t": 24}, legend=legend)
    picture.update_yaxes(rangemode="tozero")
    return picture
