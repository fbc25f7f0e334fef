"""Section "Map": words in two dimensions, to zoom and to search."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.shared import charts
from apps.shared.language import N_, _
from apps.shared.page import imported_ahead, input_errors, one_of, plain, remembered, text_box
from apps.shared.style import palette
from apps.vectors.application import TSNE, Vectors
from apps.vectors.results import MapResult

METHODS = {"PCA": "pca", "t-SNE": "tsne"}
SOURCES = (N_("Chosen"), N_("Around a word"), N_("Frequent"))
_CHOSEN = (
    "france paris germany berlin italy rome spain madrid japan tokyo russia moscow england london egypt "
    "cairo dog cat horse cow sheep wolf bear lion bird fish red green blue yellow black white orange purple "
    "monday tuesday friday sunday january march june october piano violin guitar drums symphony opera "
    "doctor teacher lawyer farmer soldier king queen prince mother father daughter son"
)


def show(ours: Vectors, preset: str) -> None:
    """Draw the section."""
    imported_ahead(TSNE)
    left, right = st.columns([3, 2])
    source = one_of(_("Words"), SOURCES, "words", place=left, named=True)
    method = one_of(_("Method"), list(METHODS), "layout", place=right, first="PCA", named=True)
    left, right = st.columns([3, 2])
    words = None
    with left, input_errors():
        words = _words(ours, source)
    wanted = text_box(right, _("Find a word on the map"), "", "find", 100, icon=":material/search:").strip()
    if words is None:
        return
    with input_errors():
        result = remembered(preset, ours, "map", words, METHODS[method])
        _draw(result, ours.key(wanted) if wanted else None)
        if wanted and ours.key(wanted) not in result.words:
            st.warning(
                _(
                    "“{wanted}” is not among the {n} words of this map.",
                    wanted=plain(wanted),
                    n=len(result.words),
                )
            )


def _words(ours: Vectors, source: str) -> tuple[str, ...] | int:
    if source == "Chosen":
        chosen = text_box(st, _("Words"), _CHOSEN, "chosen", 5000)
        return tuple(chosen.replace(",", " ").split())
    count, box = st.columns(2) if source == "Around a word" else (st.container(), None)
    size = count.slider(_("How many words"), 20, 1000, 300, step=20, key="size", bind="query-params")
    if box is None:
        return size
    centre = text_box(box, _("Word"), "music", "centre", 100).strip()
    return (*ours.keys([centre]), *(neighbour.word for neighbour in ours.neighbours(centre, size - 1)))


def _draw(result: MapResult, wanted: str | None) -> None:
    colours = palette()
    across, up = charts.axis_titles(result.axes, result.explained)
    picture = charts.figure(x_title=across, y_title=up, height=620)
    order = np.arange(1, len(result.words) + 1)
    scale = [[0, colours.ours], [1, colours.peer]]
    sizes = 9 - 5 * order / len(order)  # the colours alone would not tell everyone
    marker = {"size": sizes.tolist(), "color": order.tolist(), "colorscale": scale, "opacity": 0.75}
    charts.add_words(picture, result.coordinates, result.words, size=(1000, 540), marker=marker)
    if wanted in result.words:
        _mark(picture, wanted, result.coordinates[result.words.index(wanted)])
    charts.show(
        picture,
        "map",
        _("Map of {n} words by {method}", n=len(result.words), method=result.method),
        zoom=True,
    )
    axes = (
        _("The axes of t-SNE have no meaning: only who is near whom counts.")
        if result.explained is None
        else _("Each axis is a principal component, named after the words at its two ends.")
    )
    st.caption(
        _(
            "{n} words, from the first of the list (blue, large) to the last (orange, small). Wheel or pinch "
            "zooms, dragging moves, a double click shows all; the pointer names every dot. {axes}",
            n=len(result.words),
            axes=axes,
        )
    )


def _mark(picture: charts.Picture, word: str, place: tuple[float, float]) -> None:
    colours, (x, y) = palette(), place
    ring = {"symbol": "circle-open", "size": 22, "color": colours.negative, "line": {"width": 3}}
    picture.add_scatter(x=[x], y=[y], mode="markers", marker=ring, hoverinfo="skip", showlegend=False)
    looks = {"arrowcolor": colours.negative, "bgcolor": colours.ground, "bordercolor": colours.negative}
    font = {"color": colours.text, "size": 14}
    picture.add_annotation(x=x, y=y, text=f"<b>{word}</b>", showarrow=True, ax=0, ay=-42, font=font, **looks)
