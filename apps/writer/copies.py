"""The copy meter: how much of a text occurs word for word in the training text, and where there.

    meter = CopyMeter(training_text, PlayText(training_text).place)
    meter.report(sample, k=20, held_out=meter.longest_at(held_out_text))

True text shares passages with the training text too (names, common phrases), so a number is read beside held-out text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from apps.shared.language import _
from apps.shared.results import Result
from data_prep.errors import InputError
from data_prep.readers.plays import Place
from data_prep.text.copy_index import CopyIndex

MIN_CHARACTERS = 20  # of a passage that counts as copied, unless another number is asked for
MAX_QUERY = 2_000_000


@dataclass(frozen=True, slots=True)
class Source(Result):
    """Where a passage stands in the training text, the first such place of several.

    Attributes:
        position: Its first character there.
        line: Line of that character, from 1.
        column: Characters before it in the line.
        speaker: Who speaks there; None in a text without speeches.
        play: Title of the play; None where it is not known.
        occurrences: At how many places the passage stands.
    """

    position: int
    line: int
    column: int
    speaker: str | None
    play: str | None
    occurrences: int


def described(place: Source | Place) -> str:
    """Say in words where a place is: play, speaker and line, as far as they are known."""
    return ", ".join(part for part in (place.play, place.speaker, _("line {n:,}", n=place.line)) if part)


@dataclass(frozen=True, slots=True)
class CopiedSpan(Result):
    """A passage ``text[start:end]`` that occurs in the training text and would not with one more character."""

    start: int
    end: int
    source: Source

    @property
    def length(self) -> int:
        """Number of characters."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Comparison(Result):
    """A text beside stretches of true text, as long as it, that the training text does not hold.

    Attributes:
        windows: Number of stretches.
        mean_longest: Their longest match, on average.
        max_longest: The longest match of all of them.
        fraction: Share of held-out characters in copied passages.
        share_as_long: Share of the stretches with a match at least as long as the longest of the text; 0.5
            is what true text has, 0 says that the text copies more than true text repeats.
    """

    windows: int
    mean_longest: float
    max_longest: int
    fraction: float
    share_as_long: float


@dataclass(frozen=True, slots=True)
class CopyReport(Result):
    """How much of a text is copied.

    Attributes:
        characters: Length of the text.
        k: The shortest passage that counts as copied.
        fraction: Share of characters in such passages, 0 to 1.
        longest: Characters of the longest match, copied or not.
        mean_longest_at: Mean over all positions of the longest match that begins there.
        spans: The copied passages.
        held_out: The same numbers of true text, if it was given.
    """

    characters: int
    k: int
    fraction: float
    longest: int
    mean_longest_at: float
    spans: tuple[CopiedSpan, ...]
    held_out: Comparison | None = None

    def notes(self) -> list[str]:
        """Say in sentences how much is copied, beside true text."""
        said = [
            _(
                "{share:.1f} % of the {n:,} characters stand word for word in the training text, in passages of {k} "
                "characters or more; the longest match has {longest}.",
                share=100 * self.fraction,
                n=self.characters,
                k=self.k,
                longest=self.longest,
            )
        ]
        if self.held_out is not None:
            true = self.held_out
            said.append(
                _(
                    "True text that was held out, cut as long as this: {share:.1f} %, longest match {mean:.0f} on "
                    "average and {longest} at most.",
                    share=100 * true.fraction,
                    mean=true.mean_longest,
                    longest=true.max_longest,
                )
            )
        return said


class CopyMeter:
    """Finds what a text has in common with the training text; threads can share it.

    Args:
        text: The training text, 1 to 20,000,000 characters, without NUL.
        place: Tells what is known of a position of ``text``.
    """

    def __init__(self, text: str, place: Callable[[int], Place]) -> None:
        self._index, self._place = CopyIndex(text), place

    def longest_at(self, query: str) -> np.ndarray:
        """Find how many characters from each position on occur in the training text in a row, int32 (characters,).

        Raises:
            InputError: If the text is empty or longer than 2,000,000 characters.
        """
        if not 1 <= len(query) <= MAX_QUERY:
            raise InputError(
                "The text cannot be compared with the training text",
                allowed=f"1 to {MAX_QUERY:,} characters",
                received=len(query),
            )
        return self._index.longest_at(query)

    def report(
        self, query: str, k: int = MIN_CHARACTERS, *, held_out: np.ndarray | None = None
    ) -> CopyReport:
        """Say how much of a text is copied, beside true text.

        Args:
            query: The text to look through.
            k: The shortest passage that counts as copied, at least 1.
            held_out: Longest matches of a held-out text that is at least as long, as :meth:`longest_at` gives them.

        Returns:
            The numbers and the passages. Each is as long as it can be, so two may overlap but none holds another.

        Raises:
            InputError: As :meth:`longest_at`, or if ``k`` is below 1.
        """
        if k < 1:
            raise InputError("The shortest passage has no character", allowed="1 or more", received=k)
        lengths = self.longest_at(query)
        longest = int(lengths.max())
        # The match at a position holds that at the next one, unless this ends later.
        ends = np.arange(len(lengths)) + lengths
        starts = np.flatnonzero((lengths >= k) & (np.diff(ends, prepend=-1) > 0))
        spans = zip(starts.tolist(), ends[starts].tolist(), strict=True)
        return CopyReport(
            characters=len(query),
            k=int(k),
            fraction=float(_copied_shares(lengths[None], k)[0]),
            longest=longest,
            mean_longest_at=float(lengths.mean()),
            spans=tuple(CopiedSpan(start, end, self._source(query[start:end])) for start, end in spans),
            held_out=None if held_out is None else compared(held_out, len(query), longest, k),
        )

    def _source(self, passage: str) -> Source:
        places = self._index.places_of(passage)
        first = int(places[0])
        return Source(first, *self._place(first), occurrences=len(places))


def compared(held_out: np.ndarray, characters: int, longest: int, k: int = MIN_CHARACTERS) -> Comparison:
    """Set a text beside stretches of held-out text of its length, which lie side by side; a rest is left out.

    ``held_out`` int (positions,) are the longest matches of the held-out text, ``longest`` is that of the text.
    """
    count = len(held_out) // characters
    windows = held_out[: count * characters].reshape(count, characters)
    windows = np.minimum(windows, np.arange(characters, 0, -1))  # a match ends within its stretch
    best = windows.max(axis=1)
    return Comparison(
        windows=count,
        mean_longest=float(best.mean()),
        max_longest=int(best.max()),
        fraction=float(_copied_shares(windows, k).mean()),
        share_as_long=float((best >= longest).mean()),
    )


def match_shares(lengths: np.ndarray) -> np.ndarray:
    """Give the share of positions with a match of at least L characters, for L from 0 to the longest, from 1 down."""
    return np.bincount(lengths)[::-1].cumsum()[::-1] / len(lengths)


def _copied_shares(windows: np.ndarray, k: int) -> np.ndarray:
    """Return of each text, a row of matches, the share of characters in a match of at least ``k``, 0 to 1."""
    places = np.arange(windows.shape[1])
    ends = np.maximum.accumulate(np.where(windows >= k, places + windows, 0), axis=1)
    return (ends > places).mean(axis=1)
