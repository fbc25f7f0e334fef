"""What the sections read: composed of the letter bank or stored, drawn on a wide canvas, or uploaded."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import streamlit as st

from apps.ocr.application import Reader, composed
from apps.ocr.sources import BANKS, MOST_HANDS, banks, can_write, scored_words, spell, stored_word
from apps.shared.canvas import canvas
from apps.shared.errors import Error, Errors, stored_errors
from apps.shared.language import N_, _
from apps.shared.page import heavy_work, number_box, one_of, plain, text_box
from data_prep.images.letter_batches import letter_pictures
from data_prep.images.letters import MAX_LETTERS, prepare_letter, prepare_letters, prepare_word
from data_prep.images.preparation import PreparedImage
from data_prep.readers.letters import LETTERS

DEFAULT = "reading"
GIVEN = (N_("Draw"), N_("Upload"))
_ERROR = N_("Error")
WIDTH, HEIGHT, PEN, SHOWN = 360, 90, 5.0, 760
STORE = "drawn word"
_NAMED = 60  # letters of an alphabet


class Letters(NamedTuple):
    """Letters float32 (letters, 16, 8, 1), and what they say, if that is known."""

    images: np.ndarray
    truth: str | None


class Word(NamedTuple):
    """A word in one image, and what it says, if that is known."""

    prepared: PreparedImage
    truth: str | None


def choose_letters(reader: Reader) -> Letters | None:
    """Draw the choice of letters; None where there are none yet, refused where what the visitor gave is wrong."""
    alphabet = reader.letters.config.alphabet
    errors = reading_errors(str(reader.presets["letters"].path))
    source = _source(alphabet, (_ERROR,) if errors is not None and errors.errors else ())
    if errors is not None and source == _ERROR:
        error = errors.errors[number_box(st, _("Error"), (1, len(errors.errors)), 1, "error") - 1]
        return Letters(letter_pictures(error_letters(error)), error.label)
    if source not in GIVEN:
        return written(reader)[0]
    hint = _("Write a word with some paper between its letters: it is cut there.")
    label = _("One picture of a word whose letters stand apart, or one picture a letter")
    given = _given(source, alphabet, hint, label, "letter files", many=True)
    if not given:
        return None
    with heavy_work():
        if len(given) == 1:
            prepared = prepare_letters(*given[0])
        else:
            prepared = tuple(prepare_letter(*one) for one in given[: MAX_LETTERS + 1])
    return Letters(np.stack([one.image for one in prepared]), None)


def choose_word(reader: Reader) -> Word | None:
    """Draw the choice of a word in one piece; as :func:`choose_letters`."""
    alphabet = reader.words.config.alphabet
    source = _source(alphabet)
    if source == "Compose":
        text, letters, hand = compose()
        return Word(composed(letters, text, hand), text)
    if source not in GIVEN:
        _say_stored(alphabet)
        return Word(PreparedImage(stored_word(reader.presets["words"]), ()), None)
    hint, label = _("Write a word, its letters joined or not."), _("A photo, scan or drawing of one word")
    given = _given(source, alphabet, hint, label, "word file")
    if not given:
        return None
    with heavy_work():
        return Word(prepare_word(*given[0]), None)


def reading_errors(preset: str) -> Errors | None:
    """Read the stored errors of a preset whose pictures are at hand; None where none are stored."""
    found = stored_errors("ocr", preset)
    if found is None:
        return None
    there = banks()
    return replace(found, errors=tuple(error for error in found.errors if error.more.get("bank") in there))


def error_letters(error: Error) -> np.ndarray:
    """Return the letters of a word that is read wrong, uint8 (letters, 16, 8)."""
    bank, number = error.more["bank"], error.more["number"]
    if bank == "set" and (words := scored_words()) is not None:
        return words.images[words.letters_of(number)]
    return spell(error.label, bank, number)


def written(reader: Reader) -> tuple[Letters, int]:
    """Draw the fields of a composed word, or take the stored one; return its letters, and the hand."""
    alphabet = reader.letters.config.alphabet
    if can_write(alphabet):
        text, letters, hand = compose()
        return Letters(letter_pictures(letters), text), hand
    _say_stored(alphabet)
    return Letters(stored_word(reader.presets["letters"]), None), 0


def compose() -> tuple[str, np.ndarray, int]:
    """Draw the fields of a composed word; return it, its letters uint8 (letters, 16, 8), and the hand."""
    there = banks()
    box, hand_box, bank_box = st.columns([3, 1, 2])
    text = text_box(box, _("Word"), DEFAULT, "word", MAX_LETTERS)
    hand = number_box(hand_box, _("Hand"), (0, MOST_HANDS - 1), 3, "hand")
    bank = "pen"
    if len(there) > 1:
        bank = one_of(_("Letters of"), there, "bank", place=bank_box, named=True, format_func=_bank)
    return text.strip().lower(), spell(text, bank, hand), hand


def _bank(key: str) -> str:
    return _(BANKS[key])


def known_letters(alphabet: str) -> str:
    """Name the letters of an alphabet, the first of a long one, for Markdown."""
    if alphabet == LETTERS:
        return _("small letters a to z")
    some = plain(alphabet[:_NAMED]) + (" …" if len(alphabet) > _NAMED else "")
    return _("the letters {letters}", letters=some)


def _say_stored(alphabet: str) -> None:
    st.caption(
        _(
            "This preset knows {letters}. The letter bank writes a to z only, so this is the "
            "example that is stored with the preset.",
            letters=known_letters(alphabet),
        )
    )


def _source(alphabet: str, more: tuple[str, ...] = ()) -> str:
    choices = (N_("Compose") if can_write(alphabet) else N_("Example"), *GIVEN, *more)
    return one_of(_("Source"), choices, "source")


def _given(
    source: str, alphabet: str, hint: str, label: str, key: str, *, many: bool = False
) -> list[tuple[np.ndarray | bytes, str]]:
    """Draw the canvas, or the field for pictures; return the pictures that are there, with their names."""
    if source == "Upload":
        files = st.file_uploader(
            label,
            type=["png", "jpg", "jpeg"],
            accept_multiple_files=many,
            key=key,
            help=_("PNG or JPEG of any size, dark on light or light on dark. It stays on this computer."),
        )
        there = files if many else [files] if files else []
        return [(file.getvalue(), file.name) for file in there]
    ink = canvas(
        key="wide canvas",
        label=_("Write a word here with mouse, pen or finger"),
        width=WIDTH,
        height=HEIGHT,
        pen=PEN,
        shown=SHOWN,
        store=STORE,
    )
    st.caption(
        _(
            "{hint} It knows {known_letters}. The network answers after each stroke.",
            hint=hint,
            known_letters=known_letters(alphabet),
        )
    )
    return [] if ink is None else [(ink, _("The drawing"))]
