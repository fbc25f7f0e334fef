"""What the reviews application returns: frozen dataclasses that turn into plain dictionaries."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from apps.shared.language import _
from apps.shared.measures import ReliabilityBin
from apps.shared.results import Result
from data_prep.readers.labelled_texts import Refused

if TYPE_CHECKING:
    from apps.vectors.application import MapResult

_MANY_UNKNOWN = 0.5
_LISTED = 20  # refused documents that are named one by one


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict(Result):
    """What a document is.

    Attributes:
        label: The most probable label.
        probabilities: Label to probability, in the order of the logits; they sum to 1.
        words: Words and numbers of the whole document; punctuation does not count.
        unknown_words: Those of them that the vocabulary does not hold.
        tokens: Words, numbers and punctuation marks of the whole document.
        left_out: Those of them that no network of the preset read, because the document is longer than its window.
    """

    label: str
    probabilities: dict[str, float]
    words: int
    unknown_words: int
    tokens: int = 0
    left_out: int = 0

    table_columns = ("label", "probability>")

    @property
    def confidence(self) -> float:
        """Probability of the most probable label."""
        return self.probabilities[self.label]

    def shares(self) -> dict[str, float]:
        """Of every label."""
        return self.probabilities

    def notes(self) -> list[str]:
        """What a person should know beside the answer, as sentences: much was unknown, or not read."""
        found = []
        if self.unknown_words > _MANY_UNKNOWN * self.words:
            text = _(
                "{n:,} of the {all:,} words are unknown: is it in the language that the network learned?",
                n=self.unknown_words,
                all=self.words,
            )
            found.append(text)
        if self.left_out:
            found.append(
                _(
                    "The text is longer than what the network reads: {n:,} of its {all:,} words and marks "
                    "({share:.0%}) were left out.",
                    n=self.left_out,
                    all=self.tokens,
                    share=self.left_out / self.tokens,
                )
            )
        return found

    def table_rows(self) -> list[tuple[str, ...]]:
        """The cells of the table, the most probable label first."""
        shares = sorted(self.probabilities.items(), key=lambda item: -item[1])
        counts = (("words", f"{self.words:,}"), ("unknown words", f"{self.unknown_words:,}"))
        return [*((label, f"{share:.1%}") for label, share in shares), *counts]

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold; ``left_out`` is there only where something was left out."""
        found: dict[str, Any] = {
            "label": self.label,
            "probabilities": dict(self.probabilities),
            "unknown_words": self.unknown_words,
            "words": self.words,
        }
        return found | ({"left_out": self.left_out} if self.left_out else {})


def refusals(refused: Sequence[Refused], what: str) -> list[str]:
    """Name what was refused, by number."""
    named = [f"Refused: {what} {one.number}: {one.problem}" for one in refused[:_LISTED]]
    return named + ([f"Refused: {len(refused) - _LISTED:,} more"] if len(refused) > _LISTED else [])


