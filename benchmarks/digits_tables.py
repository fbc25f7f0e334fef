"""The generated tables of README and docs about digits, and the picture of the comparison of depth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from apps.digits.reports import digits_scores, speed_report
from apps.shared.reports import preset_installed
from benchmarks.markdown import number, table

PRESETS = {"digits_mnist": "ResNet", "digits_lecture": "the lecture's network"}
SPEED_COMMAND = "python -m benchmarks.digits --store"
_SYSTEMS = {"lectern": "Lectern", "torch": "PyTorch's best way"}
_COLOURS = {"resnet": "#3b82c4", "plain": "#c98a2d"}
_TITLES = {"resnet": "with connections", "plain": "without"}
_PANEL_WIDTH, _PANEL_HEIGHT, _LEFT, _TOP, _GAP = 280, 170, 56, 46, 70


def digits_table() -> str:
    """Write the scores of the shipped digit networks.

    Returns:
        A table, or a sentence that names the command where there is no preset.
    """
    there = [preset for preset in PRESETS if preset_installed(preset)]
    if not there:
        return "_Not measured yet: `python -m apps digits fit` makes the presets._"
    rows = []
    for preset in there:
        found = digits_scores(preset)
        rows.append(
            [
                f"{PRESETS[preset]} (`{preset}`)",
                f"{found.accuracy:.2f}",
                number(found.standard_error, ".2f"),
                f"{found.n:,}",
                f"{found.parameters:,}",
                f"{found.seconds / 60:.1f}",
            ]
        )
    header = ["official test set of MNIST", "accuracy, %", "standard error", "images", "parameters"]
    return table([*header, "training, minutes"], rows)


def speed_table() -> str:
    """Write the last stored run of the benchmark against PyTorch.

    Returns:
        A table with a line of facts, or a sentence that names the command where it has not run.
    """
    report = speed_report()
    if report is None:
        return f"_Not measured yet: run `{SPEED_COMMAND}`._"
    rows = [
        [
            f"{one.network}, {_SYSTEMS.get(one.system, one.system)}",
            number(one.training_images_per_second, ",.0f"),
            number(one.inference_images_per_second, ",.0f"),
            number(one.one_digit_ms, ".2f"),
        ]
        for one in report.systems
    ]
    header = ["network", "training, images/s", "inference, images/s", "one digit, ms"]
    return table(header, rows) + f"\n\n{report.threads} cores of {report.processor}, both systems in one run."


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
        shapes.append(f'<text x="{x + 32}" y="{y}">{_TITLES[name]}</text>')
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
