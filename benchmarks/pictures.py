"""The pictures of the documentation that benchmarks draw: the loss ladder, and what residual connections do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from apps.shared.tables import Report
from apps.writer.reports import TITLES

_WIDTH, _NAMES, _BAR, _STEP = 720, 250, 22, 32
_COUNTING, _NETWORK, _SHIPPED = "#8a8f98", "#4c78a8", "#d1603d"  # readable on white and on black
_COLOURS = {"resnet": "#3b82c4", "plain": "#c98a2d"}
DEPTH_TITLES = {"resnet": "with connections", "plain": "without"}
_PANEL_WIDTH, _PANEL_HEIGHT, _LEFT, _TOP, _GAP = 280, 170, 56, 46, 70


def ladder_picture(report: Report) -> str:
    """Draw the loss ladder as an SVG picture: one bar a rung.

    Args:
        report: ``apps.writer.reports.LADDER``, filled.
    """
    longest = max(line.row["nats_per_character"] for line in report.lines)
    room = _WIDTH - _NAMES - 60
    shapes = []
    for at, line in enumerate(report.lines):
        nats = line.row["nats_per_character"]
        top, width = 44 + at * _STEP, room * nats / longest
        middle, title = top + _BAR / 2 + 5, escape(TITLES[line.row["name"]])
        colour = _SHIPPED if line.row["name"] == "shipped" else _NETWORK
        if line.row.get("units") is None and colour == _NETWORK:
            colour = _COUNTING
        shapes.append(f'<text x="{_NAMES - 8}" y="{middle:g}" text-anchor="end">{title}</text>')
        shapes.append(
            f'<rect x="{_NAMES}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="3" fill="{colour}"/>'
        )
        shapes.append(f'<text x="{_NAMES + width + 8:.1f}" y="{middle:g}">{nats:.2f}</text>')
    height = 44 + len(report.lines) * _STEP + 8
    title = f"Loss on held-out text ({escape(report.found['settings.text'])}), nats a character: shorter is better"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}">'
        "<style>text{font:14px system-ui,sans-serif;fill:#7d828a}</style>"
        f'<text x="12" y="24">{title}</text>{"".join(shapes)}</svg>\n'
    )


def depth_picture(results: dict[str, Any]) -> str:
    """Draw the comparison of depth: loss and accuracy by epoch, gradients by layer before training.

    Args:
        results: As ``benchmarks.digits_depth`` makes them.

    Returns:
        An SVG picture.
    """
    runs, layers = results["runs"], results["settings"]["layers"]
    panels = (
        ("training loss by epoch", {name: run["train_loss"] for name, run in runs.items()}, True),
        (
            "validation accuracy by epoch, %",
            {n: run["validation_accuracy"] for n, run in runs.items()},
            False,
        ),
        (
            "gradient by layer, before training",
            {name: list(run["gradient_norms"]["first"].values()) for name, run in runs.items()},
            True,
        ),
    )
    title = f"A network of {layers} layers, with and without residual connections"
    shapes = [f'<text x="12" y="22">{escape(title)}</text>']
    for at, (name, curves, logarithmic) in enumerate(panels):
        left = _LEFT + at * (_PANEL_WIDTH + _GAP)
        shapes.append(f'<g transform="translate({left},{_TOP})">{_panel(name, curves, logarithmic)}</g>')
    width = _LEFT + len(panels) * (_PANEL_WIDTH + _GAP)
    height = _TOP + _PANEL_HEIGHT + 50
    for at, (name, colour) in enumerate(_COLOURS.items()):
        x, y = _LEFT + 170 * at, height - 10
        shapes.append(
            f'<line x1="{x}" y1="{y - 5}" x2="{x + 26}" y2="{y - 5}" stroke="{colour}" stroke-width="3"/>'
        )
        shapes.append(f'<text x="{x + 32}" y="{y}">{DEPTH_TITLES[name]}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}"><style>text{{font:13px system-ui,sans-serif;fill:#7d828a}}</style>'
        f"{''.join(shapes)}</svg>\n"
    )


def _panel(name: str, curves: dict[str, Sequence[float]], logarithmic: bool) -> str:
    """Draw the curves of one panel with the smallest and largest value at the left."""
    values = [float(value) for curve in curves.values() for value in curve]
    if logarithmic:
        positive = [value for value in values if value > 0.0] or [1.0]
        low, high = math.log10(min(positive)), math.log10(max(positive))
    else:
        low, high = min(values), max(values)
    span = (high - low) or 1.0

    def height(value: float) -> float:
        scaled = (math.log10(value) if value > 0.0 else low) if logarithmic else value
        return _PANEL_HEIGHT * (1.0 - (scaled - low) / span)

    shapes = [
        f'<rect width="{_PANEL_WIDTH}" height="{_PANEL_HEIGHT}" fill="none" stroke="#7d828a" opacity="0.4"/>'
    ]
    for key, curve in curves.items():
        step = _PANEL_WIDTH / max(1, len(curve) - 1)
        points = " ".join(f"{at * step:.1f},{height(float(value)):.1f}" for at, value in enumerate(curve))
        shapes.append(f'<polyline points="{points}" fill="none" stroke="{_COLOURS[key]}" stroke-width="2"/>')
    ends = [10.0**low, 10.0**high] if logarithmic else [low, high]
    for value, y in zip(ends, (_PANEL_HEIGHT, 10), strict=True):
        shapes.append(f'<text x="-6" y="{y}" text-anchor="end">{value:.3g}</text>')
    shapes.append(f'<text x="0" y="{_PANEL_HEIGHT + 16}">{escape(name)}</text>')
    return "".join(shapes)
