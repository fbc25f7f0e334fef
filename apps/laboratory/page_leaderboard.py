"""Section "Leaderboard": scores of the presets beside what others published and what was measured here."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.leaderboard import leaderboard
from apps.shared.page import input_errors, named_choice
from apps.shared.page_reports import show_facts, show_table
from apps.shared.style import palette
from apps.shared.tables import Line


def show() -> None:
    """Draw the section."""
    with input_errors():
        report = leaderboard()
        if not report.lines:
            st.info(_("No preset is in reach."))
            return
        measures = {line.names[0]: _(line.label) for line in report.lines}
        key = named_choice(_("What was measured"), measures, "measure")
        lines = [line for line in report.lines if line.names[0] == key and line.row["score"] is not None]
        charts.show(
            _scores(lines), "leaderboard", f"{measures[key]}: {', '.join(line.cells[0] for line in lines)}"
        )
        show_facts(report)
        st.subheader(_("All systems"), anchor=False)
        show_table(report)


def _scores(lines: Sequence[Line]) -> go.Figure:
    """Draw a point for each system, with bars of two standard errors where they are known."""
    colours, ours = palette(), lines[0]
    unit = ours.row["unit"]
    picture = charts.figure(
        x_title=_("score, {unit}; bars: two standard errors", unit=unit), height=110 + 34 * len(lines)
    )
    for line in lines:
        error = line.row.get("standard_error")
        picture.add_scatter(
            x=[line.row["score"]],
            y=[line.row["system"]],
            mode="markers",
            marker={"size": 11, "color": colours.ours if line is ours else colours.peer},
            error_x=None if error is None else {"type": "data", "array": [2 * error]},
            hovertemplate=f"%{{y}}: {line.cells[1]}<extra></extra>",
        )
    picture.update_layout(showlegend=False)
    picture.update_yaxes(autorange="reversed", type="category", automargin=True)
    return picture
