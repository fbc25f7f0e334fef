"""Section "Network": one sentence on its way through the layers, from letters to tags."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from apps.shared import charts
from apps.shared.page import heavy_work, input_errors
from apps.tagger.application import Tagger
from apps.tagger.explain import network_view
from apps.tagger.results import LayerView, NetworkView

DEFAULT = "The old man the boats that they wabily repaired."
_MOST_UNITS = 64  # rows of a picture; a wider layer shows those that vary most


def show(tagger: Tagger, preset: str) -> None:
    """Draw the section."""
    sentence = st.text_input(
        "Sentence", DEFAULT, key="sentence", bind="query-params", max_chars=400, help="At most 60 words."
    )
    with input_errors():
        with heavy_work():
            view = network_view(tagger, [token.text for token in tagger.tag(sentence).tokens])
        _probabilities(view)
        title = st.segmented_control(
            "Layer",
            [layer.title for layer in view.layers],
            default=view.layers[0].title,
            required=True,
            key="layer",
            bind="query-params",
        )
        layer = next(layer for layer in view.layers if layer.title == title)
        st.caption(layer.about)
        charts.show(_layer_picture(view, layer), f"layer {layer.key}", f"{layer.title}: values of the units")
        units = len(layer.values[0])
        if units > _MOST_UNITS:
            st.caption(f"The {_MOST_UNITS} of {units} units that vary most over the words of this sentence.")


def _names(view: NetworkView) -> list[str]:
    """Name the columns: plotly would join equal words to one."""
    return [
        f"{number}. {word if len(word) <= 14 else word[:13] + '…'}{'*' if unknown else ''}"
        for number, (word, unknown) in enumerate(zip(view.words, view.unknown, strict=True), start=1)
    ]


def _probabilities(view: NetworkView) -> None:
    st.markdown("**What comes out**: the probability of every tag for every word.")
    picture = charts.figure(height=470)
    charts.add_heatmap(
        picture,
        list(zip(*view.probabilities, strict=True)),
        x=_names(view),
        y=view.tags,
        zmin=0,
        zmax=1,
        xgap=2,
        ygap=1,
        hovertemplate="%{x}: %{y} %{z:.1%}<extra></extra>",
    )
    _word_axis(picture)
    picture.update_yaxes(autorange="reversed", type="category", showgrid=False)
    charts.show(picture, "probabilities", "Probability of every tag for every word")
    if any(view.unknown):
        st.caption(r"\* Never seen in training: the letters and the neighbours have to decide.")


def _layer_picture(view: NetworkView, layer: LayerView) -> go.Figure:
    units = list(zip(*layer.values, strict=True))
    order = range(len(units))
    if len(units) > _MOST_UNITS:
        order = sorted(sorted(order, key=lambda unit: -_variance(units[unit]))[:_MOST_UNITS])
    values = [units[unit] for unit in order]
    picture = charts.figure(y_title="unit", height=520)
    charts.add_heatmap(
        picture,
        values,
        x=_names(view),
        y=[f"{unit} " for unit in order],
        xgap=2,
        hovertemplate="%{x}, unit %{y}: %{z:+.2f}<extra></extra>",
    )
    _word_axis(picture)
    picture.update_yaxes(type="category", showgrid=False, showticklabels=False)
    return picture


def _word_axis(picture: go.Figure) -> None:
    picture.update_xaxes(type="category", side="top", tickangle=-50, showgrid=False)


def _variance(values: tuple[float, ...]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values)
