"""The unrolled network as a drawing: SVG in the colours of the page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from apps.shared.style import Palette
from apps.writer.results import Step

_STEP, _LEFT, _HEIGHT = 58, 96, 300
_TARGET, _OUTPUT, _BAR, _CELL, _INPUT = 34, 88, 122, 178, 258  # heights of the rows
_ROWS = {"target": _TARGET, "likeliest": _OUTPUT, "network": _CELL, "input": _INPUT}
_NAMES = {" ": "␣", "\n": "↵", "\t": "⇥"}


def size(steps: int) -> tuple[int, int]:
    """Give width and height of the drawing of a number of steps, in pixels."""
    return _LEFT + _STEP * steps + 24, _HEIGHT


def drawing(steps: Sequence[Step], colours: Palette) -> str:
    """Draw the steps side by side.

    Args:
        steps: Of the network.
        colours: Of the page.
    """
    width, height = size(len(steps))
    style = Template(Path(__file__).with_suffix(".css").read_text(encoding="utf-8")).substitute(vars(colours))
    marks = "".join(
        f'<marker id="{name}" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" '
        f'orient="auto"><path d="M0 0L6 3L0 6z" fill="{colour}"/></marker>'
        for name, colour in (("tip", colours.text), ("back", colours.peer))
    )
    rows = "".join(f'<text x="6" y="{y}" class="row">{name}</text>' for name, y in _ROWS.items())
    columns = "".join(_step(steps, at) for at in range(len(steps)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><style>{style}</style>'
        f"<defs>{marks}</defs>{rows}{columns}</svg>"
    )


def drawing_url(steps: Sequence[Step], colours: Palette) -> str:
    """Draw the steps as a ``data:`` address for an ``<img>`` (the page's sanitizer removes inline SVG)."""
    return "data:image/svg+xml;base64," + b64encode(drawing(steps, colours).encode()).decode()


def _step(steps: Sequence[Step], at: int) -> str:
    step, x = steps[at], _LEFT + _STEP * at + _STEP // 2
    # The last step of the prompt writes the first letter: what comes after the prompt has no target.
    in_training = at + 1 < len(steps) and steps[at + 1].prompted
    hit = step.output == step.target
    parts = [
        _boxed(x, _INPUT, step.given, "" if step.prompted else "own"),
        f'<rect x="{x - 19}" y="{_CELL - 17}" width="38" height="34" rx="6" class="cell"/>',
        f'<line x1="{x}" y1="{_INPUT - 17}" x2="{x}" y2="{_CELL + 20}" class="line" marker-end="url(#tip)"/>',
        f'<line x1="{x}" y1="{_CELL - 18}" x2="{x}" y2="{_BAR + 14}" class="line" marker-end="url(#tip)"/>',
        _boxed(x, _OUTPUT, step.output, ""),
        f'<rect x="{x - 20}" y="{_BAR - 8}" width="40" height="5" class="track"/>',
        f'<rect x="{x - 20}" y="{_BAR - 8}" width="{40 * step.output_probability:.1f}" height="5" class="bar"/>',
        f'<text x="{x}" y="{_BAR + 4}" class="small">{100 * step.output_probability:.0f} %</text>',
    ]
    if at + 1 < len(steps):
        parts.append(
            f'<line x1="{x + 20}" y1="{_CELL}" x2="{x + _STEP - 22}" y2="{_CELL}" class="line" marker-end="url(#tip)"/>'
        )
    if in_training:
        colour = "" if hit else ' class="wrong"'
        parts.append(f'<text x="{x}" y="{_TARGET - 6}"{colour}>{_name(step.target)}</text>')
        parts.append(
            f'<text x="{x}" y="{_TARGET + 14}" class="small">{100 * step.target_probability:.0f} %</text>'
        )
    elif at + 1 < len(steps):
        side, after = x + 16, x + _STEP
        parts.append(
            f'<path d="M{side} {_OUTPUT} C{side + 22} {_OUTPUT} {side + 6} {_INPUT} {after - 18} {_INPUT}" '
            'class="back" marker-end="url(#back)"/>'
        )
    return "".join(parts)


def _boxed(x: int, y: int, token: str, kind: str) -> str:
    return (
        f'<rect x="{x - 15}" y="{y - 15}" width="30" height="30" rx="4" class="box {kind}"/>'
        f'<text x="{x}" y="{y}">{_name(token)}</text>'
    )


def _name(token: str) -> str:
    name = _NAMES.get(token) or (token if token.isprintable() else "�")
    return escape(name if len(name) <= 4 else name[:3] + "…")
