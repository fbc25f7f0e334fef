"""Section "Read": how surprising every letter of a text is, with what the writer expected instead."""

from __future__ import annotations

from math import log

import streamlit as st

from apps.shared import charts
from apps.shared.colours import tint
from apps.shared.language import _
from apps.shared.letters import Letter, letters, shown
from apps.shared.page import example_buttons, input_errors, plain, remembered
from apps.shared.style import palette
from apps.writer.application import Writer
from apps.writer.page_pieces import SAID, alternatives, linked_text, unknown_choice
from apps.writer.results import ScoredText, ScoredToken

MOST_CHARACTERS = 10_000
_BIT = log(2.0)  # nats
_CHOICE = "read letter"


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""
    with st.form("reading_form"):
        text = linked_text(_("Text"), "text", SAID["read"]["Hamlet"], most=MOST_CHARACTERS)
        unknown = unknown_choice()
        if st.form_submit_button(_("Read"), type="primary"):
            st.session_state[_CHOICE] = None
    example_buttons({name: {"text": text, _CHOICE: None} for name, text in SAID["read"].items()}, "read")
    with input_errors():
        result = remembered(preset, writer, "score", text, unknown)
        _totals(result)
        _heat(result)


def _totals(result: ScoredText) -> None:
    totals = result.totals()
    rows = (
        (_("bits a character"), "bits_per_character", ".3f"),
        (_("nats a character"), "nats_per_character", ".3f"),
        (_("bits in all"), "bits", ",.0f"),
        (_("perplexity"), "perplexity", ".2f"),
    )
    for cell, (label, name, form) in zip(st.columns(len(rows)), rows, strict=True):
        cell.metric(label, format(totals[name], form), help=_(SAID["help"].get(name, "")) or None)


def _heat(result: ScoredText) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        with st.container(border=True):
            drawn = [_letter(token) for token in result.tokens]
            letters(drawn, key="heat", label=_("The text, the darker the more surprising"), choice=_CHOICE)
        st.caption(
            _("The darker, the more surprising. Click a letter to see the five that were likeliest there.")
        )
    with right:
        chosen = st.session_state.get(_CHOICE)
        if chosen is None or chosen >= len(result.tokens):
            chosen = max(range(len(result.tokens)), key=lambda at: result.tokens[at].nats)
        _token(result, result.tokens[chosen])


def _letter(token: ScoredToken) -> Letter:
    ground = tint(palette().negative, palette().most * token.darkness)
    note = _(
        "{text}: {probability:.3g} %, {bits:.2f} bits",
        text=shown(token.text),
        probability=100 * token.probability,
        bits=token.nats / _BIT,
    )
    return Letter(token.text, ground, note)


def _token(result: ScoredText, token: ScoredToken) -> None:
    before = result.text[max(0, token.start - 24) : token.start].replace("\n", " ↵ ")
    st.markdown(
        _("**After “…{before}”** stands “{text}”", before=plain(before), text=plain(shown(token.text)))
    )
    charts.show(
        alternatives(token.text, token.probability, token.alternatives),
        "alternatives",
        _("The five likeliest characters and the one that stands there"),
    )
    st.caption(
        _(
            "Surprise {nats:.2f} nats, {bits:.2f} bits: one chance in {probability:,.0f}.",
            nats=token.nats,
            bits=token.nats / _BIT,
            probability=1 / max(token.probability, 1e-12),
        )
    )
