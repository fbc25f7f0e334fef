"""Section "Transitions": what a CRF learned about which tag follows which."""

from __future__ import annotations

from typing import Any

import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.tagger.application import Tagger
from apps.tagger.explain import crf_transitions, followers
from apps.tagger.page_errors import stored_confusions
from apps.tagger.results import Transitions
from apps.tagger.tagset import TAGS, tag_name

_SHOWN = 8


def show(tagger: Tagger, preset: str) -> None:
    """Draw the section."""
    found = crf_transitions(tagger)
    if found is not None:
        unit = _("learned score")
        st.markdown(
            _(
                "The conditional random field at the network's end adds a learned score for every tag "
                "after every other to what the network says about each word, and chooses the best "
                "sequence for the whole sentence."
            )
        )
    else:
        unit = _("log₂ of observed over by chance")
        st.info(
            _(
                "This network ends in a softmax: it decides word by word and has learned no "
                "transitions. Below, from the treebank's dev part, is what a conditional random field "
                "would have to learn; here the states of the BiLSTM carry it."
            )
        )
        confusions = stored_confusions(tagger)
        if confusions is None:
            return
        found = followers(confusions["followers"], confusions["labels"])
    charts.show(
        transitions_picture(found, unit),
        "transitions",
        _("{unit} of a tag in the columns after a tag in the rows", unit=unit),
    )
    _extremes(found)


def _extremes(found: Transitions) -> None:
    import pandas as pd

    rows, columns = ([_in_words(tag) for tag in tags] for tags in (found.rows, found.columns))
    scores = pd.DataFrame(found.scores.round(2), pd.Index(rows, name=_("tag")), columns)
    pairs = scores.melt(var_name=_("then"), value_name=_("score"), ignore_index=False).dropna().reset_index()
    looks = {_("score"): st.column_config.NumberColumn(format="%.2f", width=70)}
    chosen = {_("Most welcome"): pairs.nlargest, _("Least welcome"): pairs.nsmallest}
    for column, (title, first) in zip(st.columns(2, gap="medium"), chosen.items(), strict=True):
        with column:
            st.subheader(title, anchor=False)
            st.dataframe(first(_SHOWN, _("score")), hide_index=True, column_config=looks)


def _in_words(tag: str) -> str:
    return f"{tag} {tag_name(tag)}" if tag in TAGS else tag


def transitions_picture(found: Transitions, unit: str, height: int = 600, **looks: Any) -> charts.Picture:
    """Draw scores of tags after tags; height in pixels, looks as plotly takes them."""
    picture = charts.figure(x_title=_("next tag"), y_title=_("tag"), height=height)
    charts.add_heatmap(
        picture,
        found.scores,
        x=found.columns,
        y=found.rows,
        xgap=1,
        ygap=1,
        hovertemplate=_("%{{y}}, then %{{x}}: %{{z:+.2f}} ({unit})<extra></extra>", unit=unit),
        **looks,
    )
    picture.update_xaxes(side="top", tickangle=-60, type="category", showgrid=False, dtick=1)
    picture.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return picture
