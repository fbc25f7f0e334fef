"""Section "Benchmark": our word2vec against gensim's, as the last run of the benchmark measured both."""

from __future__ import annotations

import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.page_reports import Curve, curves, show_bars, show_facts, show_numbers, show_report
from apps.shared.style import palette
from apps.shared.tables import Report
from apps.vectors.reports import SPEED


def show() -> None:
    """Draw the section."""
    show_report(SPEED, show_facts, lambda report: show_bars(report, across=2), _curves, show_numbers)


def _curves(report: Report) -> None:
    colours = palette()
    for name, heading, title in (
        ("analogies", _("Score by time"), _("Google analogies, % right")),
        ("loss", _("Loss by time"), _("held-out loss, nats")),
    ):
        found = {}
        for line in report.lines:
            points = [point for _, point in line.row.rows("curve.*") if point.get(name) is not None]
            if points:
                ours, cbow = line.names[1] == "Lectern", line.names[0] == "CBOW"
                found[line.label] = Curve(
                    [point["seconds"] for point in points],
                    [point[name] for point in points],
                    colours.ours if ours else colours.peer,
                    ("dot" if cbow else "solid") if ours else ("dashdot" if cbow else "dash"),
                )
        if found:
            st.subheader(heading, anchor=False)
            hover = _("%{y:.2f} after %{x:.0f} s")
            picture = curves(found, x_title=_("training time, s"), y_title=title, hover=hover, height=380)
            picture.update_xaxes(rangemode="tozero")
            charts.show(picture, f"curve {name}", title)
