"""Pictures of letters to compose a word of: the project's own pen, and the test letters of the set where it is at hand.

The publisher of the set names no licence, so none of its letters are shipped; ``data_prep.images.pen_letters``
draws others.
"""

from __future__ import annotations

import functools

import numpy as np

from apps.ocr.sources import TEST_FOLD
from data_prep.array_files import read_arrays
from data_prep.datasets import at_hand
from data_prep.errors import InputError
from data_prep.images.letter_words import LetterPool
from data_prep.images.letters import MAX_LETTERS
from data_prep.images.pen_letters import pen_letters
from data_prep.readers.letters import DATASET, LETTERS, LetterWords, encode_word, read_letters
from models.presets.store import GOLDEN, Preset

BANKS = {"pen": "Lectern's pen", "set": "test letters of the set"}
MOST_HANDS = 1000


@functools.cache
def scored_words() -> LetterWords | None:
    """Open the words of the fold that no shipped network learned from; None where the set is not at hand."""
    if not at_hand(DATASET):
        return None
    words = read_letters()
    return words.part(np.flatnonzero(words.folds == TEST_FOLD))


def banks() -> tuple[str, ...]:
    """Return the names of the banks that are there, of ``BANKS``."""
    return tuple(BANKS) if scored_words() is not None else ("pen",)


def can_write(alphabet: str) -> bool:
    """Whether words of the letter bank, a to z, can be read by a network of this alphabet."""
    return set(LETTERS) <= set(alphabet)


def stored_word(preset: Preset) -> np.ndarray:
    """Return the example that a preset stores, for alphabets that no bank can write.

    Returns:
        Float32 (letters, 16, 8, 1), or (16, width, 1) where words are read in one piece.
    """
    path = preset.path / GOLDEN
    arrays = read_arrays(path)
    if preset.config.reads == "words":
        return arrays["input/image"][0]
    return arrays["input/letters"][: arrays["input/lengths"][0]]


def spell(text: str, bank: str = "pen", hand: int = 0) -> np.ndarray:
    """Write a word with pictures of a bank.

    Args:
        text: Letters a-z; capitals become small.
        bank: Name in ``BANKS``.
        hand: For the pen whose hand it is, for the set which of its letters are drawn; 0 to 999.

    Returns:
        Uint8 (letters, 16, 8), 0 for paper and 255 for ink.

    Raises:
        InputError: The text is empty, too long or has other characters, or there is no such bank here.
    """
    labels = encode_word(text.strip().lower())
    if len(labels) > MAX_LETTERS:
        raise InputError(
            "The word is too long", allowed=f"at most {MAX_LETTERS} letters", received=len(labels)
        )
    if bank not in banks():
        raise InputError("There is no such letter bank here", allowed=", ".join(banks()), received=bank)
    if not 0 <= hand < MOST_HANDS:
        raise InputError("There is no such hand", allowed=f"0 to {MOST_HANDS - 1}", received=hand)
    if bank == "pen":
        return pen_letters(labels, hand)
    words = scored_words()
    return LetterPool(words.images, words.labels).spell(labels, np.random.default_rng(hand))
