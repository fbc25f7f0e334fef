"""Section "Calibration": whether a probability of 80 % is right in 80 % of the cases, and the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from apps.shared import charts
from apps.shared.language import _
from apps.shared.measures import ReliabilityBin, calibration_by_chance
from apps.shared.page import input_errors, plain
from apps.shared.page_reports import show_table
from apps.shared.reports import DASH
from apps.shared.style import palette
from apps.tagger.application import Tagger
from apps.tagger.reports import SCORES


def show(tagger: Tagger, preset: str) -> None:
    """Draw the section."""
    stored = tagger.metrics.get("calibration_error")
    if stored is None:
        st.info(_("This preset stores no scores of its test part."))
        return
    bins = [ReliabilityBin(**one) for one in stored["bins"]]
    st.subheader(_("Reliability"), anchor=False)
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="center")
    with left:
        charts.show(
            _diagram(bins),
            "reliability",
            _("Share of right tags by probability; on the diagonal the probabilities are honest"),
        )
    right.caption(
        _(
            "Words of the test part, grouped by the probability of their tag: a bar is as high as the "
            "share of the group that is tagged right, and a point stands at the mean probability of the group. "
            "On the dotted line the network is as often right as it says."
        )
    )
    right.caption(
        _(
            "Expected calibration error, the mean distance from that line: {score:.2f} %; exact "
            "probabilities of as many words would have {chance:.2f} % by chance. "
            "The temperature that sets the scale was fitted on the dev part.",
            score=stored["score"],
            chance=100.0 * calibration_by_chance(bins),
        )
    )
    _scores(preset)


def _scores(preset: str) -> None:
    st.subheader(_("Scores"), anchor=False)
    *columns, others = SCORES.columns  # the others stand below: they are too long for a cell
    table = replace(SCORES, header=_("test part"), columns=tuple(columns))
    with input_errors():
        scores = table.of(preset)
        show_table(scores)
        if (listed := others.cell(scores.lines[0].row)) != DASH:
            said = _(
                "Universal tags that others get right on the same words, %: {listed}.", listed=plain(listed)
            )
            st.caption(said)
        said = _("Scored when the preset was made. {facts}", facts=scores.facts(plain))
        st.caption(said + " " + _("Score again: `python -m apps tagger evaluate`"))
        st.caption(
            _(
                "Universal tags are the 17 that all languages share, XPOS tags the finer ones of English. "
                "Gold tokens: the tagger is given the words as people have split them; from raw text it has to "
                "find words and sentences itself, and F1 weighs those that it misses against those that it invents."
            )
        )


def _diagram(bins: Sequence[ReliabilityBin]) -> charts.Picture:
    colours = palette()
    full = [one for one in bins if one.n]
    picture = charts.figure(x_title=_("probability of the tag"), y_title=_("share of right tags"), height=400)
    picture.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", line={"color": colours.muted, "dash": "dot"}
    )
    picture.add_bar(
        x=[(one.low + one.high) / 2 for one in full],
        y=[one.accuracy for one in full],
        width=[0.92 * (one.high - one.low) for one in full],
        marker={"color": colours.ours, "opacity": 0.75, "cornerradius": 2},
        customdata=[(one.n, one.confidence, one.low, one.high) for one in full],
        hovertemplate=_(
            "probability %{customdata[2]:.2f}–%{customdata[3]:.2f}: %{y:.3f} right, mean "
            "probability %{customdata[1]:.3f}, %{customdata[0]:,} words<extra></extra>"
        ),
    )
    picture.add_scatter(
        x=[one.confidence for one in full],
        y=[one.accuracy for one in full],
        mode="markers",
        hoverinfo="skip",
        marker={"color": colours.text, "size": 7},
    )
    picture.update_layout(showlegend=False)
    picture.update_xaxes(range=[0, 1.01])
    picture.update_yaxes(range=[0, 1.01])
    return picture
