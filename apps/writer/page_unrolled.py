"""Section "Unrolled": a prompt and what is written after it, drawn as inputs, targets and copied-back outputs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import astuple
from html import escape
from itertools import pairwise
from pathlib import Path
from string import Template

import streamlit as st

from apps.shared.language import N_, _
from apps.shared.page import heavy_work, input_errors
from apps.shared.style import Palette, palette
from apps.shared.tables import numbers
from apps.writer.application import Writer
from apps.writer.explain import MOST_STEPS, unrolled_steps
from apps.writer.page_pieces import SAID, linked
from apps.writer.results import Step

DEFAULT = r"ROMEO:\nO"
MOST_CHARACTERS = MOST_STEPS - 1
_STEP, _LEFT, _HEIGHT = 58, 96, 300
_TARGET, _OUTPUT, _BAR, _CELL, _INPUT = 34, 88, 122, 178, 258  # heights of the rows
_ROWS = {N_("target"): _TARGET, N_("likeliest"): _OUTPUT, N_("network"): _CELL, N_("input"): _INPUT}
_NAMES = {" ": "␣", "\n": "↵", "\t": "⇥"}


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""
    with st.form("unrolled_form"):
        box, count, button = st.columns([4, 2, 1], vertical_alignment="bottom")
        prompt = box.text_input(_("Prompt"), DEFAULT, max_chars=MOST_CHARACTERS, **linked("unrolled"))
        length = count.slider(_("Letters to write"), 1, 24, 10, **linked("write"))
        button.form_submit_button(_("Draw"), type="primary", width="stretch")
    with input_errors():
        with heavy_work():
            steps = unrolled_steps(writer, prompt.replace("\\n", "\n"), length)
        # The page's sanitizer removes inline SVG.
        url = "data:image/svg+xml;base64," + b64encode(drawing(steps, palette()).encode()).decode()
        st.html(
            f'<div style="overflow-x:auto;max-width:100%" tabindex="0" {numbers(map(astuple, steps))}>'
            f'<img src="{url}" width="{_width(steps)}" height="{_HEIGHT}" style="max-width:none" '
            f'alt="{_told(steps)}"></div>'
        )
        # The last letter of the prompt has no target: what comes after it is written.
        trained = [step for step, after in pairwise(steps) if after.prompted]
        right = sum(step.output == step.target for step in trained)
        st.markdown(_(SAID["unrolled"]["about"]))
        st.caption(
            _(
                "Each output is the likeliest character (temperature 0); the bar is its probability. "
                "Under a target stands the probability that the network gives it; {right} of {n} "
                "targets were the likeliest.",
                right=right,
                n=len(trained),
            )
        )


def _told(steps: Sequence[Step]) -> str:
    """Say what the drawing shows: after each letter the likeliest next one, and its probability; HTML."""
    title = _("The unrolled network: inputs below, predictions above, targets on top")
    pairs = (
        f"{_name(one.given)} → {_name(one.output)} {100 * one.output_probability:.0f} %" for one in steps
    )
    read = sum(one.prompted for one in steps)
    letters = _("Letters of the prompt: {n}. After each letter the likeliest:", n=read)
    return f"{title}\n{letters} {', '.join(pairs)}"


def _width(steps: Sequence[Step]) -> int:
    return _LEFT + _STEP * len(steps) + 24


def drawing(steps: Sequence[Step], colours: Palette) -> str:
    """Draw the steps side by side as SVG in the colours of the page."""
    style = Template(Path(__file__).with_suffix(".css").read_text(encoding="utf-8")).substitute(vars(colours))
    marks = "".join(
        f'<marker id="{name}" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" '
        f'orient="auto"><path d="M0 0L6 3L0 6z" fill="{colour}"/></marker>'
        for name, colour in (("tip", colours.text), ("back", colours.peer))
    )
    rows = "".join(f'<text x="6" y="{y}" class="row">{_(name)}</text>' for name, y in _ROWS.items())
    pairs = zip(steps, [*steps[1:], None], strict=True)
    columns = "".join(_step(at, step, after) for at, (step, after) in enumerate(pairs))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_width(steps)} {_HEIGHT}"><style>{style}</style>'
        f"<defs>{marks}</defs>{rows}{columns}</svg>"
    )


def _step(at: int, step: Step, after: Step | None) -> str:
    x = _LEFT + _STEP * at + _STEP // 2
    parts = [
        _boxed(x, _INPUT, step.given, "" if step.prompted else "own"),
        f'<rect x="{x - 19}" y="{_CELL - 17}" width="38" height="34" rx="6" class="cell"/>',
        _arrow(x, _INPUT - 17, x, _CELL + 20),
        _arrow(x, _CELL - 18, x, _BAR + 14),
        _boxed(x, _OUTPUT, step.output, ""),
        f'<rect x="{x - 20}" y="{_BAR - 8}" width="40" height="5" class="track"/>',
        f'<rect x="{x - 20}" y="{_BAR - 8}" width="{40 * step.output_probability:.1f}" height="5" class="bar"/>',
        f'<text x="{x}" y="{_BAR + 4}" class="small">{100 * step.output_probability:.0f} %</text>',
    ]
    if after is not None:
        parts.append(_arrow(x + 20, _CELL, x + _STEP - 22, _CELL))
    # The last step of the prompt writes the first letter: what comes after the prompt has no target.
    if after is not None and after.prompted:
        colour = "" if step.output == step.target else ' class="wrong"'
        parts += [
            f'<text x="{x}" y="{_TARGET - 6}"{colour}>{_name(step.target)}</text>',
            f'<text x="{x}" y="{_TARGET + 14}" class="small">{100 * step.target_probability:.0f} %</text>',
        ]
    elif after is not None:
        side, end = x + 16, x + _STEP - 18
        parts.append(
            f'<path d="M{side} {_OUTPUT} C{side + 22} {_OUTPUT} {side + 6} {_INPUT} {end} {_INPUT}" class="back" '
            'marker-end="url(#back)"/>'
        )
    return "".join(parts)


def _arrow(x1: int, y1: int, x2: int, y2: int) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="line" marker-end="url(#tip)"/>'


def _boxed(x: int, y: int, token: str, kind: str) -> str:
    return (
        f'<rect x="{x - 15}" y="{y - 15}" width="30" height="30" rx="4" class="box {kind}"/>'
        f'<text x="{x}" y="{y}">{_name(token)}</text>'
    )


def _name(token: str) -> str:
    name = _NAMES.get(token) or (token if token.isprintable() else "�")
    return escape(name if len(name) <= 4 else name[:3] + "…")
