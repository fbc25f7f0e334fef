"""Section "Errors": words that context makes wrong, and words that it makes right."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.ocr.application import Reader
from apps.ocr.page_letters import show_letters
from apps.ocr.page_source import Letters, known_letters
from apps.ocr.reports import CONTEXT
from apps.ocr.sources import BANKS, banks, can_write, scored_words, spell
from apps.shared.page import one_of
from apps.shared.page_reports import show_report
from apps.shared.reports import Stored
from apps.shared.tables import Report
from data_prep.images.letter_batches import letter_pictures

KINDS = {"Context is wrong": "wrong", "Context helps": "helps"}


def show(reader: Reader, preset: str) -> None:
    """Draw the section."""
    if not can_write(alphabet := reader.letters.config.alphabet):
        st.info(
            f"The collected words are of the letters a to z; this preset knows {known_letters(alphabet)}."
        )
        return
    show_report(CONTEXT, lambda report: _examples(report, reader))


def _examples(report: Report, reader: Reader) -> None:
    kind, there = KINDS[one_of("Kind", tuple(KINDS), "kind")], banks()
    found = [line.row for line in report.lines if line.row["kind"] == kind and line.row["bank"] in there]
    if not found:
        st.info("There is no such example.")
        return
    number = st.number_input(
        "Example", 1, len(found), 1, key="example", bind="query-params", help="The largest changes first."
    )
    example = found[min(int(number), len(found)) - 1]
    st.caption(
        example.text(
            "{word}, letters of: {0}. When collected: alone {alone}, in context {context}.",
            BANKS[example["bank"]],
        )
    )
    images = letter_pictures(_pictures(example))
    show_letters(Letters(images, example["word"]), reader.read_letters(images))


def _pictures(example: Stored) -> np.ndarray:
    if example["bank"] == "set" and (words := scored_words()) is not None:
        return words.images[words.letters_of(example["number"])]
    return spell(example["word"], example["bank"], example["number"])
