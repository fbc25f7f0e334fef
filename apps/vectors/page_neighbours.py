"""Section "Neighbours": closest words, similarity of two words, and the odd one out."""

from __future__ import annotations

import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import input_errors, plain, text_box
from apps.shared.style import palette
from apps.vectors.application import Vectors
from apps.vectors.page_peer import peer_of, show_beside, show_scores
from apps.vectors.results import Neighbour


def show(ours: Vectors, preset: str) -> None:
    """Draw the section."""
    peer = peer_of(preset)
    with st.form("neighbours_form"):
        box, count, button = st.columns([4, 2, 1], vertical_alignment="bottom")
        word = text_box(box, _("Word"), "dog", "word", 100)
        topn = count.slider(_("Neighbours"), 1, 30, 10, key="near", bind="query-params")
        button.form_submit_button(_("Show"), type="primary", width="stretch")

    def draw(found: tuple[Neighbour, ...], side: str, colour: str) -> None:
        looks = {"colour": colour, "limits": (0, 1)}
        show_scores(found, f"neighbours {side}", _("Closest to {word}: ", word=word), _("cosine"), **looks)

    show_beside(ours, peer, lambda vectors: vectors.neighbours(word.strip(), topn), draw)
    left, right = st.columns(2, gap="medium")
    with left:
        _similarity(ours, peer)
    with right:
        _odd_one_out(ours)


def _similarity(ours: Vectors, peer: Vectors | None) -> None:
    st.subheader(_("Two words"), anchor=False)
    with st.form("similarity_form"):
        left, right, button = st.columns([2, 2, 1], vertical_alignment="bottom")
        first = text_box(left, _("First"), "coffee", "first", 100)
        second = text_box(right, _("Second"), "tea", "second", 100)
        button.form_submit_button(_("Compare"), width="stretch")
    with input_errors():
        models = {"Lectern": ours} if peer is None else {"Lectern": ours, "gensim": peer}
        values = [model.similarity(first.strip(), second.strip()) for model in models.values()]
        looks = {"colour": [palette().ours, palette().peer], "limits": (-0.2, 1)}
        picture = charts.bars(list(models), values, x_title=_("cosine of the two words"), **looks)
        charts.show(
            picture,
            "similarity",
            _("Cosine of {first} and {second}: {cosine:.3f}", first=first, second=second, cosine=values[0]),
        )


def _odd_one_out(ours: Vectors) -> None:
    st.subheader(_("Odd one out"), anchor=False)
    with st.form("odd_form"):
        box, button = st.columns([4, 1], vertical_alignment="bottom")
        words = text_box(box, _("Three words or more"), "monday tuesday friday green", "odd", 500)
        button.form_submit_button(_("Find"), width="stretch")
    with input_errors():
        result = ours.odd_one_out(words.replace(",", " ").split())
        colours = palette()
        marked = [colours.negative if one.word == result.word else colours.muted for one in result.scores]
        title = _("cosine with the mean of the words")
        alt = _("The odd one out is {word}; by cosine: ", word=result.word)
        show_scores(result.scores, "odd one out", alt, title, colour=marked)
        st.caption(_("**{word}** fits least.", word=plain(result.word)))
