"""What the tagger returns: frozen dataclasses that turn into plain dictionaries."""

from __future__ import annotations

import dataclasses
from typing import Any

from apps.shared.calibration import ReliabilityBin
from apps.shared.results import Result

AMBIGUOUS_BELOW = 0.9  # a tag that the network holds for less likely than this is marked as ambiguous


@dataclasses.dataclass(frozen=True, slots=True)
class Alternative(Result):
    """A tag that was not chosen, and its probability, 0 to 1."""

    tag: str
    probability: float


@dataclasses.dataclass(frozen=True, slots=True)
class TaggedToken(Result):
    """A word with its tags.

    Attributes:
        text: The word as it stands in the text.
        start: First code point in the text that was tagged.
        end: Behind the last one.
        upos: Universal part of speech.
        xpos: Penn tag.
        probability: Calibrated probability of ``upos``, 0 to 1.
        alternatives: The three most likely other universal tags, the likeliest first.
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
    def ambiguous(self) -> bool:
        """Whether another tag is a real possibility."""
        return self.probability < AMBIGUOUS_BELOW


@dataclasses.dataclass(frozen=True, slots=True)
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


@dataclasses.dataclass(frozen=True, slots=True)
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


@dataclasses.dataclass(frozen=True, slots=True)
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
        if not self.n:
            return None
        share = self.correct / self.n
        return 100.0 * (share * (1.0 - share) / self.n) ** 0.5

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: percent and number."""
        return {"accuracy": self.percent, "n": self.n}


@dataclasses.dataclass(frozen=True, slots=True)
class RawTextScore(Result):
    """F1 in percent of the CoNLL 2018 evaluation, from text without any annotation."""

    words_f1: float
    sentences_f1: float
    upos_f1: float
    xpos_f1: float
    words: int

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: words, sentences and universal tags."""
        return {"words_f1": self.words_f1, "sentences_f1": self.sentences_f1, "upos_f1": self.upos_f1}


@dataclasses.dataclass(frozen=True, slots=True)
class TaggerEvaluation(Result):
    """Scores on a treebank.

    Attributes:
        upos: Universal tags on gold tokens.
        xpos: Penn tags on gold tokens.
        unknown_words: Universal tags of words that never occur in training.
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

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: both protocols."""
        return {
            "gold_tokens": {
                "upos": self.upos.to_dict(),
                "xpos": self.xpos.to_dict(),
                "unknown_words": self.unknown_words.to_dict(),
            },
            "raw_text": self.raw_text.to_dict(),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class Example(Result):
    """A wrongly tagged word in its sentence.

    Attributes:
        before: The sentence up to the word; long sentences begin with "…".
        word: The word.
        after: The rest of the sentence; long ones end with "…".
        probability: That the network gave to its wrong tag.
        unknown: Whether the word never occurs in training.
    """

    before: str
    word: str
    after: str
    probability: float
    unknown: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Confusions(Result):
    """Which tag was taken for which.

    Attributes:
        labels: The universal tags.
        counts: counts[g][p]: words of gold tag g that were tagged p.
        examples: "GOLD>PREDICTED" to a few wrongly tagged words, the most confident first.
        followers: followers[a][b]: how often gold tag b comes after gold tag a; the first a is the start of
            a sentence, the last b its end.
    """

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    examples: dict[str, tuple[Example, ...]]
    followers: tuple[tuple[int, ...], ...]

    @property
    def accuracy(self) -> Accuracy:
        """Right tags among all."""
        right = sum(row[at] for at, row in enumerate(self.counts))
        return Accuracy(right, sum(map(sum, self.counts)))


@dataclasses.dataclass(frozen=True, slots=True)
class LayerView(Result):
    """What one layer of the network holds for a sentence.

    Attributes:
        key: Short name.
        title: Name for people.
        about: What it holds.
        values: One row a word, one number a unit.
    """

    key: str
    title: str
    about: str
    values: tuple[tuple[float | None, ...], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkView(Result):
    """The network's view of a sentence.

    Attributes:
        words: The words.
        unknown: Whether each word never occurs in training.
        layers: From the input to the heads.
        tags: The universal tags.
        probabilities: One row a word, one number a tag, 0 to 1.
    """

    words: tuple[str, ...]
    unknown: tuple[bool, ...]
    layers: tuple[LayerView, ...]
    tags: tuple[str, ...]
    probabilities: tuple[tuple[float | None, ...], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Transitions(Result):
    """A score for each tag (columns) after each tag (rows); None where a pair cannot be."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    scores: tuple[tuple[float | None, ...], ...]
