"""Images of whole words, composed of pictures of letters: written side by side, closer or wider, slanted and uneven.

Every letter is read once along a field of places, between its pixels linearly (``data_prep.images.augmentation``), and
the darker of two strokes counts where letters overlap. Only NumPy; the generator alone decides the images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from data_prep.errors import InputError
from data_prep.fields import Checked, Portion, StrokeChange
from data_prep.images.augmentation import sampled, with_noise, with_stroke
from data_prep.images.preparation import LETTER_HEIGHT, LETTER_WIDTH
from data_prep.readers.letters import LETTERS, LetterWords, encode_word

_MIDDLE = (LETTER_HEIGHT - 1) / 2
# First and last row of written letters, on lines a unit apart: stems, small letters, and what hangs below the line;
# others than a-z stand on the line.
_KINDS = {"bdfhkl": (0, 10), "ti": (1, 10), "acemnorsuvwxz": (4, 10), "gpqy": (4, 14), "j": (1, 14)}
_ROWS = {letter: rows for letters, rows in _KINDS.items() for letter in letters}
_CAPITAL = (0, 10)
_LEAST_UNIT, _MOST_UNIT = 0.35, 1.1  # units a pixel of a letter


@dataclass(frozen=True)
class WordLayout(Checked):
    """How letters stand in a word; the extents are drawn anew for every word or letter.

    Args:
        spacing: Pixels between two letters at most.
        overlap: Pixels by which two letters overlap at most.
        baseline: Pixels by which a letter stands above or below the line at most.
        slant: Upright lines of a word lean by at most this many pixels a pixel.
        size: Sides of a letter are multiplied by 1 less to 1 plus this share.
        stroke: As in ``data_prep.images.augmentation``.
        noise: Standard deviation of what is added to every pixel, at most.
        fitted: Share of the words that are scaled so that their ink fills the height, as an upload's is.
        written: Share of the words whose letters have the sizes of writing, and stand on a line, before they are scaled
            so; the others' letters are as large as the set gives them, each filling its own 16x8 pixels.
    """

    spacing: Annotated[float, Ge(0.0), Le(8.0)] = 2.0
    overlap: Annotated[float, Ge(0.0), Le(4.0)] = 1.0
    baseline: Annotated[float, Ge(0.0), Le(4.0)] = 1.0
    slant: Portion = 0.2
    size: Annotated[float, Ge(0.0), Le(0.5)] = 0.15
    stroke: StrokeChange = 0.2
    noise: Portion = 0.1
    fitted: Portion = 0.5
    written: Portion = 0.25


LAYOUT = WordLayout()
PLAIN = WordLayout(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def compose_words(words: LetterWords, layout: WordLayout, rng: np.random.Generator) -> list[np.ndarray]:
    """Write one word or more of their letters, an image float32 (16, width, 1) each, 1 for ink."""
    lengths, count = words.lengths, len(words.labels)
    of = np.repeat(np.arange(len(lengths)), lengths)  # word of each letter
    size, slant, stroke = rng.uniform(-1.0, 1.0, (3, len(lengths)))
    fits, writes, noise = rng.random((3, len(lengths)))
    line, width = rng.uniform(-1.0, 1.0, (2, count))
    gap = rng.uniform(-layout.overlap, layout.spacing, count)
    written = writes < layout.written
    fitted = (fits < layout.fitted) | written
    zoom, unit, rows = _lines(words, layout, written[of], fitted, size, line)
    high = zoom[of] * unit
    wide = high * (1.0 + layout.size * width)
    lean = layout.slant * slant[of]
    left, places = _columns(words, wide, gap * zoom[of], lean, written[of])
    patches = _patches(words.images, high, wide, rows, lean, left - places)
    images = []
    for at in range(len(lengths)):
        letters = words.letters_of(at)
        image = with_stroke(_joined(patches[letters], places[letters]), layout.stroke * float(stroke[at]))
        if layout.noise > 0.0:
            image = with_noise(image, layout.noise * float(noise[at]), rng)
        images.append(image[..., None])
    return images


def compose_word(
    letters: np.ndarray,
    labels: np.ndarray,
    layout: WordLayout = LAYOUT,
    seed: int = 0,
    alphabet: str = LETTERS,
) -> np.ndarray:
    """Write one word of letters uint8 (letters, 16, 8) with their labels; the same seed gives the same image."""
    word = LetterWords.of(letters, [labels], alphabet=alphabet)
    return compose_words(word, layout, np.random.default_rng(seed))[0]


class LetterPool:
    """Pictures of letters to spell words with: those of some words."""

    def __init__(self, words: LetterWords) -> None:
        self._alphabet = words.alphabet
        self._images = words.images[np.argsort(words.labels, kind="stable")]
        self._counts = np.bincount(words.labels, minlength=len(words.alphabet))
        self._starts = np.cumsum(self._counts) - self._counts

    def spellable(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the labels of the words that there are all letters of.

        Raises:
            InputError: There is none.
        """
        there = {letter for letter, count in zip(self._alphabet, self._counts, strict=True) if count}
        found = [encode_word(text, self._alphabet) for text in texts if text and there.issuperset(text)]
        if not found:
            raise InputError("No word can be spelled with these letters", received=list(texts)[:5])
        return found

    def spell(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a picture of each letter: int (letters,) to uint8 (letters, 16, 8).

        Raises:
            InputError: There is no picture of one of them.
        """
        if not self._counts[labels].all():
            raise InputError("There is no picture of one of the letters", received=list(labels))
        drawn = (rng.random(len(labels)) * self._counts[labels]).astype(np.int64)
        return self._images[self._starts[labels] + drawn]


def _ink(letters: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where letters have ink: the first and last row, or column, without the given axis."""
    inked = letters.any(axis=axis)
    # Without ink argmax is 0: the letter fills its box.
    return inked.argmax(axis=1), inked.shape[1] - 1 - inked[:, ::-1].argmax(axis=1)


def _lines(
    words: LetterWords,
    layout: WordLayout,
    written: np.ndarray,
    fitted: np.ndarray,
    size: np.ndarray,
    line: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place letters up and down: factor of the size of each word, of each letter in it, and row of its middle.

    ``written`` says which letters have the size of writing, ``fitted`` which words fill the height; ``size`` is drawn
    for each word and ``line`` for each letter, -1 to 1.
    """
    top, bottom = _ink(words.images, axis=2)
    rows = np.array([_ROWS.get(letter, _CAPITAL) for letter in words.alphabet])[words.labels]
    as_large = (rows[:, 1] - rows[:, 0] + 1) / (bottom - top + 1)
    as_written = np.clip(as_large, _LEAST_UNIT, _MOST_UNIT)
    unit = np.where(written, as_written, 1.0)
    # The middle of the ink of a written letter comes to the middle of its rows on the lines.
    lower = _MIDDLE - (top + bottom) / 2
    on_lines = rows.mean(axis=1) + as_written * (lower + layout.baseline * line)
    middle = np.where(written, on_lines, _MIDDLE + layout.baseline * line)
    # Rows without zoom, the word's ink from edge to edge.
    first = words.starts[:-1]
    upper = np.minimum.reduceat(middle + unit * (top - 0.5 - _MIDDLE), first)
    lowest = np.maximum.reduceat(middle + unit * (bottom + 0.5 - _MIDDLE), first)
    most = LETTER_HEIGHT / (lowest - upper)
    zoom = np.where(fitted, most, np.minimum(1.0 + layout.size * size, most))
    # A word of the letters' own size stays where it is as far as its ink fits.
    room = (LETTER_HEIGHT - zoom * (lowest - upper)) / 2
    centre = (upper + lowest) / 2
    target = _MIDDLE + np.where(fitted, 0.0, np.clip(zoom * (centre - _MIDDLE), -room, room))
    of = np.repeat(np.arange(len(first)), words.lengths)
    return zoom, unit, target[of] + zoom[of] * (middle - centre[of])


def _columns(
    words: LetterWords, wide: np.ndarray, gap: np.ndarray, lean: np.ndarray, written: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the left edge of each letter's 8 columns, and the column in which its patch begins.

    Letters of a written word follow each other by their ink, others by their 8 columns.
    """
    left, right = _ink(words.images, axis=1)
    advance = np.where(written, right - left + 1, LETTER_WIDTH) * wide + gap
    edge = np.cumsum(advance) - advance
    margin = 1.0 + np.abs(lean) * _MIDDLE
    edge = edge - np.repeat(edge[words.starts[:-1]], words.lengths) + margin
    begin = edge - np.where(written, left, 0) * wide
    return begin, np.maximum(np.floor(begin - margin), 0.0).astype(np.int64)


def _patches(letters: np.ndarray, *drawn: np.ndarray) -> np.ndarray:
    """Read every letter as it is written, float32 (letters, 16, columns).

    Of each letter there are drawn: factors of height and width, the row of its middle, how it leans, its left edge.
    """
    _, wide, _, slant, left = drawn
    reach = left + LETTER_WIDTH * wide + np.abs(slant) * _MIDDLE
    high, wide, line, slant, left = (values.astype(np.float32)[:, None, None] for values in drawn)
    y = np.arange(LETTER_HEIGHT, dtype=np.float32)[None, :, None]
    x = np.arange(int(np.ceil(reach.max())) + 1, dtype=np.float32)[None, None, :]
    rows = (y - line) / high + np.float32(_MIDDLE) + np.zeros_like(x)
    across = (x + np.float32(0.5) - left + slant * (y - np.float32(_MIDDLE))) / wide - np.float32(0.5)
    return sampled(letters, rows, across)


def _joined(patches: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Put patches (letters, 16, columns) where they belong, the darker stroke counts; empty columns at the end go."""
    image = np.zeros((LETTER_HEIGHT, int(places.max()) + patches.shape[2]), np.float32)
    for patch, place in zip(patches, places.tolist(), strict=True):
        part = image[:, place : place + patch.shape[1]]
        np.maximum(part, patch, out=part)
    inked = np.flatnonzero(image.any(axis=0))
    return image[:, : int(inked[-1]) + 2] if len(inked) else image
