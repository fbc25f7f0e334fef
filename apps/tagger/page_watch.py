"""What a tagger or a segmenter shows while it trains, drawn for the Laboratory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import streamlit as st

from apps.shared import charts
from apps.shared.language import N_, _
from apps.shared.style import palette
from apps.tagger.page_transitions import transitions_picture
from apps.tagger.results import Alternative, TaggedSentence, TaggedToken, Transitions
from apps.tagger.ribbons import legend, ribbons, style
from data_prep.readers.conllu import UNTAGGED

_SCALE = 2.0  # of the heat map, at least: small scores stay pale until they have grown
_UNIT = N_("learned score")


@dataclass(frozen=True, slots=True)
class _SeenToken(TaggedToken):
    """A word with the tag that it had at the look before, "" where it is the same."""

    before: str = ""


def show(picture: Mapping[str, Any], key: str) -> None:
    """Draw a picture of ``apps.tagger.watch``."""
    if "ahead" in picture:
        _expected(picture, key)
        return
    sentences, words = picture["sample"]
    sample = _(
        "{sentences:,} sentences ({words:,} words) of the dev part, from which the weights do not learn",
        sentences=sentences,
        words=words,
    )
    if "cut" in picture:
        st.html(_cut(picture))
        st.caption(
            _("A line a sentence, a box a word. Held out: the raw text of the first {sample}.", sample=sample)
        )
        return
    found = _sentences(picture)
    st.html(ribbons(found, palette()))
    st.html(legend({token.tag for sentence in found for token in sentence.tokens}, palette()))
    changed = sum(bool(tag) for tag in picture["before"])
    st.caption(
        _(
            "The fainter a ribbon, the less sure the network; point at a word for the tags beside "
            "its own. Underlined: another tag than at the look before ({changed} of {n} words). "
            "Held out: {sample}. Everything is seen with the weights of this moment; their "
            "averages, which are kept, are better.",
            changed=changed,
            n=len(picture["before"]),
            sample=sample,
        )
    )
    if "transitions" in picture:
        tags, scores = tuple(picture["labels"]), np.asarray(picture["transitions"], float)
        limit = max(_SCALE, float(np.abs(scores).max()))
        drawn = transitions_picture(
            Transitions(tags, tags, scores), _(_UNIT), height=460, zmin=-limit, zmax=limit
        )
        st.markdown(
            _("**What the conditional random field has learned**: a score for every tag after every other")
        )
        charts.show(
            drawn,
            f"{key} transitions",
            _("{unit} of a tag in the columns after a tag in the rows", unit=_(_UNIT)),
        )


def _expected(picture: Mapping[str, Any], key: str) -> None:
    rows = zip(picture["ahead"], picture["forms"], picture["back"], strict=True)
    names = (_("expected by what stands before"), _("word"), _("expected by what stands behind"))
    table = [dict(zip(names, (", ".join(a), form, ", ".join(b)), strict=True)) for a, form, b in rows]
    st.dataframe(table, hide_index=True, key=f"{key} expected")
    st.caption(
        _(
            "Before it sees a tag, the first layer learns which word comes next, from both sides; "
            "the likeliest first. Held out: {sample} sentences of the dev part, which it does not "
            "read.",
            sample=picture["sample"],
        )
    )


def _sentences(picture: Mapping[str, Any]) -> list[TaggedSentence]:
    tokens = []
    given = (picture[name] for name in ("words", "tags", "shares", "before"))
    for (word, start, end, unknown), (tag, *others), (share, *more), before in zip(*given, strict=True):
        alternatives = tuple(map(Alternative, others, map(float, more)))
        tokens.append(
            _SeenToken(word, start, end, tag, UNTAGGED, float(share), alternatives, unknown, before)
        )
    text = picture["text"]
    borders = [*picture["starts"], len(text)]
    return [
        TaggedSentence(text[start:stop], tuple(one for one in tokens if start <= one.start < stop), start)
        for start, stop in pairwise(borders)
    ]


def _cut(picture: Mapping[str, Any]) -> str:
    """Draw the sentences and words that a segmenter cut as HTML."""
    text, lines = picture["text"], []
    for sentence in picture["cut"]:
        words = (
            f'<span class="word"><bdi class="form">{escape(text[a:b])}</bdi></span>' for a, b in sentence
        )
        lines.append(f'<div class="sentence" dir="auto">{" ".join(words)}</div>')
    return f'{style(palette())}<div class="ribbons cut">{"".join(lines)}</div>'
