"""Section "Letters": a word letter by letter, before and after its context is taken into account."""

from __future__ import annotations

import time

import streamlit as st

from apps.ocr.application import Reader
from apps.ocr.evaluation import WAYS
from apps.ocr.page_looks import answer, columns_picture, letter_row
from apps.ocr.page_source import Letters, choose_letters
from apps.ocr.results import LettersResult
from apps.shared import charts
from apps.shared.page import input_errors, plain


def show(reader: Reader) -> None:
    """Draw the section.

    Args:
        reader: Opened for letters.
    """
    with input_errors():
        chosen = choose_letters()
        if chosen is not None:
            began = time.perf_counter()
            result = reader.read_letters(chosen.images)
            show_letters(chosen, result, 1000 * (time.perf_counter() - began))


def show_letters(chosen: Letters, result: LettersResult, milliseconds: float | None = None) -> None:
    """Draw what was read.

    Args:
        chosen: The letters.
        result: The answer.
        milliseconds: How long it took, where that is of interest.
    """
    st.html(answer(result.text))
    said = [] if chosen.truth is None else [f"It says {plain(chosen.truth)}."]
    said.append(f"Each letter alone: {result.before}.")
    places = ", ".join(str(at + 1) for at in result.changed)
    said.append(f"Context changed letter {places}." if places else "Context changed nothing.")
    if milliseconds is not None:
        said.append(f"{milliseconds:.1f} ms for all networks and the search.")
    st.caption(" ".join(said))
    st.html(letter_row(chosen.images, result.letters, chosen.truth))
    st.caption(
        "Above the arrow what the letter's own picture says, below it what its word adds. Framed: context changed it."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        charts.show(
            columns_picture(result.letters, context=False),
            "columns alone",
            "Probability of every letter at every place, each picture alone",
        )
    with right:
        charts.show(
            columns_picture(result.letters, context=True),
            "columns context",
            "Probability of every letter at every place, in context",
        )
    _networks(result, chosen.truth)


def _networks(result: LettersResult, truth: str | None) -> None:
    rows = []
    for key, word in result.by_way.items():
        row = {"by": WAYS[key], "reads": word}
        if truth is not None:
            row["wrong letters"] = sum(one != other for one, other in zip(word, truth, strict=True))
        rows.append(row)
    left, right = st.columns(2, gap="medium")
    left.dataframe(rows, hide_index=True)
    right.dataframe(
        [
            {"other words": one.text, "probability, %": round(100 * one.probability, 1)}
            for one in result.alternatives
        ],
        hide_index=True,
    )
