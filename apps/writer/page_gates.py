"""Section "Gates": every gate of every unit over a text, and units that follow something."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.shared import charts
from apps.shared.colours import tint
from apps.shared.language import N_, _
from apps.shared.letters import Letter, letters, shown
from apps.shared.page import heavy_work, input_errors, named_choice
from apps.shared.style import palette
from apps.writer.application import Writer
from apps.writer.explain import MOST_TOKENS, following_units, gate_view
from apps.writer.page_pieces import SAID, linked, linked_text
from apps.writer.results import GateView
from data_prep.text.text_properties import PROPERTIES
from models.char_lm.gates import UnitFit

_FOLLOWED = (N_("speaker's name"), N_("position in the line"), N_("quote"))  # PROPERTIES
_UNITS = 40  # rows of the picture
_SIGNED = ("hidden", "cell", "candidate")
_UNBOUNDED = "cell"
# In a narrow window the letters above the picture would lie on top of each other.
_NARROW = "<style>@media (max-width: 900px) { .st-key-gates_picture .xaxislayer-above text { display: none; } }</style>"
_MOST_LETTERS = 220  # that fit side by side in a wide one


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""
    with st.form("gates_form"):
        text = linked_text(_("Text"), "text", SAID["gates"]["text"], most=MOST_TOKENS, height=140)
        st.form_submit_button(_("Show"), type="primary")
    with input_errors():
        with heavy_work():
            view = _view(writer, preset, text)
        _units(writer, view)


@st.cache_data(show_spinner=False, max_entries=8)
def _view(_writer: Writer, preset: str, text: str) -> GateView:
    return gate_view(_writer, text)


def _units(writer: Writer, view: GateView) -> None:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    default = "cell" if "cell" in view.names else "hidden"
    name = left.segmented_control(
        _("Gate or state"), view.names, default=default, required=True, **linked("gate")
    )
    with right:
        followed = named_choice(_("Units that follow"), {one: _(one) for one in PROPERTIES}, "follow")
    st.caption(f"**{name}**: {_(SAID['gates'][name])}.")
    fits = following_units(view, followed, name)
    best = fits[:_UNITS]
    chosen = st.selectbox(
        _("Unit that colours the text"),
        range(len(fits)),
        format_func=lambda at: f"{_named(fits[at])} (r = {fits[at].correlation:+.2f})",
        key=f"unit of {name} {followed}",
    )
    _coloured(view, name, fits[chosen])
    st.html(_NARROW)
    with st.container(key="gates_picture"):
        alt = _(
            "{name} of the units that follow {followed} best, over the text", name=name, followed=_(followed)
        )
        charts.show(_picture(view, name, best), "gates", alt)
    config = writer.config
    note = _(
        "The {n} of {all} units of all layers that follow “{followed}” best, the best on top, "
        "by the correlation over the letters of this text. With this many units and one short "
        "text, some follow by chance. Rows are named layer·unit.",
        n=len(best),
        all=len(fits),
        followed=_(followed),
    )
    if config.members > 1:
        note += " " + _(
            "The writer is {members} networks of {layers} layers that answer together; layers 1 "
            "to {layers} are those of the first one.",
            members=config.members,
            layers=config.layers,
        )
    if name == _UNBOUNDED:
        note += " " + _("Each row is shaded by its own largest value.")
    st.caption(note)


def _named(fit: UnitFit) -> str:
    return _("layer {layer}, unit {unit}", layer=fit.layer + 1, unit=fit.unit)


def _coloured(view: GateView, name: str, fit: UnitFit) -> None:
    colours = palette()
    values = view.layers[fit.layer][name][:, fit.unit]
    scale = (float(np.abs(values).max()) or 1.0) if name in _SIGNED else 1.0
    drawn = []
    for token, value in zip((token.text for token in view.tokens), values.tolist(), strict=True):
        colour = colours.positive if value >= 0 else colours.negative
        ground, note = tint(colour, colours.most * abs(value) / scale), f"{shown(token)}: {value:+.3f}"
        drawn.append(Letter(token, ground, note, against=bool(ground) and value < 0))
    with st.container(border=True):
        letters(drawn, key="coloured", label=_("The text coloured by {named}", named=_named(fit)))


def _picture(view: GateView, name: str, fits: tuple[UnitFit, ...]) -> charts.Picture:
    rows = np.stack([view.layers[fit.layer][name][:, fit.unit] for fit in fits]).astype(np.float64)
    # A memory has no bounds: each row has its own scale, or a few rows would leave the others pale.
    scales = np.abs(rows).max(axis=1, keepdims=True) if name == _UNBOUNDED else 1.0
    names = [shown(token.text) for token in view.tokens]
    picture = charts.figure(height=140 + 11 * len(fits))
    charts.add_heatmap(
        picture,
        (rows / np.where(scales > 0, scales, 1.0)).round(4),
        x=list(range(len(names))),
        y=[f"{fit.layer + 1}·{fit.unit} " for fit in fits],
        zmin=-1.0 if name in _SIGNED else 0.0,
        zmax=1.0,
        text=[
            [f"{token}, {_named(fit)}: {value:+.3f}" for token, value in zip(names, row, strict=True)]
            for fit, row in zip(fits, rows.tolist(), strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
    )
    picture.update_xaxes(
        tickvals=list(range(len(names))),
        ticktext=[token.text.strip() for token in view.tokens],
        tickangle=0,
        showgrid=False,
        showticklabels=len(names) <= _MOST_LETTERS,
        tickfont={"size": 9, "color": palette().text, "family": "monospace"},
        side="top",
    )
    picture.update_yaxes(type="category", autorange="reversed", showgrid=False, tickfont={"size": 9})
    return picture
