"""Section "Read": how surprising every letter of a text is, with what the writer expected instead."""

from __future__ import annotations

import streamlit as st

from apps.shared import charts
from apps.shared.letters import Letter, letters, shown, tint
from apps.shared.page import input_errors, plain, remembered
from apps.shared.style import palette
from apps.writer.application import Writer
from apps.writer.page_pieces import SAID, alternatives, linked_text
from apps.writer.results import ScoredText, ScoredToken

MOST_CHARACTERS = 10_000
_DARKEST = 7.0  # nats: about one in a thousand
_CHOICE, _TEXT = "read letter", "text to read"


def show(writer: Writer, preset: str) -> None:
    """Draw the section."""
    with st.form("reading_form"):
        text = st.text_area(
            "Text",
            linked_text("text", SAID["read"]["Hamlet"], MOST_CHARACTERS),
            key=_TEXT,
            height=150,
            max_chars=MOST_CHARACTERS,
        )
        unknown = st.checkbox(
            "Read characters that the writer never saw as unknown ones", key="map", bind="query-params"
        )
        if st.form_submit_button("Read", type="primary"):
            st.session_state[_CHOICE] = None
    with st.container(horizontal=True, gap="xsmall"):
        for name, example in SAID["read"].items():
            st.button(name, on_click=_take, args=(example,), key=f"read {name}")
    with input_errors():
        result = remembered(preset, writer, "score", text, "map" if unknown else "refuse")
        _totals(result)
        _heat(result)


def _take(example: str) -> None:
    st.session_state[_TEXT] = example
    st.session_state[_CHOICE] = None


def _totals(result: ScoredText) -> None:
    cells = st.columns(4)
    totals = result.totals()
    cells[0].metric("bits a character", f"{totals['bits_per_character']:.3f}")
    cells[1].metric("nats a character", f"{totals['nats_per_character']:.3f}")
    cells[2].metric(
        "bits in all", f"{totals['bits']:,.0f}", help="Length of the shortest code under this model."
    )
    cells[3].metric(
        "perplexity",
        f"{totals['perplexity']:.2f}",
        help="The model is as unsure as if it guessed among this number of equally likely characters.",
    )


def _heat(result: ScoredText) -> None:
    colours = palette()
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True):
        letters(
            [
                Letter(
                    token.text,
                    tint(colours.negative, 0.8 * min(token.nats / _DARKEST, 1.0) ** 1.3),
                    f"{shown(token.text)}: {100 * token.probability:.3g} %, {token.nats / 0.693147:.2f} bits",
                )
                for token in result.tokens
            ],
            key="heat",
            label="The text, the darker the more surprising",
            choice=_CHOICE,
        )
    with left:
        st.caption(
            "The darker, the more surprising. Click a letter to see the five that were likeliest there."
        )
    with right:
        chosen = st.session_state.get(_CHOICE)
        if chosen is None or chosen >= len(result.tokens):
            chosen = max(range(len(result.tokens)), key=lambda at: result.tokens[at].nats)
        _token(result, result.tokens[chosen])


def _token(result: ScoredText, token: ScoredToken) -> None:
    before = result.text[max(0, token.start - 24) : token.start].replace("\n", " ↵ ")
    st.markdown(f"**After “…{plain(before)}”** stands “{plain(shown(token.text))}”")
    charts.show(
        alternatives(token.text, token.probability, token.alternatives),
        "alternatives",
        "The five likeliest characters and the one that stands there",
    )
    st.caption(
        f"Surprise {token.nats:.2f} nats, {token.nats / 0.693147:.2f} bits: one chance in "
        f"{1 / max(token.probability, 1e-12):,.0f}."
    )
