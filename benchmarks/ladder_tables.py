"""The loss ladder as a table, as text for a terminal, and as a picture."""

from __future__ import annotations

from html import escape

from apps.writer.ladder_report import Ladder, Rung, ladder_report
from benchmarks.markdown import number, table

COMMAND = "python -m benchmarks.loss_ladder --store"

_HEADER = ("model", "nats a character", "standard error", "bits a character", "parameters", "seconds")
_WIDTH, _NAMES, _BAR, _STEP = 720, 250, 22, 32
_COUNTING, _NETWORK, _SHIPPED = "#8a8f98", "#4c78a8", "#d1603d"  # readable on white and on black


def ladder_table() -> str:
    """Write the last stored run of the ladder.

    Returns:
        A table in Markdown with a line of facts, or a sentence that names the command where it has not run.
    """
    report = ladder_report()
    if report is None:
        return f"_Not measured yet: run `{COMMAND}`._"
    return table(_HEADER, [_cells(rung) for rung in report.rungs]) + f"\n\n{_facts(report)}"


def ladder_samples() -> str:
    """Write what every rung of the last stored run wrote.

    Returns:
        A heading and a block of text for each rung in Markdown, or a sentence that names the command.
    """
    report = ladder_report()
    if report is None:
        return f"_Not measured yet: run `{COMMAND}`._"
    return "\n\n".join(
        f"**{rung.title}** ({rung.nats:.2f} nats)\n\n{_indented(report.prompt + rung.sample)}"
        for rung in report.rungs
    )


def ladder_text(report: Ladder) -> str:
    """Write the ladder for a terminal.

    Args:
        report: The ladder.

    Returns:
        Columns, the line of facts, and the samples.
    """
    rows = [_HEADER, *(_cells(rung) for rung in report.rungs)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADER))]
    lines = [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    samples = [f"--- {rung.title}\n{report.prompt}{rung.sample}" for rung in report.rungs]
    return "\n".join([*lines, "", _facts(report), "", *samples])


def ladder_picture(report: Ladder) -> str:
    """Draw the ladder: one bar a rung.

    Args:
        report: The ladder.

    Returns:
        An SVG picture.
    """
    longest = max(rung.nats for rung in report.rungs)
    room = _WIDTH - _NAMES - 60
    shapes = []
    for at, rung in enumerate(report.rungs):
        top, width = 44 + at * _STEP, room * rung.nats / longest
        middle = top + _BAR / 2 + 5
        shapes.append(f'<text x="{_NAMES - 8}" y="{middle:g}" text-anchor="end">{escape(rung.title)}</text>')
        shapes.append(
            f'<rect x="{_NAMES}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="3" fill="{_colour(rung)}"/>'
        )
        shapes.append(f'<text x="{_NAMES + width + 8:.1f}" y="{middle:g}">{rung.nats:.2f}</text>')
    height = 44 + len(report.rungs) * _STEP + 8
    title = f"Loss on held-out text ({escape(report.text)}), nats a character: shorter is better"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}">'
        "<style>text{font:14px system-ui,sans-serif;fill:#7d828a}</style>"
        f'<text x="12" y="24">{title}</text>{"".join(shapes)}</svg>\n'
    )


def _cells(rung: Rung) -> list[str]:
    return [
        rung.title if rung.units is None else f"{rung.title}, {rung.units} units",
        f"{rung.nats:.4f}",
        number(rung.standard_error, ".4f"),
        f"{rung.bits:.3f}",
        f"{rung.parameters:,}",
        f"{rung.seconds:,.0f}" if rung.seconds >= 10 else f"{rung.seconds:.1f}",
    ]


def _facts(report: Ladder) -> str:
    return (
        f"{report.text}: {report.train_characters:,} characters to learn from, {report.rungs[0].n:,} scored. The four "
        f"networks have one recurrent layer, at most {report.budget:,} parameters and one recipe of {report.epochs} "
        f"epochs; {report.processor}."
    )


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _colour(rung: Rung) -> str:
    if rung.name == "shipped":
        return _SHIPPED
    return _COUNTING if rung.units is None else _NETWORK
