"""What the reader returns: frozen dataclasses that turn into plain dictionaries."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from apps.shared.results import Result
from data_prep.readers.letters import LETTERS

if TYPE_CHECKING:
    from data_prep.images.preparation import PreparedImage


@dataclasses.dataclass(frozen=True, slots=True)
class Reading(Result):
    """Another answer, a letter or a word, and its probability, 0 to 1."""

    text: str
    probability: float


@dataclasses.dataclass(frozen=True, slots=True)
class ReadLetter(Result):
    """One letter of an answer.

    Attributes:
        letter: The answer.
        before_probabilities: Of every letter of the alphabet without context, 0 to 1.
        probabilities: Of every letter in context.
        alphabet: The letters.
    """

    letter: str
    before_probabilities: tuple[float, ...]
    probabilities: tuple[float, ...]
    alphabet: str = LETTERS

    @property
    def probability(self) -> float:
        """Probability of the answer in its context."""
        return self.probabilities[self.alphabet.index(self.letter)]

    @property
    def before(self) -> str:
        """What the letter is read as without context."""
        return self.alphabet[self.before_probabilities.index(self.before_probability)]

    @property
    def before_probability(self) -> float:
        """The probability of that."""
        return max(self.before_probabilities)

    @property
    def changed(self) -> bool:
        """Whether context changed the answer."""
        return self.letter != self.before

    @property
    def alternatives(self) -> tuple[Reading, ...]:
        """The three next best letters in context."""
        found = sorted(zip(self.probabilities, self.alphabet, strict=True), reverse=True)
        return tuple(Reading(letter, share) for share, letter in found if letter != self.letter)[:3]


@dataclasses.dataclass(frozen=True, slots=True)
class Span(Result):
    """Where a letter of an answer stands: its first frame and the frame behind its last."""

    letter: str
    start: int
    end: int


@dataclasses.dataclass(frozen=True, slots=True)
class WordReading(Result):
    """A word that was read.

    Attributes:
        text: The answer.
        letters: Each letter, before and after its context was taken into account; for a word in one piece context is
            the language model.
        alternatives: Other words, the most probable first.
    """

    most_bars: ClassVar[None] = None
    text: str
    letters: tuple[ReadLetter, ...]
    alternatives: tuple[Reading, ...]

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Probability of each letter of the answer."""
        return tuple(letter.probability for letter in self.letters)

    @property
    def changed(self) -> tuple[int, ...]:
        """Places, from 0, at which context changed the answer."""
        return tuple(at for at, letter in enumerate(self.letters) if letter.changed)

    def shares(self) -> dict[str, float]:
        """Of each letter of the answer, by its place."""
        return {f"{at}. {one.letter}": one.probability for at, one in enumerate(self.letters, start=1)}

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: text, probability of each letter, other words."""
        return {
            "text": self.text,
            "probabilities": list(self.probabilities),
            "alternatives": [other.to_dict() for other in self.alternatives],
        }


@dataclasses.dataclass(frozen=True, slots=True)
class LettersResult(WordReading):
    """A word that was read letter by letter.

    Attributes:
        by_way: The word by each way of reading, keys of ``apps.ocr.evaluation.WAYS``.
    """

    by_way: dict[str, str]

    @property
    def before(self) -> str:
        """The word, each letter read by itself."""
        return "".join(letter.before for letter in self.letters)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class WordResult(WordReading):
    """A word that was read from one image.

    Attributes:
        greedy: The word of the most probable path through the frames.
        without_language: The most probable word, the sum over its paths, without the language model.
        frames: Probability of every letter and, last, the blank in each frame, float64 (frames, letters + 1).
        path: Class of each frame on the best path of the answer; the last one is the blank.
        spans: Where that path says each letter.
        prepared: What the network read, and every step to it.
    """

    greedy: str
    without_language: str
    frames: np.ndarray
    path: tuple[int, ...]
    spans: tuple[Span, ...]
    prepared: PreparedImage
