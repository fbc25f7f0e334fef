"""Section "Network": one sentence on its way through the layers, from letters to tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import heavy_work, input_errors, one_of, text_box
from apps.tagger.application import Tagger
from apps.tagger.explain import network_view
from apps.tagger.results import LayerView, NetworkView

DEFAULT = "The old man the boats that they wabily repaired."
_MOST_UNITS = 64  # rows of a picture; a wider layer shows those that vary most


def show(tagger: Tagger, preset: str) -> None:
    """Draw the section."""
    sentence = text_box(st, _("Sentence"), DEFAULT, "sentence", 400, help=_("At most 60 words."))
    with input_errors():
        with heavy_work():
            view = network_view(tagger, [token.text for token in tagger.tag(sentence).tokens])
        _probabilities(view)
        title = one_of(_("Layer"), [layer.title for layer in view.layers], "layer", named=True)
        layer = next(layer for layer in view.layers if layer.title == title)
        st.caption(layer.about)
        charts.show(
            _layer_picture(view, layer),
            f"layer {layer.key}",
            _("{title}: values of the units", title=_(layer.title)),
        )
        units = layer.values.shape[1]
        if units > _MOST_UNITS:
            st.caption(
                _(
                    "The {n} of {all} units that vary most over the words of this sentence.",
                    n=_MOST_UNITS,
                    all=units,
                )
            )


def _probabilities(view: NetworkView) -> None:
    st.markdown(_("**What comes out**: the probability of every tag for every word."))
    looks = {"zmin": 0, "zmax": 1, "ygap": 1, "hovertemplate": "%{x}: %{y} %{z:.1%}"}
    picture = _picture(view, view.probabilities.T, view.tags, 470, **looks)
    picture.update_yaxes(autorange="reversed")
    charts.show(picture, "probabilities", _("Probability of every tag for every word"))
    if any(view.unknown):
        st.caption(_("\\* Never seen in training: the letters and the neighbours have to decide."))


def _layer_picture(view: NetworkView, layer: LayerView) -> charts.Picture:
    units = np.sort(np.argsort(-layer.values.var(axis=0), kind="stable")[:_MOST_UNITS])
    names = [f"{unit} " for unit in units]
    picture = _picture(view, layer.values.T[units], names, 520, hovertemplate=_("%{x}, unit %{y}: %{z:+.2f}"))
    picture.update_yaxes(showticklabels=False)
    picture.layout["yaxis"]["title"] = {"text": _("unit")}
    return picture


def _picture(
    view: NetworkView, values: np.ndarray, rows: Sequence[str], height: int, hovertemplate: str, **looks: Any
) -> charts.Picture:
    """Draw a column a word; numbers stand before words, since plotly would join equal ones to one column."""
    names = [
        f"{number}. {word if len(word) <= 14 else word[:13] + '…'}{'*' if unknown else ''}"
        for number, (word, unknown) in enumerate(zip(view.words, view.unknown, strict=True), start=1)
    ]
    picture = charts.figure(height=height)
    hover = f"{hovertemplate}<extra></extra>"
    charts.add_heatmap(picture, values, x=names, y=rows, xgap=2, hovertemplate=hover, **looks)
    picture.update_xaxes(type="category", side="top", tickangle=-50, showgrid=False)
    picture.update_yaxes(type="category", showgrid=False)
    return picture
