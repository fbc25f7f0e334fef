"""Section "Scores": how well the vectors do on three public sets, ours beside gensim's."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from apps.shared import charts
from apps.shared.language import N_, _
from apps.shared.page import plain
from apps.shared.page_reports import show_metrics, show_numbers, show_report
from apps.shared.style import palette
from apps.shared.tables import Column, Report
from apps.vectors.reports import SCORES, sections

_CELLS = (
    Column("Analogies, %", "metrics.google_analogies.score", ".1f"),
    Column("WordSim-353 ρ", "metrics.wordsim353.score", ".3f"),
    Column("SimLex-999 ρ", "metrics.simlex999.score", ".3f"),
)
_CAPTION = N_(
    "Google's analogies: {metrics.google_analogies.n:,} of {metrics.google_analogies.of:,} "
    "questions answerable. Spearman's ρ with people's judgements: {metrics.wordsim353.n} "
    "and {metrics.simlex999.n} pairs."
)
_TRAINED = N_("Trained in {metadata.seconds/60:.1f} minutes on {metadata.processor}.")


def show(ours: str, peer: str) -> None:
    """Draw the section.

    Args:
        ours: Name of the chosen preset.
        peer: Name of gensim's preset.
    """
    presets = tuple(dict.fromkeys((ours, peer)))
    show_report(replace(SCORES, presets=presets), _totals, _sections)


def _totals(report: Report) -> None:
    for cell, line in zip(st.columns(2), report.lines, strict=False):
        with cell, st.container(border=True):
            size = line.row.text(_("{config.vocabulary_size:,} words, {config.dimensions} dimensions"))
            st.markdown(f"**{line.names[0]}** · {size}")
            show_metrics(line.row, _CELLS)
            said = [_CAPTION] if line.row.get("metadata.recipe.imported_from") else [_CAPTION, _TRAINED]
            st.caption(" ".join(line.row.text(_(one), escape=plain) for one in said))


def _sections(scores: Report) -> None:
    st.subheader(_("Google analogies by section"), anchor=False)
    report, colours = sections(scores), palette()
    names = [line.names[0] for line in scores.lines]
    picture = charts.grouped_bars(
        [line.label for line in report.lines],
        {name: [line.row[f"{at}.accuracy"] for line in report.lines] for at, name in enumerate(names)},
        x_title=_("% right of the answerable questions"),
        colours=dict(zip(names, (colours.ours, colours.peer), strict=False)),
    )
    charts.show(picture, "sections", _("Accuracy on each section of Google's analogies"))
    show_numbers(report)
    st.caption(
        _(
            "A question counts when its four words are among the most frequent words that the "
            "preset holds. Score again: `python -m apps vectors evaluate`"
        )
    )
