"""What word vectors show while they are learned, drawn: neighbours, an analogy, and the map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import plain
from apps.shared.style import palette
from apps.vectors.page_peer import show_scores
from apps.vectors.results import Neighbour


def show(picture: Mapping[str, Any], key: str) -> None:
    """Draw one picture."""
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _scores(picture["neighbours"], _("Closest to {word}", word=picture["word"]), f"{key} neighbours")
        _scores(picture["answers"], picture["analogy"], f"{key} answers")
    with right:
        if "map" in picture:
            _map(picture["map"], key)
    if picture["predictions"]:
        st.caption(
            _(
                "Losses are means over the same {predictions:,} predictions, from lines that are held out.",
                predictions=picture["predictions"],
            )
        )


def _scores(found: list[tuple[str, float]] | str, title: str, key: str) -> None:
    st.markdown(f"**{plain(title)}**")
    if isinstance(found, str):
        st.info(plain(found))
        return
    scores = tuple(Neighbour(*one) for one in found)
    show_scores(scores, key, f"{title}: ", "cosine", colour=palette().ours, limits=(0, 1))


def _map(found: Mapping[str, Any], key: str) -> None:
    points, words = np.asarray(found["points"], np.float64), found["words"]
    reach = max(0.2, float(np.ceil(np.abs(points).max() * 11) / 10))  # the same for pictures that are alike
    taken = np.ptp(points, axis=0) / (2 * reach)  # shares of the picture's width and height
    looks = {"marker": {"size": 6, "color": palette().ours, "opacity": 0.75}}
    picture = charts.figure(height=520)
    charts.add_words(picture, points.tolist(), words, size=(620 * taken[0], 500 * taken[1]), **looks)
    picture.update_xaxes(range=[-reach, reach], showticklabels=False)
    picture.update_yaxes(range=[-reach, reach], showticklabels=False)
    picture.update_layout(transition={"duration": 500, "easing": "linear"})
    charts.show(picture, f"{key} map", _("Map of {n} words by PCA", n=len(words)))
    st.caption(
        _(
            "{n} words by PCA, {explained:.0f} % of their variance; each picture is turned to lie "
            "next to the one before.",
            n=len(words),
            explained=100 * found["explained"],
        )
    )
