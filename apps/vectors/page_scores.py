"""Section "Scores": how well the vectors do on three public sets, ours beside gensim's."""

from __future__ import annotations

import streamlit as st

from apps.shared import charts
from apps.shared.page import input_errors, plain
from apps.shared.reports import VectorsScores, preset_installed, vectors_scores
from apps.shared.style import palette

_NAMES = ("Lectern", "gensim")


@st.cache_data(show_spinner=False, max_entries=8)
def _scores(preset: str) -> VectorsScores | None:
    return vectors_scores(preset) if preset_installed(preset) else None


def show(ours: str, peer: str) -> None:
    """Draw the section.

    Args:
        ours: Name of Lectern's preset.
        peer: Name of gensim's preset.
    """
    with input_errors():
        scores = {
            name: found
            for name, preset in zip(_NAMES, (ours, peer), strict=True)
            if (found := _scores(preset))
        }
        if not scores:
            st.info("No preset with scores is installed.")
            return
        _totals(scores)
        _sections(scores)


def _totals(scores: dict[str, VectorsScores]) -> None:
    for column, (name, found) in zip(st.columns(2), scores.items(), strict=False):
        with column, st.container(border=True):
            st.markdown(f"**{name}** · {found.words:,} words, {found.dimensions} dimensions")
            cells = st.columns(3)
            answered, asked = found.total.answered, found.total.of
            cells[0].metric("Analogies", _percent(found.total.accuracy))
            cells[1].metric("WordSim-353 ρ", _rank(found.wordsim353))
            cells[2].metric("SimLex-999 ρ", _rank(found.simlex999))
            st.caption(
                f"Google's analogies: {answered:,} of {asked:,} questions answerable. Spearman's ρ with "
                f"people's judgements: {found.wordsim353_n} and {found.simlex999_n} pairs. Trained in "
                f"{found.seconds / 60:.1f} minutes on {plain(found.processor)}."
            )


def _sections(scores: dict[str, VectorsScores]) -> None:
    st.subheader("Google analogies by section", anchor=False)
    colours = palette()
    sections = list(next(iter(scores.values())).sections)
    charts.show(
        charts.grouped_bars(
            sections,
            {
                name: [
                    found.sections[section].accuracy if section in found.sections else None
                    for section in sections
                ]
                for name, found in scores.items()
            },
            x_title="% right of the answerable questions",
            colours={"Lectern": colours.ours, "gensim": colours.peer},
        ),
        "sections",
        "Accuracy on each section of Google's analogies",
    )
    with st.expander("The numbers"):
        st.dataframe(
            [
                {"section": section}
                | {
                    f"{name}, {what}": value
                    for name, found in scores.items()
                    if (score := found.sections.get(section)) is not None
                    for what, value in (
                        ("% right", score.accuracy),
                        ("right", score.correct),
                        ("answerable", score.answered),
                        ("of", score.of),
                    )
                }
                for section in sections
            ],
            hide_index=True,
            column_config={
                f"{name}, % right": st.column_config.NumberColumn(format="%.1f") for name in scores
            },
        )
    st.caption(
        "A question counts when its four words are among the most frequent words that the preset holds. "
        "Score again: `python -m apps vectors evaluate`"
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} %"


def _rank(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
