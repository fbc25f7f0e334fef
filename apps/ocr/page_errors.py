"""Section "Errors": words that context makes wrong, and words that it makes right."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.ocr.application import Reader
from apps.ocr.letter_bank import BANKS, banks, scored_words, spell
from apps.ocr.page_letters import show_letters
from apps.ocr.page_source import Letters
from apps.ocr.reports import Example, context_report
from apps.shared.page import input_errors, one_of
from data_prep.images.letter_batches import letter_pictures

COMMAND = "python -m benchmarks.ocr_context --store"
KINDS = {"Context is wrong": "wrong", "Context helps": "helps"}


def show(reader: Reader) -> None:
    """Draw the section.

    Args:
        reader: Opened for letters.
    """
    with input_errors():
        report = context_report()
        if report is None:
            st.info(f"The examples have not been collected in this checkout. Collect them: `{COMMAND}`")
            return
        kind = KINDS[one_of("Kind", tuple(KINDS), "kind")]
        there = banks()
        found = [one for one in report.examples if one.kind == kind and one.bank in there]
        if not found:
            st.info("There is no such example.")
            return
        number = st.number_input(
            "Example", 1, len(found), 1, key="example", bind="query-params", help="The largest changes first."
        )
        example = found[min(int(number), len(found)) - 1]
        st.caption(
            f"{example.word}, letters of: {BANKS[example.bank]}. When collected: alone {example.alone}, in context "
            f"{example.context}."
        )
        images = letter_pictures(_pictures(example))
        show_letters(Letters(images, example.word), reader.read_letters(images))


def _pictures(example: Example) -> np.ndarray:
    if example.bank == "set" and (words := scored_words()) is not None:
        return words.images[words.letters_of(example.number)]
    return spell(example.word, example.bank, example.number)
