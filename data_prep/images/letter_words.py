"""Images of whole words, composed of pictures of letters: written side by side, closer or wider, slanted and uneven.

Every letter is read once along a field of places, between its pixels linearly (``data_prep.images.augmentation``), and
the darker of two strokes counts where letters overlap. Only NumPy; the generator alone decides the images.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import Ge, Le

from data_prep.errors import InputError
from data_prep.fields import Checked, Portion
from data_prep.images.augmentation import sampled
from data_prep.images.letter_augmentation import with_noise, with_stroke
from data_prep.images.preparation import LETTER_HEIGHT, LETTER_WIDTH
from data_prep.readers.letters import LETTERS

_MIDDLE = (LETTER_HEIGHT - 1) / 2
# First and last row of written letters, on lines a unit apart: stems, small letters, and what hangs below the line.
_ROWS = {"bdfhkl": (0, 10), "ti": (1, 10), "acemnorsuvwxz": (4, 10), "gpqy": (4, 14), "j": (1, 14)}
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
        stroke: As in ``data_prep.images.letter_augmentation``.
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
    stroke: Annotated[float, Ge(0.0), Le(0.45)] = 0.2
    noise: Portion = 0.1
    fitted: Portion = 0.5
    written: Portion = 0.25


LAYOUT = WordLayout()
PLAIN = WordLayout(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def compose_words(
    letters: np.ndarray,
    lengths: Sequence[int],
    layout: WordLayout,
    rng: np.random.Generator,
    labels: np.ndarray | None = None,
    alphabet: str = LETTERS,
) -> list[np.ndarray]:
    """Write words of letters.

    Args:
        letters: uint8 (letters, 16, 8), word behind word, 0 for paper and 255 for ink.
        lengths: Letters of each word, 1 or more.
        layout: How they stand.
        rng: What is drawn from.
        labels: Which letters they are, int (letters,); where it is None, no word has the sizes of writing.
        alphabet: The letters by label.

    Returns:
        An image of each word, float32 (16, width, 1), 1 for ink.

    Raises:
        InputError: There are not as many letters as the lengths say, or a word has none.
    """
    lengths = np.asarray(lengths, np.int64)
    total = int(lengths.sum())
    if lengths.min(initial=1) < 1 or total != len(letters):
        raise InputError(
            "The letters do not fit the words", allowed=f"{total} letters", received=len(letters)
        )
    if not len(lengths):
        return []
    lines = None if labels is None else _lines(alphabet)[labels]
    hand = _hand(letters, lengths, layout, rng, lines)
    patches = _patches(letters, hand)
    ends = np.cumsum(lengths)
    images = []
    for first, last in zip((ends - lengths).tolist(), ends.tolist(), strict=True):
        image = _joined(patches[first:last], hand.places[first:last])
        image = with_stroke(image, float(hand.stroke[first]))
        if layout.noise > 0.0:
            image = with_noise(image, layout.noise * float(hand.noise[first]), rng)
        images.append(image[..., None])
    return images


def compose_word(
    letters: np.ndarray,
    layout: WordLayout = LAYOUT,
    seed: int = 0,
    labels: np.ndarray | None = None,
    alphabet: str = LETTERS,
) -> np.ndarray:
    """Write one word, float32 (16, width, 1), as :func:`compose_words` does; the same seed gives the same image."""
    rng = np.random.default_rng(seed)
    return compose_words(letters, [len(letters)], layout, rng, labels, alphabet)[0]


class LetterPool:
    """Pictures of letters to spell words with.

    Args:
        images: uint8 (n, 16, 8).
        labels: int (n,), places in the alphabet.
        alphabet: The letters by label.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, alphabet: str = LETTERS) -> None:
        self.alphabet = alphabet
        self._images = images[np.argsort(labels, kind="stable")]
        self._counts = np.bincount(labels, minlength=len(alphabet))
        self._starts = np.cumsum(self._counts) - self._counts

    def can_spell(self, labels: np.ndarray) -> bool:
        """Say whether there is a picture of every letter, int (letters,)."""
        return bool((self._counts[labels] > 0).all())

    def spell(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a picture of each letter: int (letters,) to uint8 (letters, 16, 8).

        Raises:
            InputError: There is no picture of one of them.
        """
        if not self.can_spell(labels):
            raise InputError("There is no picture of one of the letters", received=list(labels))
        drawn = (rng.random(len(labels)) * self._counts[labels]).astype(np.int64)
        return self._images[self._starts[labels] + drawn]


class _Hand(NamedTuple):
    """How each letter is written, float (letters,) each: what is drawn for a word is the same for its letters."""

    places: np.ndarray  # column of the word's image in which the letter's patch begins, int64
    left: np.ndarray  # column of the patch in which the left edge of the letter's 8 columns is
    high: np.ndarray  # factor of the height
    wide: np.ndarray  # factor of the width
    line: np.ndarray  # row of the image in which the middle of the letter's 16 rows is
    slant: np.ndarray
    stroke: np.ndarray
    noise: np.ndarray


class _Ink(NamedTuple):
    """Where the letters have ink: first row, last row, first column and number of columns, int64 (letters,) each."""

    top: np.ndarray
    bottom: np.ndarray
    left: np.ndarray
    width: np.ndarray


def _ink(letters: np.ndarray) -> _Ink:
    inked = (letters.any(axis=2), letters.any(axis=1))
    # Without ink argmax is 0: the letter fills its box.
    top, left = (lines.argmax(axis=1) for lines in inked)
    bottom, right = (lines.shape[1] - 1 - lines[:, ::-1].argmax(axis=1) for lines in inked)
    return _Ink(top, bottom, left, right - left + 1)


def _hand(
    letters: np.ndarray,
    lengths: np.ndarray,
    layout: WordLayout,
    rng: np.random.Generator,
    rows: np.ndarray | None,
) -> _Hand:
    """Draw how words are written, and lay their letters out; ``rows`` (letters, 2) are first and last row on lines."""
    words, count = len(lengths), len(letters)
    word = np.repeat(np.arange(words), lengths)
    first = np.cumsum(lengths) - lengths
    size, slant, stroke = rng.uniform(-1.0, 1.0, (3, words))
    fits, writes, noise = rng.random((3, words))
    line, width = rng.uniform(-1.0, 1.0, (2, count))
    gap = rng.uniform(-layout.overlap, layout.spacing, count)
    ink = _ink(letters)
    written = (writes < layout.written)[word] & (rows is not None)
    unit, middle = np.ones(count), _MIDDLE + layout.baseline * line
    if rows is not None:
        as_large = (rows[:, 1] - rows[:, 0] + 1) / (ink.bottom - ink.top + 1)
        as_written = np.clip(as_large, _LEAST_UNIT, _MOST_UNIT)
        unit = np.where(written, as_written, unit)
        # The middle of the ink comes to the middle of the letter's rows on the lines.
        lower = _MIDDLE - (ink.top + ink.bottom) / 2
        on_lines = rows.mean(axis=1) + as_written * (lower + layout.baseline * line)
        middle = np.where(written, on_lines, middle)
    # Rows without zoom, the word's ink from edge to edge.
    top = np.minimum.reduceat(middle + unit * (ink.top - 0.5 - _MIDDLE), first)
    bottom = np.maximum.reduceat(middle + unit * (ink.bottom + 0.5 - _MIDDLE), first)
    fitting = (fits < layout.fitted) | written[first]
    most = LETTER_HEIGHT / (bottom - top)
    zoom = np.where(fitting, most, np.minimum(1.0 + layout.size * size, most))
    # A word of the letters' own size stays where it is as far as its ink fits.
    room = (LETTER_HEIGHT - zoom * (bottom - top)) / 2
    centre = (top + bottom) / 2
    target = _MIDDLE + np.where(fitting, 0.0, np.clip(zoom * (centre - _MIDDLE), -room, room))
    high = zoom[word] * unit
    wide = high * (1.0 + layout.size * width)
    lean = layout.slant * slant[word]
    begin, places = _columns(wide, gap * zoom[word], lean, written, ink, word, first)
    return _Hand(
        places=places,
        left=begin - places,
        high=high,
        wide=wide,
        line=target[word] + zoom[word] * (middle - centre[word]),
        slant=lean,
        stroke=layout.stroke * stroke[word],
        noise=noise[word],
    )


def _columns(
    wide: np.ndarray,
    gap: np.ndarray,
    lean: np.ndarray,
    written: np.ndarray,
    ink: _Ink,
    word: np.ndarray,
    first: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the left edge of each letter's 8 columns, and the column in which its patch begins.

    Letters of a written word follow each other by their ink, others by their 8 columns.
    """
    advance = np.where(written, ink.width, LETTER_WIDTH) * wide + gap
    edge = np.cumsum(advance) - advance
    margin = 1.0 + np.abs(lean) * _MIDDLE
    edge = edge - edge[first][word] + margin
    begin = edge - np.where(written, ink.left, 0) * wide
    return begin, np.maximum(np.floor(begin - margin), 0.0).astype(np.int64)


@functools.cache
def _lines(alphabet: str) -> np.ndarray:
    """Return first and last row of each written letter, int64 (alphabet, 2); others than a-z stand on the line."""
    found = {letter: rows for letters, rows in _ROWS.items() for letter in letters}
    return np.array([found.get(letter, _CAPITAL) for letter in alphabet])


def _patches(letters: np.ndarray, hand: _Hand) -> np.ndarray:
    """Read every letter as it is written, float32 (letters, 16, columns)."""
    reach = hand.left + LETTER_WIDTH * hand.wide + np.abs(hand.slant) * _MIDDLE
    columns = int(np.ceil(reach.max())) + 1
    y = np.arange(LETTER_HEIGHT, dtype=np.float32)[None, :, None]
    x = np.arange(columns, dtype=np.float32)[None, None, :]
    drawn = (hand.high, hand.wide, hand.line, hand.slant, hand.left)
    high, wide, line, slant, left = (values.astype(np.float32)[:, None, None] for values in drawn)
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
