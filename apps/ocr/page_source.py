"""What the sections read: composed of the letter bank, drawn on a wide canvas, or uploaded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from apps.ocr.application import composed
from apps.ocr.letter_bank import BANKS, MOST_HANDS, banks, spell
from apps.shared.canvas import linked_canvas
from apps.shared.page import heavy_work
from apps.shared.style import palette
from data_prep.images.letter_batches import letter_pictures
from data_prep.images.letters import MAX_LETTERS, letter_batch, prepare_letter, prepare_letters, prepare_word
from data_prep.images.preparation import PreparedImage

SOURCES = ("Compose", "Draw", "Upload")
DEFAULT = "reading"
WIDTH, HEIGHT, PEN, SHOWN = 360, 90, 5.0, 760
STORE, LINK = "drawn word", "drawing"


class Letters(NamedTuple):
    """Letters float32 (letters, 16, 8, 1), and what they say, if that is known."""

    images: np.ndarray
    truth: str | None


class Word(NamedTuple):
    """A word in one image, and what it says, if that is known."""

    prepared: PreparedImage
    truth: str | None


def choose_letters() -> Letters | None:
    """Draw the choice of letters.

    Returns:
        The letters; None where there are none yet.

    Raises:
        InputError: What the visitor gave is wrong.
    """
    source = _source()
    if source == "Compose":
        text, letters, _ = compose()
        return Letters(letter_pictures(letters), text)
    if source == "Draw":
        ink = _drawn("Write a word with some paper between its letters: it is cut there.")
        return None if ink is None else Letters(letter_batch(prepare_letters(ink, "The drawing")), None)
    files = st.file_uploader(
        "One picture of a word whose letters stand apart, or one picture a letter",
        type=["png", "jpg", "jpeg"],
        accept_multiple_files=True,
        key="letter files",
        help="PNG or JPEG of any size, dark on light or light on dark. They stay on this computer.",
    )
    if not files:
        return None
    with heavy_work():
        if len(files) == 1:
            prepared = prepare_letters(files[0].getvalue(), files[0].name)
        else:
            prepared = tuple(prepare_letter(file.getvalue(), file.name) for file in files[: MAX_LETTERS + 1])
    return Letters(letter_batch(prepared), None)


def choose_word() -> Word | None:
    """Draw the choice of a word in one piece; as :func:`choose_letters`."""
    source = _source()
    if source == "Compose":
        text, letters, hand = compose()
        return Word(composed(letters, text, hand), text)
    if source == "Draw":
        ink = _drawn("Write a word, its letters joined or not.")
        return None if ink is None else Word(prepare_word(ink, "The drawing"), None)
    file = st.file_uploader(
        "A photo, scan or drawing of one word",
        type=["png", "jpg", "jpeg"],
        key="word file",
        help="PNG or JPEG of any size, dark on light or light on dark. It stays on this computer.",
    )
    if file is None:
        return None
    with heavy_work():
        return Word(prepare_word(file.getvalue(), file.name), None)


def compose() -> tuple[str, np.ndarray, int]:
    """Draw the fields of a composed word.

    Returns:
        The word, its letters uint8 (letters, 16, 8), and the hand.

    Raises:
        InputError: It cannot be written.
    """
    there = banks()
    box, hand_box, bank_box = st.columns([3, 1, 2])
    text = box.text_input("Word", DEFAULT, key="word", bind="query-params", max_chars=MAX_LETTERS)
    hand = hand_box.number_input("Hand", 0, MOST_HANDS - 1, 3, key="hand", bind="query-params")
    bank = "pen"
    if len(there) > 1:
        bank = bank_box.segmented_control(
            "Letters of",
            there,
            default=there[0],
            required=True,
            format_func=BANKS.get,
            key="bank",
            bind="query-params",
        )
    return text.strip().lower(), spell(text, bank, int(hand)), int(hand)


def _source() -> str:
    return st.segmented_control(
        "Source",
        SOURCES,
        default=SOURCES[0],
        required=True,
        key="source",
        bind="query-params",
        label_visibility="collapsed",
    )


def _drawn(hint: str) -> np.ndarray | None:
    ink = linked_canvas(
        link=LINK,
        key="wide canvas",
        label="Write a word here with mouse, pen or finger",
        width=WIDTH,
        height=HEIGHT,
        pen=PEN,
        shown=SHOWN,
        store=STORE,
        colour=palette().text,
    )
    st.caption(f"{hint} Small letters a to z. The network answers after each stroke.")
    return ink
