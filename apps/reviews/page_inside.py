"""Section "Inside": the hidden state along a document, and where attention looks."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from apps.reviews.application import Reviews
from apps.reviews.explain import RECURRENT, attention, networks, states
from apps.reviews.page_loading import choose_text
from apps.reviews.page_verdict import word_axis
from apps.reviews.results import AttentionWeights, States
from apps.shared import charts
from apps.shared.letters import Letter, letters, tint
from apps.shared.page import heavy_work, input_errors
from apps.shared.style import palette

_MOST_UNITS = 48  # rows of the picture: those that vary most
_MOST_WORDS = 150  # columns; of a longer document the last ones, up to the end of sequence


def show(reviews: Reviews, preset: str) -> None:
    """Draw the section.

    Args:
        reviews: The classifier.
        preset: Its name.
    """
    here = networks(reviews)
    text = choose_text(preset)
    if not any(name in RECURRENT for name in here):
        st.info(
            f"The networks of this classifier ({', '.join(here)}) have no state that goes from word to word. "
            "`python -m apps reviews fit --network attention` trains one that has."
        )
        return
    with input_errors():
        with heavy_work():
            along = states(reviews, text)
            weights = attention(reviews, text) if "attention" in here else None
        if weights is not None:
            _attention(text, weights)
        charts.show(_states(along), "states", "Hidden state after each word")
        st.caption(
            f"The state of the network {along.network} after each word, up to the end of sequence: "
            f"{min(len(along.values[0]), _MOST_UNITS)} of {len(along.values[0])} units, those that vary most"
            + (f", and the last {_MOST_WORDS} words." if len(along.words) > _MOST_WORDS else ".")
        )


def _attention(text: str, weights: AttentionWeights) -> None:
    st.markdown("**Attention**: the query asks every state; the weights sum to 1.")
    colours = palette()
    largest = max(weights.weights)
    pieces, done = [], 0
    for word, weight in zip(weights.words, weights.weights, strict=True):
        if word.start > done:
            pieces.append(Letter(text[done : word.start]))
        name = word.text or "end of sequence"
        ground = tint(colours.ours, 0.8 * weight / largest)
        pieces.append(Letter(word.text or " EOS", ground, f"{name}: {100 * weight:.2f} %"))
        done = max(done, word.end)
    with st.container(border=True):
        letters(pieces, key="attention", label="The document, the darker the more attention", breaks=False)
    best = sorted(
        zip(weights.weights, word_axis(weights.words), range(len(weights.words)), strict=True),
        key=lambda one: -one[0],
    )[:12]
    charts.show(
        charts.bars(
            [f"{at + 1}. {name}" for _, name, at in best],
            [100 * weight for weight, _, _ in best],
            x_title="attention, %",
            colour=colours.ours,
            number=".1f",
        ),
        "attended",
        "The words with most attention",
    )


def _states(along: States) -> go.Figure:
    colours = palette()
    values = np.array(along.values)[-_MOST_WORDS:]
    units = np.sort(np.argsort(-values.var(axis=0), kind="stable")[:_MOST_UNITS])
    shown = values[:, units].T
    largest = float(np.abs(shown).max()) or 1.0
    first = len(along.words) - shown.shape[1]
    picture = charts.figure(x_title="word", y_title="unit", height=430)
    picture.add_heatmap(
        z=shown.tolist(),
        x=list(range(first + 1, len(along.words) + 1)),
        y=[f"{unit} " for unit in units],
        customdata=[word_axis(along.words[first:])] * len(units),
        zmin=-largest,
        zmax=largest,
        colorscale=[[0, colours.negative], [0.5, colours.ground], [1, colours.positive]],
        colorbar={"thickness": 10, "outlinewidth": 0, "tickfont": {"color": colours.text}},
        hovertemplate="%{x}. %{customdata}, unit %{y}: %{z:+.2f}<extra></extra>",
    )
    picture.update_yaxes(type="category", showgrid=False, showticklabels=False)
    picture.update_xaxes(showgrid=False)
    return picture
