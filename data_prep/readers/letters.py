"""Handwritten words letter by letter: 52,152 letters of 16x8 pixels (Kassel; Taskar, Guestrin and Koller 2003).

One line a letter, fields parted by tabs as the publisher's ``letter.names`` lists them: id, letter, next_id (-1 behind
the last letter of a word), word_id, position, fold, and 128 pixels, row by row. The publisher left out the first letter
of each word, a capital: "ommanding" is there, "commanding" is not. Who wrote a word is not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

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

    @classmethod
    def of(
        cls,
        images: np.ndarray,
        labels: Sequence[np.ndarray],
        folds: np.ndarray | None = None,
        alphabet: str = LETTERS,
    ) -> LetterWords:
        """Put words together of all pictures and the labels of each word; without folds all are in fold 0."""
        starts = np.cumsum([0, *map(len, labels)], dtype=np.int64)
        folds = np.zeros(len(labels), np.int64) if folds is None else folds
        return cls(images, np.concatenate(labels), starts, folds, alphabet)

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
        places = [self.letters_of(at) for at in chosen]
        images = np.concatenate([self.images[at] for at in places])
        return self.of(images, [self.labels[at] for at in places], self.folds[chosen], self.alphabet)


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
    """Read lines in the publisher's format, without their ends.

    Raises:
        InputError: A line lacks fields or pixels, has a letter outside a-z, or breaks the chain of ``next_id``; it is
            named.
    """
    rows = [line.rstrip("\t").split("\t", 6) for line in lines]
    if not rows:
        raise InputError("The file holds no letters", received=source)

    refuse = partial(_refuse, source)
    sizes, wanted = list(map(len, rows)), f"{_FIELDS} fields parted by tabs"
    refuse((size < 6 for size in sizes), "fields are missing", sizes, wanted)
    letters, known = [row[1] for row in rows], set(LETTERS)
    refuse((letter not in known for letter in letters), "the letter is not one of a-z", letters, "a-z")
    pixels = [row[6] if len(row) > 6 else "" for row in rows]
    counts = [row.count("\t") + bool(row) for row in pixels]
    refuse((n != _PIXELS for n in counts), "a letter has not all its pixels", counts, f"{_PIXELS} pixels")
    drawn = [row.replace("\t", "") for row in pixels]
    wrong = (len(row) != _PIXELS or not set(row) <= {"0", "1"} for row in drawn)
    refuse(wrong, "a pixel is neither 0 nor 1", drawn, "0 or 1")
    numbers = list(map(_numbers, rows))
    what = "id, next_id, word_id, position and fold are whole numbers"
    refuse((row is None for row in numbers), what, ["\t".join(row) for row in rows])
    table = np.array(numbers)
    identity, following, _, position, fold = table.T
    refuse((fold < 0) | (fold >= FOLDS), "the fold does not fit", fold.tolist(), f"0 to {FOLDS - 1}")
    what = "a letter does not follow itself: the chain of next_id is broken"
    refuse(following == identity, what, following.tolist())
    begins = np.append(True, following[:-1] == -1)
    refuse(begins & (position != 1), "a word begins with position 1", position.tolist())
    before = np.roll(table, 1, axis=0)
    refuse(~begins & (identity != before[:, 1]), "the chain of next_id is broken", identity.tolist())
    # word_id, position and fold of the letter before, one place further on
    differs = (table[:, 2:] != before[:, 2:] + [0, 1, 0]).any(axis=1)
    what = "word_id, position and fold do not go on with the word"
    refuse(~begins & differs, what, table[:, 2:].tolist())
    last = np.arange(len(rows)) == len(rows) - 1
    what = "the last word is not finished: next_id leads beyond the file"
    refuse(last & (following != -1), what, following.tolist())
    images = np.frombuffer("".join(drawn).encode(), np.uint8).reshape(-1, LETTER_HEIGHT, LETTER_WIDTH)
    starts = np.flatnonzero(np.append(begins, True))
    labels = np.array([LETTERS.index(letter) for letter in letters])
    return LetterWords((images - np.uint8(ord("0"))) * np.uint8(255), labels, starts, fold[begins])


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


def _refuse(
    source: str, wrong: Iterable[bool], problem: str, received: Sequence[Any], allowed: str | None = None
) -> None:
    """Name the first line that is wrong."""
    at = next((at for at, is_wrong in enumerate(wrong) if is_wrong), None)
    if at is not None:
        raise InputError(f"{source}, line {at + 1}: {problem}", allowed=allowed, received=received[at])


def _numbers(row: list[str]) -> list[int] | None:
    try:
        return [int(row[at]) for at in (0, 2, 3, 4, 5)]
    except ValueError:
        return None