@dataclasses.dataclass(frozen=True, slots=True)
class ReviewsEvaluation(Result):
    """How well documents are classified that the network did not learn from.

    Attributes:
        accuracy: Right answers, percent.
        n: Documents that were scored, each once.
        standard_error: Of the accuracy, in percentage points.
        split: What was scored.
        labels: The labels in the order of the logits.
        confusion: For each label, how often each label was the answer.
        calibration_error: Expected calibration error of the probabilities of the answers, 0 to 1.
        reliability: Probability against share right, in equal intervals.
        unknown_share: Unknown words by words, 0 to 1.
        left_out_share: Tokens that were not read by tokens, 0 to 1.
        refused: Documents that could not be scored, by number, and why.
        unknown_only: Numbers of documents without any known word; they are scored all the same.
        aliases: Names of labels in the data, each with the preset's own label that it means.
        parts: Accuracy of each part, percent, where folds were scored.
        counted: What the numbers count: ``"document"`` or ``"row"``.
    """

    accuracy: float
    n: int
    standard_error: float
    split: str
    labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    calibration_error: float
    reliability: tuple[ReliabilityBin, ...]
    unknown_share: float = 0.0
    left_out_share: float = 0.0
    refused: tuple[Refused, ...] = ()
    unknown_only: tuple[int, ...] = ()
    aliases: dict[str, str] = dataclasses.field(default_factory=dict)
    parts: tuple[float, ...] = ()
    counted: str = "document"

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: percent, number and standard error."""
        return {"accuracy": self.accuracy, "n": self.n, "standard_error": self.standard_error}

    def table_rows(self) -> list[tuple[str, ...]]:
        """The cells of the table; last, what each label was answered as."""
        answers = []
        for label, row in zip(self.labels, self.confusion, strict=True):
            counts = ", ".join(f"{name} {count:,}" for name, count in zip(self.labels, row, strict=True))
            answers.append((f"{label}, answered as", counts))
        return [
            ("accuracy, %", f"{self.accuracy:.2f}"),
            ("standard error", f"{self.standard_error:.2f}"),
            ("documents", f"{self.n:,}"),
            ("refused", f"{len(self.refused):,}"),
            ("calibration error, %", f"{100 * self.calibration_error:.2f}"),
            ("unknown words, %", f"{100 * self.unknown_share:.2f}"),
            ("not read, %", f"{100 * self.left_out_share:.2f}"),
            *((f"fold {at}, %", f"{share:.2f}") for at, share in enumerate(self.parts, start=1)),
            ("scored", self.split),
            *answers,
        ]

    def notes(self) -> list[str]:
        """What was refused, and what was counted although it is odd."""
        found = refusals(self.refused, self.counted)
        found += [f"Note: the label {name} counts as {label}" for name, label in self.aliases.items()]
        if self.unknown_only:
            shown = ", ".join(map(str, self.unknown_only[:_LISTED]))
            found.append(f"Note: no word of these documents is known, they are scored all the same: {shown}")
        if self.left_out_share:
            share = f"{self.left_out_share:.1%} of all words and marks"
            found.append(f"Note: {share} were not read, in documents longer than the window")
        return found


@dataclasses.dataclass(frozen=True, slots=True)
class ReadWord(Result):
    """A token of the user's own text: ``whole[start:end] == text``; the end of sequence has no text."""

    text: str
    start: int
    end: int
    known: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class RunningVerdict(Result):
    """The verdict after each word.

    Attributes:
        labels: The labels in the order of the logits.
        words: What was read, in order; the last one is the end of sequence.
        probabilities: For each of them, the probability of each label when reading stops there.
    """

    labels: tuple[str, ...]
    words: tuple[ReadWord, ...]
    probabilities: tuple[tuple[float, ...], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Contributions(Result):
    """What each word adds to the logit of one label minus that of another.

    Attributes:
        label: The label that was asked for, usually the answer.
        against: The other one.
        method: ``"gradient"``, ``"leave_out"`` or ``"linear"``.
        words: The tokens; the end of sequence, where the network reads one, is the last.
        values: What each adds, in logits.
        constant: What is there without any word.
        difference: Logit of ``label`` minus that of ``against``.
        exact: Whether ``sum(values) + constant`` is ``difference`` by construction.
    """

    label: str
    against: str
    method: str
    words: tuple[ReadWord, ...]
    values: tuple[float, ...]
    constant: float
    difference: float
    exact: bool


@dataclasses.dataclass(frozen=True, slots=True)
class AttentionWeights(Result):
    """Where a network with attention looks: the tokens, the end of sequence included, and weights with sum 1."""

    words: tuple[ReadWord, ...]
    weights: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class LabelEmbedding(Result):
    """A row of W in softmax(Wz): the label's embedding, and the words nearest to it.

    Attributes:
        label: The label.
        vector: Its row.
        nearest: Words with their score, the nearest first; none where the state is in no space of words.
        cosines: Cosine of the row with those of all labels, in their order.
    """

    label: str
    vector: tuple[float, ...]
    nearest: tuple[tuple[str, float], ...]
    cosines: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class States(Result):
    """The hidden state of one network, named, along a text: the tokens, and for each of them the state after it."""

    words: tuple[ReadWord, ...]
    values: tuple[tuple[float, ...], ...]
    network: str


@dataclasses.dataclass(frozen=True, slots=True)
class LabelMap(Result):
    """Labels and words on one map.

    Attributes:
        map: Labels first, each with ``«»`` around it, then words.
        labels: How many of the points are labels.
        belongs: For each point the label that its word speaks for most; None for words that speak for none.
        fit: For each label, the share of the variance of what words say for it that word vectors explain (R²).
    """

    map: MapResult
    labels: int
    belongs: tuple[str | None, ...]
    fit: tuple[float, ...]
