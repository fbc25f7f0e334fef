"""Page "Reading": one section at a time, each reachable by a link."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from apps.ocr import page_benchmark as benchmark
from apps.ocr import page_errors as errors
from apps.ocr import page_letters as letters
from apps.ocr import page_noise as noise
from apps.ocr import page_transitions as transitions
from apps.ocr import page_unseen as unseen
from apps.ocr import page_words as words
from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader
from apps.ocr.page_loading import load_letters, load_words
from apps.shared.page import input_errors, one_of

LETTER_SECTIONS = {
    "Letters": letters.show,
    "Transitions": transitions.show,
    "Noise": noise.show,
    "Errors": errors.show,
}
STORED_SECTIONS = {"Unseen words": unseen.show, "Benchmark": benchmark.show}
SECTIONS = ("Letters", "Words", "Unseen words", "Transitions", "Noise", "Errors", "Benchmark")


def main() -> None:
    """Draw the page."""
    st.title("Reading", anchor=False)
    section = one_of("Section", SECTIONS, "section")
    if section in STORED_SECTIONS:
        STORED_SECTIONS[section]()
    elif section == "Words":
        _with_reader(load_words, words.show, f"--reads words --out models/presets/{WORDS_PRESET}")
    else:
        _with_reader(load_letters, LETTER_SECTIONS[section], f"--out models/presets/{LETTERS_PRESET}")


def _with_reader(load: Callable[[], Reader], show: Callable[[Reader], None], options: str) -> None:
    reader = None
    with input_errors():
        reader = load()
    if reader is None:
        st.info(f"Make the preset with `python -m apps ocr fit {options}`, then reload.")
    else:
        show(reader)


main()
