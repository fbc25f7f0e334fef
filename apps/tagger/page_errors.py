"""Section "Errors": which tag was mistaken for which, with sentences in which it happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.style import palette
from apps.tagger.application import Tagger
from apps.tagger.tagset import tag_name

_PAIR = "pair"
_MATRIX = "confusion matrix"
_LARGEST = 26  # pixels of the largest square


def show(tagger: Tagger, preset: str) -> None:
    """Draw the section."""
    confusions = stored_confusions(tagger)
    if confusions is None:
        return
    counts, labels = np.array(confusions["counts"]), confusions["labels"]
    place = {kind: tuple(map(labels.index, kind.split(">"))) for kind in confusions["examples"]}
    count = {kind: int(counts[at]) for kind, at in sorted(place.items(), key=lambda item: -counts[item[1]])}
    st.markdown(
        _(
            "**{wrong:,}** of the {all:,} words of the treebank's dev part are tagged wrong. A "
            "square is as large as the error is frequent. Choose one to read where it happened.",
            wrong=counts.sum() - counts.trace(),
            all=counts.sum(),
        )
    )
    matrix, sentences = st.columns([3, 2], gap="medium")
    with matrix:
        drawn = _picture(labels, count)
        st.plotly_chart(
            drawn,
            key=_MATRIX,
            on_select=lambda: _take(list(count)),
            selection_mode="points",
            config={"displayModeBar": False, "scrollZoom": False},
            alt=_("Confusion matrix: gold tags in rows, tags that the network gave in columns")
            + "\n"
            + _("Most often: {pairs}", pairs=", ".join(f"{pair} {n}" for pair, n in list(count.items())[:6])),
        )
    with sentences:
        _examples(confusions["examples"], count)


def stored_confusions(tagger: Tagger) -> Mapping[str, Any] | None:
    """Return the confusions of the dev part that a preset stores; say so where it has none."""
    stored = tagger.metrics.get("upos_dev", {}).get("confusions")
    if stored is None:
        st.info(_("This preset stores no confusions of its dev part."))
    return stored


def _take(pairs: list[str]) -> None:
    """Choose the pair of the square that was clicked."""
    points = st.session_state[_MATRIX]["selection"]["points"]
    if points:
        st.session_state[_PAIR] = pairs[points[0]["point_index"]]


def _picture(labels: Sequence[str], count: Mapping[str, int]) -> go.Figure:
    colours = palette()
    most = max(count.values(), default=1)
    picture = charts.figure(x_title=_("tag that the network gave"), y_title=_("gold tag"), height=560)
    picture.add_scatter(
        x=[kind.split(">")[1] for kind in count],
        y=[kind.split(">")[0] for kind in count],
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


def _examples(examples: Mapping[str, Any], count: Mapping[str, int]) -> None:
    if not count:
        st.info(_("There is no error to show."))
        return
    kind = st.selectbox(
        _("Gold tag > tag that the network gave"),
        list(count),
        format_func=lambda pair: f"{pair.replace('>', ' > ')} ({count[pair]:,})",
        key=_PAIR,
        bind="query-params",
    )
    gold, found = kind.split(">")
    st.caption(
        _(
            "{Gold_name} ({gold}) mistaken for {found_name} ({found}), the most confident errors first.",
            Gold_name=tag_name(gold).capitalize(),
            gold=gold,
            found_name=tag_name(found),
            found=found,
        )
    )
    st.html("".join(_quoted(example, found) for example in examples[kind]))


def _quoted(example: Mapping[str, Any], found: str) -> str:
    colours = palette()
    before, word, after = (escape(example[part]) for part in ("before", "word", "after"))
    said = _(
        "{found} with {probability:.1f} %", found=escape(found), probability=100 * example["probability"]
    )
    unknown = _(", never seen in training") if example["unknown"] else ""
    return (
        f'<blockquote style="margin:0 0 .7rem;padding:.1rem .8rem;border-left:3px solid {colours.grid};'
        f'color:{colours.text};overflow-wrap:anywhere" dir="auto">{before}'
        f'<b style="color:{colours.negative}">{word}</b>{after}<br><small>{said}{unknown}</small></blockquote>'
    )
