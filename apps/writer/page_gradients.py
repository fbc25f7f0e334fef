"""Section "Gradients": how far back in the text a prediction is learned from."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import heavy_work, input_errors
from apps.shared.page_reports import Curve, curves, show_report
from apps.shared.tables import Report
from apps.writer.application import Writer
from apps.writer.explain import MOST_TOKENS, gradient_lengths
from apps.writer.page_pieces import SAID, linked_text
from apps.writer.reports import LADDER, NETWORKS, TITLES


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(_("**Four cells, trained alike**"))
        show_report(LADDER, _ladder_gradients)
    with right:
        st.markdown(_("**The writer, on the text below**"))
        place = st.container()
    with st.form("gradients_form"):
        text = linked_text(_("Text"), "text", SAID["gates"]["text"], most=MOST_TOKENS, height=140)
        st.form_submit_button(_("Show"), type="primary")
    with place, input_errors(), heavy_work():
        _own_gradients(writer, text)


def _ladder_gradients(report: Report) -> None:
    rows = {_(TITLES[cell]): report.found.numbers(f"gradients.{cell}.sums") for cell in NETWORKS}
    _show_gradients(rows, "ladder gradients", _("Length of the gradient by step back for four cells"))
    st.caption(
        _(
            "How much the loss of the last step T changes with z(t), the weighted sums of an earlier step t: "
            "the length of the gradient d loss(T) / d z(t), relative to that of the last step, median over "
            "held-out text. Where it has vanished, nothing is learned from that step."
        )
    )


def _own_gradients(writer: Writer, text: str) -> None:
    lengths = enumerate(gradient_lengths(writer, text), start=1)
    rows = {_("layer {number}", number=number): values.tolist() for number, values in lengths}
    _show_gradients(
        rows, "own gradients", _("Length of the gradient by step back for the layers of the writer")
    )
    st.caption(_("From the loss of the text's last letter, one text only, so the line is rough."))


def _show_gradients(rows: Mapping[str, list[float]], key: str, alt: str) -> None:
    """Draw lengths relative to that of the last step."""
    lines = {}
    for name, look in charts.line_looks(list(rows)).items():
        values = [value / (rows[name][-1] or 1.0) if value > 0 else None for value in reversed(rows[name])]
        lines[name] = Curve(range(len(values)), values, *look, more={"mode": "lines"})
    hover = _("%{x} steps back: %{y:.2e}")
    picture = curves(lines, x_title=_("steps back"), y_title=_("length, last step = 1"), hover=hover)
    picture.update_yaxes(type="log", exponentformat="power", dtick=1)
    charts.show(picture, key, alt)
