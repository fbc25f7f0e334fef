"""Section "Errors": which tag was mistaken for which, with sentences in which it happened."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go
import streamlit as st

from apps.shared import charts
from apps.shared.style import palette
from apps.tagger.application import Tagger
from apps.tagger.evaluation import confusions_from
from apps.tagger.results import Confusions, Example
from apps.tagger.tagset import tag_name

_PAIR = "pair"
_MATRIX = "confusion matrix"
_LARGEST = 26  # pixels of the largest square


def show(tagger: Tagger, preset: str) -> None:
    """Draw the section."""
    confusions = stored_confusions(tagger)
    if confusions is None:
        return
    wrong = confusions.accuracy.n - confusions.accuracy.correct
    st.markdown(
        f"**{wrong:,}** of the {confusions.accuracy.n:,} words of the treebank's dev part are tagged wrong. "
        "A square is as large as the error is frequent. Choose one to read where it happened."
    )
    matrix, sentences = st.columns([3, 2], gap="medium")
    with matrix:
        _matrix(confusions)
    with sentences:
        _examples(confusions)


def stored_confusions(tagger: Tagger) -> Confusions | None:
    """Return the confusions of the dev part that a preset stores; say so and return None where it has none."""
    stored = tagger.metrics.get("upos_dev", {}).get("confusions")
    if stored is None:
        st.info("This preset stores no confusions of its dev part.")
        return None
    return confusions_from(stored)


def _pairs(confusions: Confusions) -> list[str]:
    """List the kinds of error, the most frequent first."""
    return sorted(confusions.examples, key=lambda kind: (-_count(confusions, kind), kind))


def _count(confusions: Confusions, kind: str) -> int:
    gold, found = kind.split(">")
    return confusions.counts[confusions.labels.index(gold)][confusions.labels.index(found)]


def _matrix(confusions: Confusions) -> None:
    pairs = _pairs(confusions)
    st.plotly_chart(
        _picture(confusions, pairs),
        key=_MATRIX,
        on_select=lambda: _take(pairs),
        selection_mode="points",
        config={"displayModeBar": False, "scrollZoom": False},
        alt="Confusion matrix: gold tags in rows, tags that the network gave in columns",
    )


def _take(pairs: list[str]) -> None:
    """Choose the pair of the square that was clicked."""
    points = st.session_state[_MATRIX]["selection"]["points"]
    if points:
        st.session_state[_PAIR] = pairs[points[0]["point_index"]]


def _picture(confusions: Confusions, pairs: list[str]) -> go.Figure:
    colours = palette()
    counts = [_count(confusions, kind) for kind in pairs]
    most = max(counts, default=1)
    picture = charts.figure(x_title="tag that the network gave", y_title="gold tag", height=560)
    picture.add_scatter(
        x=[kind.split(">")[1] for kind in pairs],
        y=[kind.split(">")[0] for kind in pairs],
        mode="markers",
        marker={
            "symbol": "square",
            "size": [max(5.0, _LARGEST * (count / most) ** 0.5) for count in counts],
            "color": colours.negative,
            "opacity": 0.85,
        },
        customdata=counts,
        hovertemplate="%{y} mistaken for %{x}: %{customdata} words<extra></extra>",
        selected={"marker": {"color": colours.ours, "opacity": 1.0}},
        unselected={"marker": {"opacity": 0.55}},
    )
    # The right answers, on the diagonal, would dwarf everything: they are lines only.
    for label in confusions.labels:
        picture.add_annotation(x=label, y=label, text="·", showarrow=False, font={"color": colours.muted})
    order = {"categoryorder": "array", "categoryarray": list(confusions.labels), "type": "category"}
    picture.update_xaxes(side="top", tickangle=-60, range=[-0.7, len(confusions.labels) - 0.3], **order)
    picture.update_yaxes(range=[len(confusions.labels) - 0.3, -0.7], **order)
    return picture


def _examples(confusions: Confusions) -> None:
    pairs = _pairs(confusions)
    if not pairs:
        st.info("There is no error to show.")
        return
    kind = st.selectbox(
        "Gold tag > tag that the network gave",
        pairs,
        format_func=lambda pair: f"{pair.replace('>', ' > ')} ({_count(confusions, pair):,})",
        key=_PAIR,
        bind="query-params",
    )
    gold, found = kind.split(">")
    st.caption(
        f"{tag_name(gold).capitalize()} ({gold}) mistaken for {tag_name(found)} ({found}), the most confident "
        "errors first."
    )
    st.html("".join(_quoted(example, found) for example in confusions.examples[kind]))


def _quoted(example: Example, found: str) -> str:
    colours = palette()
    unknown = ", never seen in training" if example.unknown else ""
    return (
        f'<blockquote style="margin:0 0 .7rem;padding:.1rem .8rem;border-left:3px solid {colours.grid};'
        f'color:{colours.text};overflow-wrap:anywhere" dir="auto">{escape(example.before)}'
        f'<b style="color:{colours.negative}">{escape(example.word)}</b>'
        f"{escape(example.after)}<br><small>{escape(found)} with {100 * example.probability:.1f} %{unknown}"
        "</small></blockquote>"
    )
