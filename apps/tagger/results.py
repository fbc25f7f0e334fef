"""What the tagger returns: frozen dataclasses that turn into plain dictionaries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from apps.shared.colours import LIGHT
from apps.shared.commands import number
from apps.shared.measures import ReliabilityBin, percent_right
from apps.shared.results import Result
from apps.tagger.ribbons import ribbons
from data_prep.readers.conllu import UNTAGGED

ALTERNATIVES = 3  # tags that were not chosen, at most
AMBIGUOUS_BELOW = 0.9  # a tag that the network holds for less likely than this is marked as ambiguous


@dataclass(frozen=True, slots=True)
class Alternative(Result):
    """A tag that was not chosen, and its probability, 0 to 1."""

    tag: str
    probability: float


@dataclass(frozen=True, slots=True)
class TaggedToken(Result):
    """A word with its tags.

    Attributes:
        text: The word.
        start: First code point in the text that was tagged.
        end: Behind the last one. Words of a multiword token that are no pieces of it share its span.
        upos: Universal part of speech; ``_`` from a tagger whose treebank has none.
        xpos: Tag of the treebank's own set, such as Penn's; ``_`` from a tagger whose treebank has none.
        probability: Calibrated probability of ``upos``, or of ``xpos`` where there is no UPOS, 0 to 1.
        alternatives: The three most likely other tags of the same kind, the likeliest first.
        unknown: Whether the word never occurs in the training text in this spelling.
    """

    text: str
    start: int
    end: int
    upos: str
    xpos: str
    probability: float
    alternatives: tuple[Alternative, ...]
    unknown: bool

    @property
    def tag(self) -> str:
        """The universal tag, or that of the treebank's own set where it is ``_``."""
        return self.xpos if self.upos == UNTAGGED else self.upos

    @property
    def ambiguous(self) -> bool:
        """Whether another tag is a real possibility."""
        return self.probability < AMBIGUOUS_BELOW


@dataclass(frozen=True, slots=True)
class TaggedSentence(Result):
    """A sentence with its tagged words.

    Attributes:
        text: From its first word to its last, as it stands in the text.
        tokens: Its words; spans count from the start of the whole text.
        start: First code point of the sentence in the whole text.
    """

    text: str
    tokens: tuple[TaggedToken, ...]
    start: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: text and tokens."""
        return {"text": self.text, "tokens": [token.to_dict() for token in self.tokens]}

    def drawn(self) -> str:
        """Ribbons."""
        return ribbons([self], LIGHT)


@dataclass(frozen=True, slots=True)
class TaggedText(Result):
    """A text and its sentences; what stands between two words is white space of ``text``."""

    text: str
    sentences: tuple[TaggedSentence, ...]

    @property
    def tokens(self) -> tuple[TaggedToken, ...]:
        """The words of all sentences."""
        return tuple(token for sentence in self.sentences for token in sentence.tokens)

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: the sentences."""
        return {"sentences": [sentence.to_dict() for sentence in self.sentences]}

    def records(self) -> list[dict[str, Any]]:
        """One row a word, with the number of its sentence from 1."""
        numbered = enumerate(self.sentences, start=1)
        return [{"sentence": at, **token.to_dict()} for at, one in numbered for token in one.tokens]

    def drawn(self) -> str:
        """Ribbons."""
        return ribbons(self.sentences, LIGHT)


@dataclass(frozen=True, slots=True)
class Accuracy(Result):
    """Right answers among all."""

    correct: int
    n: int

    @property
    def percent(self) -> float | None:
        """Percent right, None if nothing was asked."""
        return 100.0 * self.correct / self.n if self.n else None

    @property
    def standard_error(self) -> float | None:
        """Binomial standard error of ``percent``, None if nothing was asked."""
        return percent_right(self.correct, self.n)[1] if self.n else None

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: percent and number."""
        return {"accuracy": self.percent, "n": self.n}


@dataclass(frozen=True, slots=True)
class RawTextScore(Result):
    """F1 in percent of the CoNLL 2018 evaluation, from text without any annotation; None for tags that it has not."""

    words_f1: float
    sentences_f1: float
    upos_f1: float | None
    xpos_f1: float | None
    words: int

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: words, sentences and tags."""
        return {f"{name}_f1": getattr(self, f"{name}_f1") for name in ("words", "sentences", "upos", "xpos")}


@dataclass(frozen=True, slots=True)
class SegmenterEvaluation(Result):
    """F1 in percent of the CoNLL 2018 evaluation, from text without any annotation, and the gold units."""

    words_f1: float
    sentences_f1: float
    words: int
    sentences: int


@dataclass(frozen=True, slots=True)
class TaggerEvaluation(Result):
    """Scores on a treebank; words without a gold tag do not count.

    Attributes:
        upos: Universal tags on gold tokens.
        xpos: Tags of the treebank's own set on gold tokens.
        unknown_words: Universal tags, or the others where there are none, of words that never occur in training.
        raw_text: From the text alone.
        calibration_error: Expected calibration error of the probabilities of the chosen tags, 0 to 1.
        reliability: The bins that it was summed over.
    """

    upos: Accuracy
    xpos: Accuracy
    unknown_words: Accuracy
    raw_text: RawTextScore
    calibration_error: float
    reliability: tuple[ReliabilityBin, ...]

    table_columns: ClassVar[tuple[str, ...]] = ("measure", "score>", "standard error>", "words>")

    def table_rows(self) -> list[tuple[str, ...]]:
        """The cells of the table, as text."""
        bare = self.raw_text.upos_f1 is None  # the tagger has no UPOS
        unseen = f"{'XPOS' if bare else 'UPOS'}, words never seen in training"
        scores = {"UPOS, gold tokens": self.upos, "XPOS, gold tokens": self.xpos, unseen: self.unknown_words}
        found: list[tuple[str, float | None, float | None, int]] = [
            (name, one.percent, one.standard_error, one.n) for name, one in scores.items()
        ]
        for name in ("words", "sentences", "UPOS", "XPOS"):
            f1 = getattr(self.raw_text, f"{name.lower()}_f1")
            found.append((f"{name}, raw text (F1)", f1, None, self.raw_text.words))
        error, words = 100 * self.calibration_error, (self.xpos if bare else self.upos).n
        found.append(("expected calibration error", error, None, words))
        return [(name, number(one, 2, " %"), number(se, 2), str(n)) for name, one, se, n in found]

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: both protocols."""
        gold = {name: getattr(self, name).to_dict() for name in ("upos", "xpos", "unknown_words")}
        return {"gold_tokens": gold, "raw_text": self.raw_text.to_dict()}


@dataclass(frozen=True, slots=True)
class LayerView(Result):
    """What one layer of the network holds for a sentence: names, what it is, and float32 (words, units)."""

    key: str
    title: str
    about: str
    values: np.ndarray


@dataclass(frozen=True, slots=True)
class NetworkView(Result):
    """The network's view of a sentence: its layers from the input on, and probabilities, float32 (words, tags)."""

    words: tuple[str, ...]
    unknown: tuple[bool, ...]
    layers: tuple[LayerView, ...]
    tags: tuple[str, ...]
    probabilities: np.ndarray


@dataclass(frozen=True, slots=True)
class Transitions(Result):
    """A score for each tag (columns) after each tag (rows), float64; NaN where a pair cannot be."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    scores: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: None where a pair cannot be."""
        scores = np.where(np.isnan(self.scores), None, self.scores).tolist()
        return {"rows": list(self.rows), "columns": list(self.columns), "scores": scores}
