"""Section "Inside": the hidden state along a document, and where attention looks."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.reviews.application import Reviews
from apps.reviews.explain import RECURRENT, attention, networks, states
from apps.reviews.page_text import choose_text, draw_document, name_columns, name_of
from apps.reviews.results import AttentionWeights, States
from apps.shared import charts
from apps.shared.colours import tint
from apps.shared.language import _
from apps.shared.page import heavy_work, input_errors
from apps.shared.style import palette

_MOST_UNITS = 48  # rows of the picture: those that vary most
_MOST_WORDS = 150  # columns; of a longer document the last ones, up to the end of sequence
_MOST_ATTENDED = 12


def show(reviews: Reviews, preset: str) -> None:
    """Draw the section."""
    here = networks(reviews)
    text = choose_text(preset)
    if not any(name in RECURRENT for name in here):
        st.info(
            _(
                "The networks of this classifier ({networks}) have no state that goes from word to word. "
                "`python -m apps reviews fit --network attention` trains one that has.",
                networks=", ".join(here),
            )
        )
        return
    with input_errors():
        with heavy_work():
            along = states(reviews, text)
            weights = attention(reviews, text) if "attention" in here else None
        if weights is not None:
            _attention(text, weights)
        charts.show(_states(along), "states", _("Hidden state after each word"))
        st.caption(
            _(
                "The hidden state of the network “{network}” after each word, up to the end of sequence: a row "
                "is a unit, here the {n} of {all} that vary most",
                network=along.network,
                n=min(len(along.values[0]), _MOST_UNITS),
                all=len(along.values[0]),
            )
            + (_(", and the last {n} words.", n=_MOST_WORDS) if len(along.words) > _MOST_WORDS else ".")
        )


def _attention(text: str, found: AttentionWeights) -> None:
    st.markdown(_("**Attention**: how much the state at each word counts for the verdict; together 100 %."))
    colour, shares = palette().ours, np.array(found.weights)
    strength = palette().most / shares.max()

    def look(share: float) -> tuple[str, str]:
        return tint(colour, strength * share), f"{100 * share:.2f} %"

    label = _("The document, the darker the more attention")
    draw_document(text, found.words, found.weights, look, key="attention", label=label)
    best = np.argsort(-shares, kind="stable")[:_MOST_ATTENDED]
    names = [f"{at + 1}. {name_of(found.words[at])}" for at in best]
    percent = (100 * shares[best]).tolist()
    picture = charts.bars(names, percent, x_title=_("attention, %"), colour=colour, number=".1f")
    charts.show(picture, "attended", _("The words with most attention"))


def _states(along: States) -> charts.Picture:
    values = np.array(along.values)[-_MOST_WORDS:]
    units = np.sort(np.argsort(-values.var(axis=0), kind="stable")[:_MOST_UNITS])
    first = len(along.words) - len(values)
    picture = charts.figure(x_title=_("word"), y_title=_("unit"), height=430)
    charts.add_heatmap(
        picture,
        values[:, units].T,
        x=list(range(first + 1, len(along.words) + 1)),
        y=[f"{unit} " for unit in units],
        customdata=[[name_of(word) for word in along.words[first:]]] * len(units),
        hovertemplate=_("%{x}. %{customdata}, unit %{y}: %{z:+.2f}<extra></extra>"),
    )
    picture.update_yaxes(type="category", showgrid=False, showticklabels=False)
    picture.update_xaxes(showgrid=False)
    name_columns(picture, along.words[first:], range(first + 1, len(along.words) + 1))
    return picture
