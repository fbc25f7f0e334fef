"""Handwriting of your own in any alphabet: pictures of letters in folders, or pictures of words in a CSV file.

A folder of letters has a sub-folder for each letter, called by the character itself or by its code point, ``U+002F``
for "/". A file ``word03_2.png`` is the second letter of the word "word03", in whatever sub-folder it lies; a file with
any other name is a word of one letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.images.folders import MAX_CLASSES, MAX_IMAGES, list_images, read_image_folder, read_images
from data_prep.images.letters import MAX_LETTERS, prepare_letter, prepare_word
from data_prep.images.preparation import FRAME_COLUMNS
from data_prep.readers.labelled_texts import Refused, iter_csv
from data_prep.readers.letters import FOLDS, LetterWords, encode_word

PICTURE, TEXT = "picture", "text"  # columns of the CSV file
_CODE_POINT = re.compile(r"U\+([0-9A-Fa-f]{4,6})")
_IN_WORD = re.compile(r"(word.*)_([0-9]{1,4})")

Progress = Callable[[int, int], None]


class WordPictures(NamedTuple):
    """Words as pictures: ``images`` uint8 (16, width) each, 0 for paper and 255 for ink, with the text of each.

    ``folds`` int64 (words,); ``alphabet`` holds the characters by label.
    """

    images: tuple[np.ndarray, ...]
    texts: tuple[str, ...]
    folds: np.ndarray
    alphabet: str

    @property
    def labels(self) -> list[np.ndarray]:
        """The place of each character in the alphabet, int64 (characters,) a word."""
        return [encode_word(text, self.alphabet) for text in self.texts]

    def part(self, chosen: np.ndarray) -> WordPictures:
        """Return some of the words, in the order in which they are chosen."""
        images, texts = (tuple(values[at] for at in chosen) for values in (self.images, self.texts))
        return WordPictures(images, texts, self.folds[chosen], self.alphabet)


def read_letter_folder(
    folder: Path, *, alphabet: str | None = None, seed: int = 1, progress: Progress | None = None
) -> tuple[LetterWords, str]:
    """Read and prepare pictures of letters.

    Args:
        folder: As the module says; PNG and JPEG files of any size.
        alphabet: The letters that there may be, sorted; None for those that are found.
        seed: Of the draw of folds.
        progress: Called with the number of pictures done and the number in all.

    Returns:
        The words, sorted by their names, in folds of equal size; and the SHA-256 of names and pictures.

    Raises:
        InputError: It is no folder, has fewer than two letters or too many, a sub-folder is called otherwise or holds a
            letter outside the alphabet, a picture cannot be used, a word has a letter twice or lacks one, or there are
            too few words.
    """
    letters = [_letter_of(name) for name in list_images(folder)]
    known = _alphabet(letters, alphabet, folder)
    if len(set(letters)) < len(letters):
        raise InputError(f"{folder} has two sub-folders for one letter", received=sorted(letters))
    read = read_image_folder(folder, progress, prepare_letter)
    words = _words(read.files, folder)
    labels = encode_word("".join(letters), known)[read.found.labels]
    folds = _folds(len(words), seed, folder, alphabet)
    images = read.found.images[np.concatenate(words)]
    return LetterWords.of(images, [labels[places] for places in words], folds, known), read.checksum


def read_word_pictures(
    csv: str | Path, *, alphabet: str | None = None, seed: int = 1, progress: Progress | None = None
) -> tuple[WordPictures, str]:
    """Read and prepare pictures of words.

    Args:
        csv: A CSV file with the columns ``picture``, a path from the CSV file's folder, and ``text``; ``-`` is standard
            input, with paths from the current folder.
        alphabet: As in :func:`read_letter_folder`.
        seed: Likewise.
        progress: Likewise.

    Returns:
        The words in their order, texts without spaces around them and in the composed form (NFC) of their characters;
        and the SHA-256 of texts and pictures.

    Raises:
        InputError: A column is missing, there are too few rows or too many, a row cannot be used, a picture is missing,
            cannot be used or is too narrow for its text, or a text has characters outside the alphabet.
    """
    rows = []
    for row in iter_csv(csv, TEXT, PICTURE):
        if isinstance(row, Refused):
            raise InputError(f"{csv}, {row.problem}", allowed=f"a {PICTURE} and its {TEXT}")
        rows.append((Path(csv).parent / row.label, unicodedata.normalize("NFC", row.text.strip())))
    if not 1 <= len(rows) <= MAX_IMAGES:
        raise InputError(f"{csv} has no rows or too many", allowed=f"1 to {MAX_IMAGES:,}", received=len(rows))
    texts = tuple(text for _, text in rows)
    if wrong := [text for text in texts if not text.isprintable()]:
        raise InputError(f"{csv}: a text has a character that is not printable", received=wrong[0])
    known = _alphabet("".join(texts), alphabet, csv)
    images, checksum = read_images([(text, file) for file, text in rows], prepare_word, progress)
    for image, (file, text) in zip(images, rows, strict=True):
        # A network answers one character a frame, and a blank between two equal ones.
        least = FRAME_COLUMNS * (len(text) + sum(one == two for one, two in pairwise(text)))
        if (width := image.shape[1]) < least:
            allowed = f"{least} pixels at a height of 16 or more"
            raise InputError(f"{file} is too narrow for its text", allowed=allowed, received=(width, text))
    folds = _folds(len(rows), seed, csv, alphabet)
    return WordPictures(tuple(images), texts, folds, known), checksum


def _folds(count: int, seed: int, source: str | Path, alphabet: str | None) -> np.ndarray:
    """Draw the fold of each word, int64 (words,); words that are only scored, in a known alphabet, may be few."""
    if count < FOLDS and alphabet is None:
        allowed = f"{FOLDS} words or more; a letter alone is one"
        raise InputError(f"{source} holds too few words", allowed=allowed, received=count)
    return np.random.default_rng(seed).permutation(count) % FOLDS


def _letter_of(name: str) -> str:
    """Return the letter that a sub-folder stands for."""
    code = _CODE_POINT.fullmatch(name)
    letter = chr(min(int(code[1], 16), 0x10FFFF)) if code else unicodedata.normalize("NFC", name)
    if len(letter) != 1 or not letter.isprintable() or letter.isspace():
        allowed = "one character, or U+0041"
        raise InputError("A sub-folder is not called by a letter", allowed=allowed, received=name)
    return letter


def _alphabet(found: Sequence[str], alphabet: str | None, source: str | Path) -> str:
    """Return the alphabet that is asked for, or that which is found, checked."""
    characters = sorted(set(found))
    if alphabet is None:
        if not 2 <= len(characters) <= MAX_CLASSES:
            raise InputError(
                f"{source} holds too few or too many different characters",
                allowed=f"2 to {MAX_CLASSES:,}",
                received=len(characters),
            )
        return "".join(characters)
    if unknown := sorted(set(characters).difference(alphabet)):
        raise InputError(f"{source} holds characters that are not known", allowed=alphabet, received=unknown)
    return alphabet


def _words(files: Sequence[Path], folder: Path) -> list[list[int]]:
    """Return the letters of each word, as places among the files, sorted by the words' names."""
    words: dict[str, dict[int, int]] = {}
    for at, path in enumerate(files):
        match = _IN_WORD.fullmatch(path.stem)
        name, place = (match[1], int(match[2])) if match else (path.relative_to(folder).as_posix(), 1)
        other = words.setdefault(name, {}).setdefault(place, at)
        if other != at:
            what = f"{files[other]} and {path} are the same letter of the word {name}"
            raise InputError(what, received=place)
    for name, places in words.items():
        if len(places) > MAX_LETTERS:
            allowed = f"at most {MAX_LETTERS}"
            raise InputError(f"The word {name} has too many letters", allowed=allowed, received=len(places))
        if sorted(places) != list(range(1, len(places) + 1)):
            allowed = "places 1, 2, 3 ..."
            raise InputError(f"The word {name} lacks a letter", allowed=allowed, received=sorted(places))
    return [[places[at] for at in sorted(places)] for _, places in sorted(words.items())]
