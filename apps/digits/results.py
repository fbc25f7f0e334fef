"""What the digits application returns: frozen dataclasses that turn into plain dictionaries."""

from __future__ import annotations

import dataclasses
from typing import Any

from apps.shared.measures import ReliabilityBin, calibration_error
from apps.shared.results import Result
from data_prep.images.preparation import PreparedImage

DIGIT_LABELS = tuple("0123456789")
_LISTED_MISTAKES = 10


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DigitResult(Result):
    """What an image shows."""

    label: str  # the most probable class
    probabilities: tuple[float, ...]  # of every class, 0 to 1, in the order of labels; they sum to 1
    labels: tuple[str, ...]  # "0" to "9" for digits
    prepared: PreparedImage  # what the network read, and every step from the given image to it

    @property
    def digit(self) -> int | str:
        """The class: a number where it is a digit, else its name."""
        return int(self.label) if self.label in DIGIT_LABELS else self.label

    @property
    def confidence(self) -> float:
        """Probability of the most probable class."""
        return max(self.probabilities)

    def shares(self) -> dict[str, float]:
        """Of every class."""
        return dict(zip(self.labels, self.probabilities, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold, without the images; names of classes only where they are no digits."""
        found = {"digit": self.digit, "probabilities": list(self.probabilities)}
        if self.labels != DIGIT_LABELS:
            found["labels"] = list(self.labels)
        return found


@dataclasses.dataclass(frozen=True, slots=True)
class Mistake(Result):
    """A test image that the network gets wrong."""

    index: int  # its number in the test set, from 0
    label: str  # what it shows
    answer: str  # what the network says
    confidence: float  # probability of that answer, 0 to 1
    label_probability: float  # probability of the right class


@dataclasses.dataclass(frozen=True, slots=True)
class DigitsEvaluation(Result):
    """Accuracy on images that the network was not trained on."""

    accuracy: float  # right answers, percent
    n: int  # images that were scored
    standard_error: float  # of the accuracy, in percentage points
    split: str  # "test" or "validation"
    confusion: tuple[tuple[int, ...], ...]  # for each class, how often each class was the answer
    mistakes: tuple[Mistake, ...]  # the most confident first
    reliability: tuple[ReliabilityBin, ...] = ()  # answers by their probability

    @property
    def errors(self) -> int:
        """Number of wrong answers."""
        return len(self.mistakes)

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: accuracy, number and standard error."""
        return {"accuracy": self.accuracy, "n": self.n, "standard_error": self.standard_error}

    def table_rows(self) -> list[tuple[str, str]]:
        """The cells of the table, as text."""
        return [
            ("accuracy, %", f"{self.accuracy:.2f}"),
            ("standard error", f"{self.standard_error:.2f}"),
            ("images", f"{self.n:,}"),
            ("wrong", f"{self.errors:,}"),
            ("calibration error, %", f"{100 * calibration_error(self.reliability):.2f}"),
            ("scored", self.split),
        ]

    def notes(self) -> list[str]:
        """The most confident mistakes."""
        return [
            f"image {one.index} shows {one.label}: {one.answer} with {one.confidence:.1%}"
            for one in self.mistakes[:_LISTED_MISTAKES]
        ]
