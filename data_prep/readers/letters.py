"""Handwritten words letter by letter: 52,152 letters of 16x8 pixels (Kassel; Taskar, Guestrin and Koller 2003).

One line a letter, fields parted by tabs as the publisher's ``letter.names`` lists them: id, letter, next_id (-1 behind
the last letter of a word), word_id, position, fold, and 128 pixels, row by row. The publisher left out the first letter
of each word, a capital: "ommanding" is there, "commanding" is not. Who wrote a word is not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_prep.datasets import check_counts, locate
from data_prep.errors import InputError
from data_prep.images.preparation import LETTER_HEIGHT, LETTER_WIDTH
from data_prep.readers.text import iter_lines

DATASET = "ocr_letters"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FOLDS = 10
_PIXELS = LETTER_HEIGHT * LETTER_WIDTH
_FIELDS = 6 + _PIXELS


class LetterWords(NamedTuple):
    """Words with the picture of each letter, one word after the other.

    ``images`` uint8 (letters, 16, 8), 0 for paper and 255 for ink; ``labels`` int64 (letters,), places in ``alphabet``;
    ``starts`` int64 (words + 1,), where each word begins; ``folds`` int64 (words,).
    """

    images: np.ndarray
    labels: np.ndarray
    starts: np.ndarray
    folds: np.ndarray
    alphabet: str = LETTERS

    @property
    def lengths(self) -> np.ndarray:
        """Letters of each word, int64 (words,)."""
        return np.diff(self.starts)

    @property
    def texts(self) -> tuple[str, ...]:
        """Each word as written."""
        return tuple(
            decode_word(self.labels[self.letters_of(at)], self.alphabet) for at in range(len(self.folds))
        )

    def letters_of(self, word: int) -> slice:
        """Return where the letters of a word are."""
        return slice(int(self.starts[word]), int(self.starts[word + 1]))

    def part(self, chosen: np.ndarray) -> LetterWords:
        """Return some of the words, int (chosen,), in the order in which they are chosen."""
        chosen = np.asarray(chosen, np.int64)
        lengths = self.lengths[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        letters = np.repeat(self.starts[chosen] - starts[:-1], lengths) + np.arange(starts[-1])
        return LetterWords(
            self.images[letters], self.labels[letters], starts, self.folds[chosen], self.alphabet
        )


def read_letters(path: Path | None = None) -> LetterWords:
    """Read the data set and check its size.

    Args:
        path: ``letter.data``, plain or gzip; None finds or downloads it.

    Returns:
        All its words, in the order of the file.

    Raises:
        InputError: It cannot be had, is not in the publisher's format, or has other counts than published.
    """
    path = locate(DATASET) if path is None else path
    words = parse_letters(iter_lines(path), str(path))
    found = {
        "letters": len(words.labels),
        "words": len(words.folds),
        "different_words": len(set(words.texts)),
    }
    check_counts(DATASET, path, found | {"folds": len(np.unique(words.folds))})
    return words


def parse_letters(lines: Iterable[str], source: str = "the file") -> LetterWords:
    """Read lines in the publisher's format.

    Args:
        lines: Without their ends; an empty one is refused.
        source: Named in errors.

    Returns:
        The words.

    Raises:
        InputError: A line lacks fields or pixels, has a letter outside a-z, or breaks the chain of ``next_id``; it is
            named.
    """
    rows, labels, starts, folds = [], [], [0], []
    expected: _Fields | None = None  # what the next line of a word has to say
    number = 0
    try:
        for number, line in enumerate(lines, start=1):
            letter, fields, pixels = _parsed(line)
            labels.append(letter)
            rows.append(pixels)
            _check_chain(expected, fields)
            expected = fields._replace(id=fields.following, position=fields.position + 1)
            if fields.following == -1:
                starts.append(number)
                folds.append(fields.fold)
                expected = None
        if expected is not None:
            raise InputError(
                "the last word is not finished: next_id leads beyond the file", received=expected.id
            )
    except InputError as error:
        problem = f"{source}, line {number}: {error.problem}"
        raise InputError(problem, allowed=error.allowed, received=error.received) from None
    if not rows:
        raise InputError("The file holds no letters", received=source)
    images = np.stack(rows).reshape(-1, LETTER_HEIGHT, LETTER_WIDTH) * np.uint8(255)
    return LetterWords(images, *(np.array(numbers, np.int64) for numbers in (labels, starts, folds)))


def encode_word(text: str, alphabet: str = LETTERS) -> np.ndarray:
    """Return the place of each letter in an alphabet, int64 (letters,).

    Raises:
        InputError: The text is empty, or a character is not in the alphabet.
    """
    wrong = next((letter for letter in text if letter not in alphabet), None)
    if wrong is not None or not text:
        known = "a-z" if alphabet == LETTERS else alphabet
        raise InputError(
            f"The reader knows words of the letters {known}", allowed=known, received=wrong or text
        )
    return np.array([alphabet.index(letter) for letter in text], np.int64)


def decode_word(labels: Iterable[int], alphabet: str = LETTERS) -> str:
    """Return the word of places in an alphabet."""
    return "".join(alphabet[label] for label in labels)


class _Fields(NamedTuple):
    """The numbers of a line."""

    id: int
    following: int
    word: int
    position: int
    fold: int


def _parsed(line: str) -> tuple[int, _Fields, np.ndarray]:
    """Return the letter's place, the numbers, and the pixels uint8 (128,), 0 or 1."""
    columns = line.rstrip("\t").split("\t", 6)
    if len(columns) < 6:
        raise InputError("fields are missing", allowed=f"{_FIELDS} fields parted by tabs", received=line)
    letter = columns[1]
    if len(letter) != 1 or letter not in LETTERS:
        raise InputError("the letter is not one of a-z", allowed="a-z", received=letter)
    try:
        fields = _Fields(*(int(columns[at]) for at in (0, 2, 3, 4, 5)))
    except ValueError:
        raise InputError("id, next_id, word_id, position and fold are whole numbers", received=line) from None
    if not 0 <= fields.fold < FOLDS:
        raise InputError("the fold does not fit", allowed=f"0 to {FOLDS - 1}", received=fields.fold)
    pixels = columns[6].split("\t") if len(columns) > 6 else []
    if len(pixels) != _PIXELS:
        raise InputError("a letter has not all its pixels", allowed=f"{_PIXELS} pixels", received=len(pixels))
    if wrong := set(pixels) - {"0", "1"}:
        raise InputError("a pixel is neither 0 nor 1", allowed="0 or 1", received=wrong.pop())
    return LETTERS.index(letter), fields, np.array(pixels, "S1").view(np.uint8) - np.uint8(ord("0"))


def _check_chain(expected: _Fields | None, found: _Fields) -> None:
    if expected is None and found.position != 1:
        raise InputError("a word begins with position 1", received=found.position)
    if expected is not None:
        if found.id != expected.id:
            raise InputError(
                "the chain of next_id is broken", allowed=f"the letter {expected.id}", received=found.id
            )
        if found[2:] != expected[2:]:
            raise InputError(
                "word_id, position and fold do not go on with the word",
                allowed=str(expected[2:]),
                received=found[2:],
            )
    if found.following == found.id:
        raise InputError("a letter does not follow itself: the chain of next_id is broken")
