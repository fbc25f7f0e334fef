"""The vectors that sections show beside ours, and the two matrices that were trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import input_errors, open_once
from apps.shared.style import palette
from apps.vectors.application import DEFAULT_PRESET, Vectors
from apps.vectors.results import Neighbour
from data_prep.errors import InputError
from models.presets.search import list_presets

GENSIM = "vectors_en_wiki_gensim"  # trained on the same text as the default preset


def peer_of(preset: str) -> Vectors | None:
    """Gensim's vectors of the same text; None where they are missing, or for vectors of another text."""
    there = preset == DEFAULT_PRESET and GENSIM in list_presets()
    return open_once(Vectors.from_preset, GENSIM) if there else None


def beside(preset: str, matrix: str) -> Vectors | None:
    """The ``"input"`` or ``"output"`` matrix that was written beside a preset, if it is in reach."""
    try:
        return open_once(Vectors.from_preset, f"{preset}_{matrix}")
    except InputError:
        return None


def show_beside(
    ours: Vectors, peer: Vectors | None, ask: Callable[[Vectors], Any], draw: Callable[[Any, str, str], None]
) -> Any:
    """Show answers side by side; return ours, None where the question is wrong, which is said once.

    Args:
        ours: Our vectors.
        peer: Gensim's, or None where they are missing.
        ask: Vectors to the answer.
        draw: Called with an answer, what tells its side's pictures apart, and its colour.
    """
    answer = None
    left, right = st.columns(2, gap="medium")
    with left, input_errors():
        st.markdown(_("**Lectern** · Keras model, {n:,} words", n=len(ours.word_vectors)))
        answer = ask(ours)
        draw(answer, "ours", palette().ours)
    with right, input_errors():
        words = "" if peer is None else _(", {n:,} words", n=len(peer.word_vectors))
        st.markdown(_("**gensim** · the same text{words}", words=words))
        if peer is None:
            st.info(_("No vectors of gensim from the same text are installed."))
        elif answer is not None:
            draw(ask(peer), "peer", palette().peer)
    return answer


def show_scores(found: Sequence[Neighbour], key: str, alt: str, x_title: str, **looks: Any) -> None:
    """Show words as bars with their scores; ``looks`` as ``charts.bars`` takes them."""
    words, scores = [one.word for one in found], [one.score for one in found]
    charts.show(charts.bars(words, scores, x_title=x_title, **looks), key, f"{alt}{', '.join(words)}")
