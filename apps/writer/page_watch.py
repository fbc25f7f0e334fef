"""What a writer shows while it learns, drawn: its text, a line by surprise, and the gradient back through time."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import log
from typing import Any

import numpy as np
import streamlit as st

from apps.shared import charts
from apps.shared.colours import tint
from apps.shared.language import _
from apps.shared.letters import Letter, letters, shown
from apps.shared.page_reports import Curve, curves
from apps.shared.style import palette
from apps.writer.results import ScoredToken
from apps.writer.watch import LENGTH, SEED, TEMPERATURE

_FAINTEST = -12.0  # power of ten of a gradient that is drawn


def show(picture: Mapping[str, Any], key: str) -> None:
    """Draw one picture."""
    st.html(_written(picture))
    st.caption(
        _(
            "The prompt (pale) continued by {length} tokens, always with the same draws: seed "
            "{seed}, temperature {temperature:g}.",
            length=LENGTH,
            seed=SEED,
            temperature=TEMPERATURE,
        )
    )
    left, right = st.columns(2, gap="medium")
    with left:
        _line(picture, key)
    with right:
        _gradients(picture, key)


def _written(picture: Mapping[str, Any]) -> str:
    prompt, written = escape(picture["prompt"]), escape(picture["written"])
    return (
        '<div style="font-family:monospace;font-size:.92rem;line-height:1.5;white-space:pre-wrap;min-height:12em;'
        f'overflow-wrap:anywhere;color:{palette().text}"><span style="opacity:.6">{prompt}</span>{written}</div>'
    )


def _line(picture: Mapping[str, Any], key: str) -> None:
    colour, drawn, nats = palette().negative, [], picture["nats"].tolist()
    for text, surprise, likeliest in zip(picture["tokens"], nats, picture["likeliest"], strict=True):
        token = ScoredToken(text, 0, surprise, ())
        note = _(
            "{text}: {probability:.3g} %, {surprise:.2f} nats; likeliest: {likeliest}",
            text=shown(text),
            probability=100 * token.probability,
            surprise=surprise,
            likeliest=shown(likeliest),
        )
        drawn.append(Letter(text, tint(colour, palette().most * token.darkness), note))
    with st.container(border=True):
        letters(drawn, key=f"{key} line", label=_("The line, the darker the more surprising"))
    mean = sum(nats) / len(nats)
    st.caption(
        _(
            "The darker, the more surprising: {mean:.2f} nats a token in the mean of this one line. {sample}",
            mean=mean,
            sample=_sample(picture),
        )
    )


def _sample(picture: Mapping[str, Any]) -> str:
    """Say what the curves of the loss are measured on."""
    held_out = picture["sample"] == "held_out"
    what = (
        _("held out, nothing is learned from them")
        if held_out
        else _("part of the text that is learned from")
    )
    said = _(
        "The loss of the sample, {loss:.3f} nats a character, is that of {n:,} characters ({what}).",
        loss=picture["loss"],
        n=picture["characters"],
        what=what,
    )
    if picture["answers"]:
        asked = _(
            "The sign is asked for {n:,} times in them; guessing gives {loss:.3f} nats.",
            n=picture["answers"],
            loss=log(2),
        )
        said = f"{said} {asked}"
    return said


def _gradients(picture: Mapping[str, Any], key: str) -> None:
    lines, names = (
        {},
        [_("layer {number}", number=number) for number in range(1, len(picture["gradients"]) + 1)],
    )
    looks = charts.line_looks(names)
    for name, lengths in zip(names, picture["gradients"], strict=True):
        back = (lengths[::-1] - lengths[-1]).astype(np.float64)
        values = [None if value < _FAINTEST else 10.0**value for value in back.tolist()]
        lines[name] = Curve(range(len(values)), values, *looks[name], more={"mode": "lines"})
    looks = {"x_title": _("steps back"), "y_title": _("length, last step = 1"), "height": 300}
    picture_of = curves(lines, hover=_("%{x} steps back: %{y:.2e}"), **looks)
    picture_of.update_yaxes(type="log", exponentformat="power", range=[_FAINTEST, 2], dtick=2)
    picture_of.update_layout(showlegend=len(names) > 1, margin={"t": 40 if len(names) > 1 else 8})
    charts.show(
        picture_of, f"{key} gradients", _("Length of the gradient by step back from the line's last token")
    )
    st.caption(
        _(
            "The gradient of the loss of the line's last token with respect to the state at each step "
            "before it. Where it has vanished, nothing is learned from that step."
        )
    )
