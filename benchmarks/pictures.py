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
    losses = [line.row["nats_per_character"] for line in report.lines]
    shapes = []
    for at, (line, nats) in enumerate(zip(report.lines, losses, strict=True)):
        name = line.row["name"]
        top, width = 44 + at * _STEP, (_WIDTH - _NAMES - 60) * nats / max(losses)
        middle = top + _BAR / 2 + 5
        counting = name != "shipped" and line.row.get("units") is None
        colour = _SHIPPED if name == "shipped" else _COUNTING if counting else _NETWORK
        shapes += [
            f'<text x="{_NAMES - 8}" y="{middle:g}" text-anchor="end">{escape(TITLES[name])}</text>',
            f'<rect x="{_NAMES}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="3" fill="{colour}"/>',
            f'<text x="{_NAMES + width + 8:.1f}" y="{middle:g}">{nats:.2f}</text>',
        ]
    title = f"Loss on held-out text ({report.found['settings.text']}), nats a character: shorter is better"
    return _svg(_WIDTH, 44 + len(losses) * _STEP + 8, title, shapes, letters=14, title_at=24)


def depth_picture(results: dict[str, Any]) -> str:
    """Draw the comparison of depth as an SVG picture: loss and accuracy by epoch, gradients before training.

    Args:
        results: As ``benchmarks.digits_depth`` makes them.
    """
    runs = results["runs"]
    first = {name: {"norms": list(run["gradient_norms"]["first"].values())} for name, run in runs.items()}
    panels = (
        ("training loss by epoch", "train_loss", runs, True),
        ("validation accuracy by epoch, %", "validation_accuracy", runs, False),
        ("gradient by layer, before training", "norms", first, True),
    )
    shapes = []
    for at, (title, key, values, logarithmic) in enumerate(panels):
        curves = {name: values[name][key] for name in runs}
        left = _LEFT + at * (_PANEL_WIDTH + _GAP)
        shapes.append(f'<g transform="translate({left},{_TOP})">{_panel(title, curves, logarithmic)}</g>')
    height = _TOP + _PANEL_HEIGHT + 50
    for at, (name, colour) in enumerate(_COLOURS.items()):
        x, y = _LEFT + 170 * at, height - 10
        line = f'x1="{x}" y1="{y - 5}" x2="{x + 26}" y2="{y - 5}"'
        shapes.append(f'<line {line} stroke="{colour}" stroke-width="3"/>')
        shapes.append(f'<text x="{x + 32}" y="{y}">{DEPTH_TITLES[name]}</text>')
    title = f"A network of {results['settings']['layers']} layers, with and without residual connections"
    width = _LEFT + len(panels) * (_PANEL_WIDTH + _GAP)
    return _svg(width, height, title, shapes, letters=13, title_at=22)


def _panel(title: str, curves: dict[str, Sequence[float]], logarithmic: bool) -> str:
    """Draw the curves of one panel with the smallest and largest value at the left."""
    if logarithmic:
        least = min((value for curve in curves.values() for value in curve if value > 0.0), default=1.0)
        curves = {name: [math.log10(max(value, least)) for value in curve] for name, curve in curves.items()}
    values = [value for curve in curves.values() for value in curve]
    low, high = min(values), max(values)
    shapes = [
        f'<rect width="{_PANEL_WIDTH}" height="{_PANEL_HEIGHT}" fill="none" stroke="#7d828a" opacity="0.4"/>'
    ]
    for name, curve in curves.items():
        step = _PANEL_WIDTH / max(1, len(curve) - 1)
        heights = [_PANEL_HEIGHT * (1.0 - (value - low) / ((high - low) or 1.0)) for value in curve]
        points = " ".join(f"{at * step:.1f},{height:.1f}" for at, height in enumerate(heights))
        shapes.append(f'<polyline points="{points}" fill="none" stroke="{_COLOURS[name]}" stroke-width="2"/>')
    for value, y in ((low, _PANEL_HEIGHT), (high, 10)):
        shown = 10.0**value if logarithmic else value
        shapes.append(f'<text x="-6" y="{y}" text-anchor="end">{shown:.3g}</text>')
    return "".join([*shapes, f'<text x="0" y="{_PANEL_HEIGHT + 16}">{escape(title)}</text>'])


def _svg(width: int, height: int, title: str, shapes: Sequence[str], *, letters: int, title_at: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}"><style>text{{font:{letters}px system-ui,sans-serif;fill:#7d828a}}</style>'
        f'<text x="12" y="{title_at}">{escape(title)}</text>{"".join(shapes)}</svg>\n'
    )
