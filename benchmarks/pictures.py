"""The picture of the documentation that a benchmark draws: the loss ladder."""

from __future__ import annotations

from html import escape

from apps.shared.tables import Report
from apps.writer.reports import TITLES

_WIDTH, _NAMES, _BAR, _STEP, _TOP = 720, 250, 22, 32, 44
_COUNTING, _NETWORK, _SHIPPED = "#8a8f98", "#4c78a8", "#d1603d"  # readable on white and on black


def ladder_picture(report: Report) -> str:
    """Draw the loss ladder, ``apps.writer.reports.LADDER``, as an SVG picture: one bar a rung."""
    losses = [line.row["nats_per_character"] for line in report.lines]
    shapes = []
    for at, (line, nats) in enumerate(zip(report.lines, losses, strict=True)):
        name = line.row["name"]
        top, width = _TOP + at * _STEP, (_WIDTH - _NAMES - 60) * nats / max(losses)
        middle = top + _BAR / 2 + 5
        counting = name != "shipped" and line.row.get("units") is None
        colour = _SHIPPED if name == "shipped" else _COUNTING if counting else _NETWORK
        shapes += [
            f'<text x="{_NAMES - 8}" y="{middle:g}" text-anchor="end">{escape(TITLES[name])}</text>',
            f'<rect x="{_NAMES}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="3" fill="{colour}"/>',
            f'<text x="{_NAMES + width + 8:.1f}" y="{middle:g}">{nats:.2f}</text>',
        ]
    title = f"Loss on held-out text ({report.found['settings.text']}), nats a character: shorter is better"
    height = _TOP + len(losses) * _STEP + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}"><style>text{{font:14px system-ui,sans-serif;fill:#7d828a}}</style>'
        f'<text x="12" y="24">{escape(title)}</text>{"".join(shapes)}</svg>\n'
    )
