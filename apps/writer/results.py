"""What the writer returns: frozen dataclasses that turn into plain dictionaries."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from apps.shared.commands import number
from apps.shared.results import Result
from data_prep.text.tokenizer import Token

_DARKEST = 7.0  # nats: about one in a thousand


@dataclasses.dataclass(frozen=True, slots=True)
class Copied(Result):
    """How much of a text is copied from the training text.

    Attributes:
        fraction: Share of its characters in passages of 20 characters or more that occur there, 0 to 1.
        longest: Characters of the longest passage that occurs there.
    """

    fraction: float
    longest: int


@dataclasses.dataclass(frozen=True, slots=True)
class Written(Result):
    """A text that the writer wrote.

    Attributes:
        prompt: What it went on from.
        text: What it wrote after the prompt.
        seconds: How long that took.
        copied: How much of ``text`` is copied; None where the training text is not at hand.
    """

    prompt: str
    text: str
    seconds: float
    copied: Copied | None


@dataclasses.dataclass(frozen=True, slots=True)
class NextToken(Result):
    """A token that can come next: what the model says, and with which probability it is drawn, 0 to 1."""

    token: str
    probability: float
    sampling_probability: float


@dataclasses.dataclass(frozen=True, slots=True)
class NextTokens(Result):
    """All tokens that can come next, the most probable first; entropy of the model, and of what is drawn from."""

    tokens: tuple[NextToken, ...]
    bits: float
    sampling_bits: float

    def shares(self) -> dict[str, float]:
        """Of every token."""
        return {one.token: one.probability for one in self.tokens}


@dataclasses.dataclass(frozen=True, slots=True)
class TokenProbability(Result):
    """A token and its probability, 0 to 1."""

    token: str
    probability: float


@dataclasses.dataclass(frozen=True, slots=True)
class ScoredToken(Result):
    """A token of a text, how surprising it is where it stands, in nats, and the five most probable ones there."""

    text: str
    start: int
    nats: float
    alternatives: tuple[TokenProbability, ...]

    @property
    def probability(self) -> float:
        """Of the token that stands there, 0 to 1."""
        return math.exp(-self.nats)

    @property
    def darkness(self) -> float:
        """How dark it is drawn, 0 to 1 for one in a thousand."""
        return min(self.nats / _DARKEST, 1.0) ** 1.3


@dataclasses.dataclass(frozen=True, slots=True)
class ScoredText(Result):
    """How a text reads to the writer: the surprise of the whole text, and every token with its alternatives."""

    text: str
    nats: float
    tokens: tuple[ScoredToken, ...]

    @property
    def nats_per_character(self) -> float:
        """Surprise of the text by its number of characters."""
        return self.nats / len(self.text)

    def totals(self) -> dict[str, Any]:
        """Turn into what JSON can hold, without the single tokens.

        ``bits`` is the length of the shortest code for the text under this model; ``perplexity`` says among how many
        equally likely tokens the model as good as guesses at each place.
        """
        bits = self.nats / math.log(2.0)
        return {
            "nats_per_character": self.nats_per_character,
            "bits_per_character": bits / len(self.text),
            "bits": bits,
            "perplexity": math.exp(self.nats / len(self.tokens)),
            "n": len(self.text),
        }

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: the totals, then every token."""
        return {**self.totals(), "tokens": [token.to_dict() for token in self.tokens]}

    def pieces(self) -> list[tuple[str, float, str]]:
        """Each token, the darker the more surprising."""
        return [
            (one.text, -one.darkness, f"{one.probability:.3g}, {one.nats:.2f} nats") for one in self.tokens
        ]

    def table_rows(self) -> list[tuple[str, str]]:
        """The totals, as text."""
        measures = self.totals()
        characters = f"{measures.pop('n'):,}"
        rows = [(name.replace("_", " "), number(value)) for name, value in measures.items()]
        return [*rows, ("characters", characters)]


@dataclasses.dataclass(frozen=True, slots=True)
class WriterEvaluation(Result):
    """Loss on text that the model was not trained on.

    Attributes:
        nats_per_character: Every character counted once, the state carried through.
        n: Characters that were scored.
        split: Row of ``data_prep.text.streams.SPLITS``, ``"all"`` for the whole text.
        standard_error: Of the loss, as if characters were independent; None for a single one.
        text: Name of the text.
        unknown: Tokens that were read as unknown.
    """

    nats_per_character: float
    n: int
    split: str
    standard_error: float | None
    text: str
    unknown: int

    @property
    def bits_per_character(self) -> float:
        """The loss in bits."""
        return self.nats_per_character / math.log(2.0)

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: the loss in both units, number and split."""
        return {
            "nats_per_character": self.nats_per_character,
            "bits_per_character": self.bits_per_character,
            "n": self.n,
            "split": self.split,
        }

    def table_rows(self) -> list[tuple[str, str]]:
        """The cells of the table, as text."""
        return [
            ("nats per character", number(self.nats_per_character)),
            ("standard error", number(self.standard_error)),
            ("bits per character", number(self.bits_per_character)),
            ("characters", f"{self.n:,}"),
            ("split", self.split),
            ("text", self.text),
        ]

    def notes(self) -> list[str]:
        """What the writer never saw."""
        return [f"Read as unknown: {self.unknown:,} tokens"] if self.unknown else []


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class GateView(Result):
    """Every gate and state of every unit after every token of a text.

    Attributes:
        text: The text.
        tokens: Its tokens.
        layers: For each layer name to values, float32 (tokens, units), read-only.
    """

    text: str
    tokens: tuple[Token, ...]
    layers: tuple[Mapping[str, np.ndarray], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Gates and states, the same for every layer."""
        return tuple(self.layers[0])


@dataclasses.dataclass(frozen=True, slots=True)
class Step(Result):
    """One step of the unrolled network.

    Attributes:
        given: The token that is read.
        prompted: Whether it is part of the prompt; else it is the output of the step before, copied back.
        target: The token that comes next in the text.
        target_probability: What the network gives it, 0 to 1.
        output: The most probable token.
        output_probability: Its probability, 0 to 1.
    """

    given: str
    prompted: bool
    target: str
    target_probability: float
    output: str
    output_probability: float


@dataclasses.dataclass(frozen=True, slots=True)
class Question(Result):
    """A passage of the quiz.

    Attributes:
        text: The passage.
        kind: ``"sample"``, ``"held-out"`` or ``"training"``.
        nats_per_character: How surprising it is to the writer.
        longest: Characters of the longest passage that occurs in the training text.
        usual: The same for true held-out text of that length, on average.
        origin: Who speaks where in the training text or the held-out text; None for a sample.
    """

    text: str
    kind: str
    nats_per_character: float
    longest: int
    usual: float
    origin: str | None
