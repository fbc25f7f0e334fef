"""Sections "Transitions" and "Noise": what context is to the CRF, and what it is worth."""

from __future__ import annotations

from itertools import product

import streamlit as st

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader, noisy
from apps.ocr.evaluation import WAYS
from apps.ocr.page_letters import show_letters
from apps.ocr.page_source import Letters, written
from apps.ocr.reports import CONTEXT, noise_curves
from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import input_errors
from apps.shared.page_reports import Curve, curves, show_facts, show_report
from apps.shared.style import palette
from apps.shared.tables import Report

MOST = 30  # of the pixels, percent
_RANKED = 8  # transitions of each kind


def show_transitions(reader: Reader, preset: str) -> None:
    """Draw the section "Transitions"."""
    st.markdown(
        _(
            "The conditional random field (CRF) behind the BiLSTM has a learned score for every pair of "
            "letters, and chooses the best word as a whole. The BiLSTM sees the neighbours of a letter "
            "too, so that only what it misses is left for these scores."
        )
    )
    scores, letters = reader.letters.crf.transitions, list(reader.letters.config.alphabet)
    picture = charts.figure(x_title=_("next letter"), y_title=_("letter"), height=620)
    charts.add_heatmap(
        picture,
        scores,
        x=letters,
        y=letters,
        xgap=1,
        ygap=1,
        hovertemplate=_("%{y}, then %{x}: %{z:+.2f}<extra></extra>"),
    )
    picture.update_xaxes(side="top", type="category", showgrid=False, dtick=1, tickangle=0)
    picture.update_yaxes(autorange="reversed", type="category", showgrid=False, dtick=1)
    charts.show(
        picture, "transitions", _("Learned score of the letter in the columns after the letter in the rows")
    )
    ranked = sorted(zip(scores.ravel().tolist(), map("".join, product(letters, repeat=2)), strict=True))
    titles = {_("Most welcome"): ranked[::-1][:_RANKED], _("Least welcome"): ranked[:_RANKED]}
    for column, (title, chosen) in zip(st.columns(2, gap="medium"), titles.items(), strict=True):
        with column:
            st.subheader(title, anchor=False)
            st.dataframe(
                [{_("letters"): pair, _("score"): f"{score:+.2f}"} for score, pair in chosen], hide_index=True
            )


def show_noise(reader: Reader, preset: str) -> None:
    """Draw the section "Noise"."""
    level = st.slider(_("Pixels flipped, %"), 0, MOST, 10, key="noise", bind="query-params")
    with input_errors():
        chosen, hand = written(reader)
        images = noisy(chosen.images, level / 100, seed=hand)
        show_letters(Letters(images, chosen.truth), reader.read_letters(images))
    st.subheader(_("On all words of the test"), anchor=False)
    show_report(CONTEXT, lambda report: _curves(report, level), show_facts)
    if preset != LETTERS_PRESET:
        st.caption(
            _(
                "The curves are those of {letters_preset} and {words_preset}; this preset reads the "
                "word above.",
                letters_preset=LETTERS_PRESET,
                words_preset=WORDS_PRESET,
            )
        )


def _curves(report: Report, level: int) -> None:
    found = noise_curves(report.found)
    shares, looks = [100 * share for share in report.found.numbers("levels")], charts.line_looks(list(found))
    picture = curves(
        {_(WAYS[way]): Curve(shares, errors, *looks[way]) for way, errors in found.items()},
        x_title=_("pixels flipped, %"),
        y_title=_("letters read wrong, %"),
        hover=_("%{x} % of the pixels: %{y:.2f} %"),
        height=460,
    )
    picture.add_vline(x=level, line={"color": palette().text, "dash": "dot", "width": 1})
    legend = {"y": 1.02, "yanchor": "bottom"}  # below it would meet the axis title in narrow windows
    picture.update_layout(margin={"t": 24}, legend=legend)
    picture.update_yaxes(rangemode="tozero")
    charts.show(picture, "noise curves", _("Character error of every way of reading by the share of noise"))
    st.caption(
        _(
            "CTC reads words in one piece. It can go beyond 100 %: letters that it reads where there are "
            "none count as wrong, too."
        )
    )
