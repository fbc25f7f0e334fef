"""Section "Errors": which tag was mistaken for which, with sentences in which it happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from apps.shared import charts
from apps.shared.errors import Error, stored_errors
from apps.shared.language import N_, _
from apps.shared.page import input_errors
from apps.shared.page_errors import exhibit, quoted, show_errors
from apps.shared.style import palette
from apps.tagger.application import Tagger
from apps.tagger.reports import errors_of, pair_of

_SAID = N_(
    "**{wrong:,}** of the {n:,} words of the treebank's dev part are tagged wrong, {share:.2f} %. A square is as large "
    "as the error is frequent. Click one, or filter, to read where it happened; the most confident errors come first."
)
_MATRIX = "confusion matrix"
_LARGEST = 26  # pixels of the largest square


def show(tagger: Tagger, preset: str) -> None:
    """Draw the section."""
    confusions = stored_confusions(tagger)
    if confusions is None:
        return

    def draw(number: int, error: Error) -> str:
        link = exhibit("tagger", section="Text", preset=preset, text=error.text.strip("…"))
        return quoted(error, link, _("never seen in training") if error.seen is False else "")

    with input_errors():
        found = stored_errors("tagger", preset) or errors_of(confusions)
        show_errors(found, "tagger", _SAID, draw, more=lambda __: _matrix(confusions), more_first=True)


def _matrix(confusions: Mapping[str, Any]) -> None:
    """Draw which tag was mistaken for which; a click filters."""
    counts, labels = np.array(confusions["counts"]), confusions["labels"]
    place = {pair: tuple(map(labels.index, pair)) for pair in map(pair_of, confusions["examples"])}
    count = {pair: int(counts[at]) for pair, at in sorted(place.items(), key=lambda item: -counts[item[1]])}
    pairs = ", ".join(f"{gold}>{answer} {n}" for (gold, answer), n in list(count.items())[:6])
    charts.show(
        _picture(labels, count),
        _MATRIX,
        _("Confusion matrix: gold tags in rows, tags that the network gave in columns")
        + "\n"
        + _("Most often: {pairs}", pairs=pairs),
        on_select=lambda: _take(list(count)),
        selection_mode="points",
    )


def stored_confusions(tagger: Tagger) -> Mapping[str, Any] | None:
    """Return the confusions of the dev part that a preset stores; say so where it has none."""
    stored = tagger.metrics.get("upos_dev", {}).get("confusions")
    if stored is None:
        st.info(_("This preset stores no confusions of its dev part."))
    return stored


def _take(pairs: list[tuple[str, str]]) -> None:
    """Filter by the pair of the square that was clicked."""
    points = st.session_state[_MATRIX]["selection"]["points"]
    if points:
        gold, found = pairs[points[0]["point_index"]]
        st.session_state.update(shows=gold, answered=found)


def _picture(labels: Sequence[str], count: Mapping[tuple[str, str], int]) -> charts.Picture:
    colours = palette()
    most = max(count.values(), default=1)
    picture = charts.figure(x_title=_("tag that the network gave"), y_title=_("right tag"), height=560)
    picture.add_scatter(
        x=[answer for _gold, answer in count],
        y=[gold for gold, _answer in count],
        mode="markers",
        marker={
            "symbol": "square",
            "size": [max(5.0, _LARGEST * (number / most) ** 0.5) for number in count.values()],
            "color": colours.negative,
            "opacity": 0.85,
        },
        customdata=list(count.values()),
        hovertemplate=_("%{y} mistaken for %{x}: %{customdata} words<extra></extra>"),
        selected={"marker": {"color": colours.ours, "opacity": 1.0}},
        unselected={"marker": {"opacity": 0.55}},
    )
    # The right answers, on the diagonal, would dwarf everything: they are lines only.
    for label in labels:
        picture.add_annotation(x=label, y=label, text="·", showarrow=False, font={"color": colours.muted})
    order = {"categoryorder": "array", "categoryarray": list(labels), "type": "category"}
    picture.update_xaxes(side="top", tickangle=-60, range=[-0.7, len(labels) - 0.3], **order)
    picture.update_yaxes(range=[len(labels) - 0.3, -0.7], **order)
    return picture
