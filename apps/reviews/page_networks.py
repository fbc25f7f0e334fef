"""Section "Networks": every network on the test half of IMDB, beside what others published."""

from __future__ import annotations

from dataclasses import replace

from apps.reviews.reports import NETWORKS
from apps.shared.page_reports import show_bars, show_facts, show_report, show_table
from apps.shared.style import palette
from apps.shared.tables import Line, Report


def show() -> None:
    """Draw the section."""
    show_report(NETWORKS, _picture, show_table, show_facts)


def _picture(report: Report) -> None:
    lines = sorted(report.lines, key=lambda line: -line.values[0])
    show_bars(replace(report, lines=tuple(lines)), colour=_colour, limits=(50, 100))


def _colour(line: Line) -> str:
    return palette().peer if line.label.endswith("(published)") else palette().ours
