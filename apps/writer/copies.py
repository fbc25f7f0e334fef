"""The copy meter: how much of a text occurs word for word in the training text, and where there.

    meter = CopyMeter(training_text)
    meter.spans(sample, k=20)       every copied passage with its source
    meter.report(sample, baseline=Baseline(meter, held_out_text))

True text shares passages with the training text too (names, common phrases), so a number is read beside held-out text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from apps.shared.results import Result
from data_prep.errors import InputError
from data_prep.readers.plays import Place, PlayText
from data_prep.text.copy_index import CopyIndex

MIN_CHARACTERS = 20  # of a passage that counts as copied, unless another number is asked for
MAX_QUERY = 2_000_000


@dataclass(frozen=True, slots=True)
class Source(Result):
    """Where a passage stands in the training text.

    Attributes:
        position: Its first character there, the first such place of several.
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
    return ", ".join(part for part in (place.play, place.speaker, f"line {place.line:,}") if part)


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
    """A text beside true text of the same length that the training text does not hold.

    Attributes:
        windows: Number of stretches of held-out text, as long as the text.
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
            f"{100 * self.fraction:.1f} % of the {self.characters:,} characters stand word for word in the training "
            f"text, in passages of {self.k} characters or more; the longest match has {self.longest}."
        ]
        if self.held_out is not None:
            true = self.held_out
            said.append(
                f"True text that was held out, cut as long as this: {100 * true.fraction:.1f} %, longest match "
                f"{true.mean_longest:.0f} on average and {true.max_longest} at most."
            )
        return said


class CopyMeter:
    """Finds what a text has in common with the training text; threads can share it.

    Args:
        text: The training text, 1 to 20,000,000 characters.
        sources: Tells what is known of a position of ``text``; None reads the text as plays
            (``data_prep.readers.plays``).

    Raises:
        InputError: If the text is empty, too long or binary.
    """

    def __init__(self, text: str, *, sources: Callable[[int], Place] | None = None) -> None:
        self._index = CopyIndex(text)
        self._place = sources or PlayText(text).place

    def spans(self, query: str, k: int = MIN_CHARACTERS) -> tuple[CopiedSpan, ...]:
        """Find every copied passage of at least ``k`` characters.

        Args:
            query: The text to look through.
            k: At least 1.

        Returns:
            Passages in their order; each is as long as it can be, so two may overlap but none holds another.

        Raises:
            InputError: If the text is empty or longer than 2,000,000 characters, or ``k`` is below 1.
        """
        return self._spans(query, self.longest_at(query), _checked(k))

    def longest_at(self, query: str) -> np.ndarray:
        """Find the longest match at each position.

        Args:
            query: The text to look through.

        Returns:
            How many characters from each position on occur in the training text in a row, int32 (characters,).

        Raises:
            InputError: If the text is empty or too long.
        """
        if not 1 <= len(query) <= MAX_QUERY:
            raise InputError(
                "The text cannot be compared with the training text",
                allowed=f"1 to {MAX_QUERY:,} characters",
                received=len(query),
            )
        return self._index.longest_at(query).lengths

    def fraction(self, query: str, k: int = MIN_CHARACTERS) -> float:
        """Return the share of characters in copied passages of at least ``k``, 0 to 1; errors as ``spans``."""
        return float(_covered(self.longest_at(query), _checked(k)).mean())

    def longest(self, query: str) -> int:
        """Return the length of the longest match, 0 for none; errors as ``longest_at``."""
        return int(self.longest_at(query).max())

    def report(self, query: str, k: int = MIN_CHARACTERS, *, baseline: Baseline | None = None) -> CopyReport:
        """Say how much of a text is copied, beside true text.

        Args:
            query: The text to look through.
            k: The shortest passage that counts as copied.
            baseline: Held-out text.

        Returns:
            The numbers and the passages.

        Raises:
            InputError: As ``spans``, or if the text is longer than the held-out text.
        """
        lengths = self.longest_at(query)
        longest = int(lengths.max())
        return CopyReport(
            characters=len(query),
            k=k,
            fraction=float(_covered(lengths, _checked(k)).mean()),
            longest=longest,
            mean_longest_at=float(lengths.mean()),
            spans=self._spans(query, lengths, k),
            held_out=baseline and baseline.compare(len(query), longest, k),
        )

    def _spans(self, query: str, lengths: np.ndarray, k: int) -> tuple[CopiedSpan, ...]:
        # The match at a position holds that at the next one, unless this ends later.
        ends = np.arange(len(lengths)) + lengths
        is_new = np.concatenate([[True], ends[1:] > ends[:-1]])
        starts = np.flatnonzero(is_new & (lengths >= k))
        return tuple(self._span(query, start, end) for start, end in _pairs(starts, ends[starts]))

    def _span(self, query: str, start: int, end: int) -> CopiedSpan:
        places = self._index.places_of(query[start:end])
        known = self._place(int(places[0]))
        source = Source(
            int(places[0]), known.line, known.column, known.speaker, known.play, occurrences=len(places)
        )
        return CopiedSpan(start, end, source)


class Baseline:
    """Matches of true text that the training text does not hold: some are met by chance and by common phrases.

    Args:
        meter: Of the training text.
        held_out: The true text.

    Raises:
        InputError: If the text is empty or longer than 2,000,000 characters.
    """

    def __init__(self, meter: CopyMeter, held_out: str) -> None:
        self.longest_at = meter.longest_at(held_out)
        self.longest_at.setflags(write=False)

    def longest_in_windows(self, characters: int) -> np.ndarray:
        """Find the longest match within each stretch of held-out text.

        Args:
            characters: Length of a stretch; they lie side by side, a shorter rest is left out.

        Returns:
            Length of the longest match that lies within the stretch, int32 (stretches,).

        Raises:
            InputError: If there is no such stretch.
        """
        return self._clipped(characters).max(axis=1)

    def compare(self, characters: int, longest: int, k: int = MIN_CHARACTERS) -> Comparison:
        """Set a text beside stretches of held-out text of its length.

        Args:
            characters: Length of the text.
            longest: Its longest match.
            k: The shortest passage that counts as copied.

        Returns:
            The comparison.

        Raises:
            InputError: If the held-out text is shorter than the text.
        """
        windows = self._clipped(characters)
        best = windows.max(axis=1)
        return Comparison(
            windows=len(best),
            mean_longest=float(best.mean()),
            max_longest=int(best.max()),
            fraction=float(np.mean([_covered(window, k).mean() for window in windows])),
            share_as_long=float((best >= longest).mean()),
        )

    def _clipped(self, characters: int) -> np.ndarray:
        """Return the longest matches that end within their stretch, int32 (stretches, characters)."""
        if not 1 <= characters <= len(self.longest_at):
            raise InputError(
                "The text is longer than the held-out text that it is compared with",
                allowed=f"1 to {len(self.longest_at):,} characters",
                received=characters,
            )
        count = len(self.longest_at) // characters
        windows = self.longest_at[: count * characters].reshape(count, characters)
        return np.minimum(windows, np.arange(characters, 0, -1, dtype=np.int32))


def match_shares(lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    """Describe the distribution of longest matches.

    Args:
        lengths: Longest match at each position, int (positions,), one position or more.

    Returns:
        Share of positions with a match of at least L characters, for L from 0 to the longest; float64
        (longest + 1,), falling from 1.
    """
    counts = np.bincount(np.asarray(lengths))
    return counts[::-1].cumsum()[::-1] / counts.sum()


def _covered(lengths: np.ndarray, k: int) -> np.ndarray:
    """Tell which characters lie in a match of at least ``k``, bool (characters,)."""
    starts = np.flatnonzero(lengths >= k)
    edges = np.zeros(len(lengths) + 1, np.int64)
    edges[starts] += 1
    np.subtract.at(edges, starts + lengths[starts], 1)
    return edges[:-1].cumsum() > 0


def _checked(k: int) -> int:
    if k < 1:
        raise InputError("The shortest passage has no character", allowed="1 or more", received=k)
    return k


def _pairs(starts: np.ndarray, ends: np.ndarray) -> list[tuple[int, int]]:
    return list(zip(starts.tolist(), ends.tolist(), strict=True))
