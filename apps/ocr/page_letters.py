"""Section "Letters": a word letter by letter, before and after its context is taken into account."""

from __future__ import annotations

import time

import streamlit as st
from rapidfuzz.distance import Hamming

from apps.ocr.application import Reader
from apps.ocr.evaluation import WAYS
from apps.ocr.page_looks import columns_picture, letter_row, show_answer, show_details
from apps.ocr.page_source import Letters, choose_letters
from apps.ocr.results import LettersResult
from apps.shared import charts
from apps.shared.language import _
from apps.shared.page import input_errors, plain


def show(reader: Reader, preset: str) -> None:
    """Draw the section."""
    with input_errors():
        chosen = choose_letters(reader)
        if chosen is not None:
            began = time.perf_counter()
            result = reader.read_letters(chosen.images)
            show_letters(chosen, result, 1000 * (time.perf_counter() - began))


def show_letters(chosen: Letters, result: LettersResult, milliseconds: float | None = None) -> None:
    """Draw what was read, and how long it took where that is of interest."""
    places = ", ".join(str(at + 1) for at in result.changed)
    said = [
        _("Each letter alone: {before}.", before=plain(result.before)),
        _("Context changed letter {places}.", places=places) if places else _("Context changed nothing."),
    ]
    if milliseconds is not None:
        said.append(_("{milliseconds:.1f} ms for all networks and the search.", milliseconds=milliseconds))
    show_answer(result.text, chosen.truth, *said)
    st.html(letter_row(chosen.images, result.letters, chosen.truth))
    st.caption(
        _(
            "Above the arrow what the letter's own picture says, below it what its word adds. "
            "Framed: context changed it."
        )
    )
    left, right = st.columns(2, gap="medium")
    for column, key, said in ((left, "alone", _("each letter alone")), (right, "context", _("in context"))):
        with column:
            charts.show(
                columns_picture(result.letters, context=key == "context"),
                f"columns {key}",
                _("Probability of every letter at every place, {said}", said=said),
            )
    rows = [{_("by"): _(WAYS[way]), _("reads"): word} for way, word in result.by_way.items()]
    if chosen.truth is not None:
        for row in rows:
            row[_("wrong letters")] = Hamming.distance(row[_("reads")], chosen.truth)
    show_details(rows, result.alternatives)
