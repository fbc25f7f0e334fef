"""Section "Neighbours": closest words, similarity of two words, and the odd one out."""

from __future__ import annotations

import streamlit as st

from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.style import palette
from apps.vectors.application import Vectors
from apps.vectors.page_peer import peer_of


def show(ours: Vectors, preset: str) -> None:
    """Draw the section."""
    peer = peer_of(preset)
    with st.form("neighbours_form"):
        box, count, button = st.columns([4, 2, 1], vertical_alignment="bottom")
        word = box.text_input("Word", "dog", key="word", bind="query-params", max_chars=100)
        topn = count.slider("Neighbours", 1, 30, 10, key="near", bind="query-params")
        button.form_submit_button("Show", type="primary", width="stretch")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Lectern**")
        known = _neighbours(ours, word, topn, "ours", palette().ours)
    with right:
        st.markdown("**gensim**")
        if peer is None:
            st.info("The preset with gensim's vectors is not installed.")
        elif known:
            _neighbours(peer, word, topn, "peer", palette().peer)
    left, right = st.columns(2, gap="medium")
    with left:
        _similarity(ours, peer)
    with right:
        _odd_one_out(ours)


def _neighbours(vectors: Vectors, word: str, topn: int, key: str, colour: str) -> bool:
    with input_errors():
        found = vectors.neighbours(word.strip(), topn)
        words = [neighbour.word for neighbour in found]
        scores = [neighbour.score for neighbour in found]
        charts.show(
            charts.bars(words, scores, x_title="cosine", colour=colour, limits=(0, 1)),
            f"neighbours {key}",
            f"Closest to {word}: {', '.join(words)}",
        )
        return True
    return False


def _similarity(ours: Vectors, peer: Vectors | None) -> None:
    st.subheader("Two words", anchor=False)
    with st.form("similarity_form"):
        left, right, button = st.columns([2, 2, 1], vertical_alignment="bottom")
        first = left.text_input("First", "coffee", key="first", bind="query-params", max_chars=100)
        second = right.text_input("Second", "tea", key="second", bind="query-params", max_chars=100)
        button.form_submit_button("Compare", width="stretch")
    with input_errors():
        names = ["Lectern"] if peer is None else ["Lectern", "gensim"]
        models = [model for model in (ours, peer) if model is not None]
        values = [model.similarity(first.strip(), second.strip()) for model in models]
        colours = [palette().ours, palette().peer][: len(names)]
        charts.show(
            charts.bars(names, values, x_title="cosine of the two words", colour=colours, limits=(-0.2, 1)),
            "similarity",
            f"Cosine of {first} and {second}: {values[0]:.3f}",
        )


def _odd_one_out(ours: Vectors) -> None:
    st.subheader("Odd one out", anchor=False)
    with st.form("odd_form"):
        box, button = st.columns([4, 1], vertical_alignment="bottom")
        words = box.text_input(
            "Three words or more",
            "monday tuesday friday green",
            key="odd",
            bind="query-params",
            max_chars=500,
        )
        button.form_submit_button("Find", width="stretch")
    with input_errors():
        result = ours.odd_one_out(words.replace(",", " ").split())
        colours = palette()
        charts.show(
            charts.bars(
                [neighbour.word for neighbour in result.scores],
                [neighbour.score for neighbour in result.scores],
                x_title="cosine with the mean of the words",
                colour=[
                    colours.negative if neighbour.word == result.word else colours.muted
                    for neighbour in result.scores
                ],
            ),
            "odd one out",
            f"The odd one out is {result.word}",
        )
        st.caption(f"**{plain(result.word)}** fits least.")
