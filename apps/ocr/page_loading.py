"""The readers, opened once for all visitors."""

from __future__ import annotations

import numpy as np
import streamlit as st

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader
from apps.ocr.letter_bank import spell
from data_prep.images.preparation import PreparedImage


@st.cache_resource(show_spinner="Opening the reader …")
def load_letters(preset: str = LETTERS_PRESET) -> Reader:
    """Open the preset that reads letter by letter.

    Args:
        preset: Its name.

    Returns:
        The application; shared, so never changed.

    Raises:
        InputError: The preset is missing or damaged.
    """
    reader = Reader.from_preset(preset, None)
    reader.read_letters(spell("a"))  # the first visitor does not wait
    return reader


@st.cache_resource(show_spinner="Opening the reader …")
def load_words(preset: str = WORDS_PRESET) -> Reader:
    """Open the preset that reads words in one piece; as :func:`load_letters`."""
    reader = Reader.from_preset(None, preset)
    reader.read_prepared_word(PreparedImage(np.zeros((16, 24, 1), np.float32), ()))
    return reader
