"""Handwritten words letter by letter: 52,152 letters of 16x8 pixels (Kassel; Taskar, Guestrin and Koller 2003).

One line a letter, fields parted by tabs as the publisher's ``letter.names`` lists them: id, letter, next_id (-1 behind
the last letter of a word), word_id, position, fold, and 128 pixels, row by row. The publisher left out the first letter
of each word, a capital: "ommanding" is there, "commanding" is not. Who wrote a word is not recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
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
_LINE = re.compile(
    r"(?P<id>\d{1,9})\t(?P<letter>[a-z])\t(?P<next_id>-1|\d{1,9})\t(?P<word_id>\d{1,9})\t(?P<position>\d{1,9})\t"
    r"(?P<fold>\d)\t(?P<pixels>[01](\t[01]){127})\t*",
    re.ASCII,
)
_LETTER = "id, a letter a-z, next_id, word_id, position, fold 0 to 9, and 128 pixels 0 or 1, parted by tabs"
_CHAIN = (
    "the next_id of the line before as id, its word_id and fold, and the position behind its own; "
    "a word begins with position 1 and ends with next_id -1"
)


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
        InputError: A line is none of a letter, or does not go on with its word; it is named.
    """
    lines = list(lines)
    if not lines:
        raise InputError("The file holds no letters", received=source)
    found = [_LINE.fullmatch(line) for line in lines]
    _refuse(lines, [match is None for match in found], f"{source}, line {{}}: it is no letter", _LETTER)
    letters, pixels = ([match[name] for match in found] for name in ("letter", "pixels"))
    table = np.array([match.group("id", "next_id", "word_id", "position", "fold") for match in found])
    table = table.astype(np.int64)
    identity, following, _, position, fold = table.T
    begins = np.append(True, following[:-1] == -1)
    before = np.roll(table, 1, axis=0)
    goes_on = (identity == before[:, 1]) & (table[:, 2:] == before[:, 2:] + [0, 1, 0]).all(axis=1)
    wrong = np.where(begins, position != 1, ~goes_on) | (identity == following)
    wrong[-1] |= following[-1] != -1
    _refuse(lines, wrong, f"{source}, line {{}}: it does not go on with its word", _CHAIN)
    ink = np.frombuffer("".join(pixels).replace("\t", "").encode(), np.uint8) == ord("1")
    images = np.where(ink, np.uint8(255), np.uint8(0)).reshape(-1, LETTER_HEIGHT, LETTER_WIDTH)
    labels = encode_word("".join(letters))
    return LetterWords(images, labels, np.flatnonzero(np.append(begins, True)), fold[begins])


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


def _refuse(lines: Sequence[str], wrong: Sequence[bool], problem: str, allowed: str) -> None:
    """Name the first line that is wrong."""
    if np.any(wrong):
        at = int(np.argmax(wrong))
        raise InputError(problem.format(at + 1), allowed=allowed, received=lines[at])
