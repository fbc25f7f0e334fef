"""Writer: a language model that writes, scores texts, shows its gates, and admits what it copies."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from apps.writer.results import Copied, NextToken, NextTokens, ScoredText, ScoredToken, TokenChance, Written
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.writer.copies import CopyReport
    from apps.writer.results import GateView, Step, UnitFit, WriterEvaluation
    from apps.writer.texts import LearnedText
    from models.char_lm.generator import Generator
    from models.char_lm.language_model import LanguageModel

DEFAULT_PRESET = "writer_shakespeare"
MAX_PROMPT = 100_000  # characters
MAX_SCORED = 2_000_000
CHUNK = 64  # tokens between two pieces of a stream

Unknown = Literal["refuse", "map"]


class Writer:
    """A trained language model, ready for use; threads can share it.

    Args:
        language_model: Says what comes next.
        arrays: Weights of its network by path, for the view into its gates.
        metadata: Of the preset: checksum of the training text and recipe. Empty where they are not known.
        text_file: Where the training text is; None looks for the texts that the project knows.
    """

    def __init__(
        self,
        language_model: LanguageModel,
        arrays: Mapping[str, np.ndarray],
        metadata: Mapping[str, Any] | None = None,
        text_file: str | Path | None = None,
    ) -> None:
        self.language_model = language_model
        self.arrays = arrays
        self.metadata = metadata or {}
        self._text_file = text_file
        self._lock = threading.Lock()
        self._learned: LearnedText | None = None

    @classmethod
    def from_preset(cls, name: str | Path = DEFAULT_PRESET, *, text: str | Path | None = None) -> Writer:
        """Open the preset of a writer.

        Args:
            name: Name of a shipped preset, or the folder of one's own.
            text: File with the text that it learned from, for copies; not needed for the shipped preset.

        Returns:
            The application.

        Raises:
            InputError: There is no such preset, it is damaged, or it is of another kind.
        """
        from models.char_lm.language_model import KIND, LanguageModel
        from models.presets.store import load_preset

        opened = load_preset(name, kind=KIND)
        language_model = LanguageModel(opened.config, opened.vocabulary, opened.arrays)
        return cls(language_model, opened.arrays, opened.metadata, text)

    @property
    def learned(self) -> LearnedText:
        """The text that it learned from, which the preset does not hold.

        Raises:
            InputError: The text is not known, is another one, or cannot be had.
        """
        from apps.writer.texts import learned_text

        with self._lock:
            if self._learned is None:
                if not self.metadata:
                    raise InputError("It is not known which text this writer learned from")
                self._learned = learned_text(self.metadata, self._text_file)
            return self._learned

    @cached_property
    def generator(self) -> Generator:
        """The compiled loop that writes."""
        from models.char_lm.generator import Generator

        return Generator(self.language_model)

    def stream(
        self,
        prompt: str,
        *,
        length: int = 300,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
        stop: str | None = None,
        unknown: Unknown = "refuse",
        chunk: int = CHUNK,
    ) -> Iterator[str]:
        """Go on from a prompt, piece by piece.

        Args:
            prompt: One character or more.
            length: Tokens to write.
            temperature: Divides the logits; 0 always takes the most probable token.
            top_k: Draw among the so many most probable tokens only.
            top_p: Draw among the fewest most probable tokens that have this much probability together.
            seed: The same seed gives the same text, whatever the chunk size.
            stop: Nothing is written behind the first time that this string is written.
            unknown: What to do with characters of the prompt that the model never saw: ``"refuse"`` or ``"map"``.
            chunk: Tokens of a piece.

        Returns:
            An iterator over the pieces.

        Raises:
            InputError: The prompt is empty, too long or has unknown characters, or a setting is out of bounds;
                raised by the call itself.
        """
        check_prompt(prompt)
        return self.generator.stream(
            prompt,
            length=length,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            seed=seed,
            stop=stop,
            unknown=unknown,
            chunk=chunk,
        )

    def generate(self, prompt: str, **settings: Any) -> Written:
        """Go on from a prompt.

        Args:
            prompt: One character or more.
            **settings: As :meth:`stream` takes them.

        Returns:
            The text, and how much of it is copied where the training text is at hand.

        Raises:
            InputError: As :meth:`stream`.
        """
        begun = time.perf_counter()
        text = "".join(self.stream(prompt, **settings))
        return Written(prompt, text, time.perf_counter() - begun, self.copied(text))

    def generate_batch(self, prompt: str, count: int, **settings: Any) -> list[Written]:
        """Write several texts behind one prompt at once.

        Args:
            prompt: One character or more.
            count: How many.
            **settings: As :meth:`stream` takes them, without ``chunk``.

        Returns:
            The texts; ``seconds`` is the time that all of them took.

        Raises:
            InputError: As :meth:`stream`, or there are too many.
        """
        check_prompt(prompt)
        begun = time.perf_counter()
        texts = self.generator.batch(prompt, count, **settings)
        seconds = time.perf_counter() - begun
        return [Written(prompt, text, seconds, self.copied(text)) for text in texts]

    def copied(self, text: str) -> Copied | None:
        """Say how much of a text is copied; None where the training text cannot be had, or for no text."""
        if not text:
            return None
        try:
            meter = self.learned.meter
        except InputError:
            return None
        report = meter.report(text)
        return Copied(report.fraction, report.longest)

    def copies(self, text: str, k: int | None = None, *, compare: bool = True) -> CopyReport:
        """Find every passage of a text that the writer learned from.

        Args:
            text: The text to look through.
            k: The shortest passage that counts, in characters; 20 if not given.
            compare: Set it beside true text that was held out, where that is at least as long.

        Returns:
            The passages with their sources, and the numbers.

        Raises:
            InputError: The training text cannot be had, the text is empty or too long, or ``k`` is below 1.
        """
        from apps.writer.copies import MIN_CHARACTERS

        learned = self.learned
        baseline = learned.baseline if compare and len(text) <= len(learned.held_out) else None
        return learned.meter.report(text, MIN_CHARACTERS if k is None else k, baseline=baseline)

    def next_tokens(
        self,
        context: str,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        unknown: Unknown = "refuse",
    ) -> NextTokens:
        """Say what can come next, and how often it would be drawn.

        Args:
            context: What stands before; it may be empty.
            temperature: As :meth:`stream` takes it.
            top_k: Likewise.
            top_p: Likewise.
            unknown: Likewise.

        Returns:
            Every token that the writer can write, the most probable first.

        Raises:
            InputError: The context is too long or has unknown characters, or a setting is out of bounds.
        """
        from apps.writer.sampling import chances, entropy_bits, shares

        model = self.language_model
        _check_length(context, MAX_PROMPT)
        ids = np.concatenate([[model.config.start], model.encode(context, unknown=unknown)])
        logits, _ = model.last_logits(ids)
        first = len(model.vocabulary.specials)
        before = shares(logits)[first:]
        writable = np.concatenate([np.full(first, -np.inf), logits[first:]])
        after = chances(writable, temperature=temperature, top_k=top_k, top_p=top_p)[first:]
        order = np.argsort(-before, kind="stable")
        strings = model.vocabulary.decode((order + first).tolist())
        tokens = tuple(map(NextToken, strings, before[order].tolist(), after[order].tolist()))
        return NextTokens(tokens, entropy_bits(before), entropy_bits(after))

    def score(self, text: str, *, unknown: Unknown = "refuse") -> ScoredText:
        """Say how surprising every token of a text is, with five alternatives each.

        Args:
            text: One token or more, at most 2,000,000 characters; it is read as one that begins a line.
            unknown: What to do with characters that the model never saw: ``"refuse"`` or ``"map"``.

        Returns:
            The scores.

        Raises:
            InputError: The text is empty, too long or has unknown characters.
        """
        _check_length(text, MAX_SCORED)
        model = self.language_model
        scores = model.score(text, unknown=unknown)
        strings = model.vocabulary.decode(range(model.config.tokens))
        tokens = model.tokens.tokenizer.tokenize(text)
        rows = zip(
            tokens,
            scores.nats.tolist(),
            scores.alternatives.tolist(),
            scores.probabilities.tolist(),
            strict=True,
        )
        return ScoredText(
            text,
            math.fsum(scores.nats),
            tuple(
                ScoredToken(
                    token.text,
                    token.start,
                    nats,
                    tuple(
                        TokenChance(strings[number], share) for number, share in zip(best, found, strict=True)
                    ),
                )
                for token, nats, best, found in rows
            ),
        )

    def evaluate(self, split: str | None = None) -> WriterEvaluation:
        """Score the part of its text that it did not learn from; see :mod:`apps.writer.evaluation`.

        Args:
            split: Row of ``data_prep.text.streams.SPLITS``; None takes that of the training.

        Returns:
            The loss.

        Raises:
            InputError: The text cannot be had, or the writer learned from what that split would score.
        """
        from apps.writer.evaluation import evaluate

        return evaluate(self.language_model, self.learned, split)

    def gates(self, text: str, *, unknown: Unknown = "refuse") -> GateView:
        """Show every gate and state for a text; see :mod:`apps.writer.explain`."""
        from apps.writer.explain import gate_view

        return gate_view(self.language_model, self.arrays, text, unknown=unknown)

    def following(self, view: GateView, followed: str, name: str) -> tuple[UnitFit, ...]:
        """Order the units by how well they follow a property of the text; see :mod:`apps.writer.explain`."""
        from apps.writer.explain import following_units

        return following_units(view, followed, name)

    def gradients(self, text: str, *, unknown: Unknown = "refuse") -> tuple[tuple[float, ...], ...]:
        """Measure how far back the last prediction of a text learns; see :mod:`apps.writer.explain`."""
        from apps.writer.explain import gradient_lengths

        return gradient_lengths(self.language_model, self.arrays, text, unknown=unknown)

    def unrolled(self, prompt: str, length: int = 8, *, unknown: Unknown = "refuse") -> tuple[Step, ...]:
        """Draw the network step by step over a prompt and what it writes; see :mod:`apps.writer.explain`."""
        from apps.writer.explain import unrolled_steps

        check_prompt(prompt)
        return unrolled_steps(self, prompt, length, unknown=unknown)


def check_prompt(prompt: str) -> None:
    """Refuse a prompt that is empty or too long.

    Args:
        prompt: The prompt.

    Raises:
        InputError: It is no text, empty, or longer than 100,000 characters.
    """
    if not isinstance(prompt, str):
        raise InputError("A prompt is needed", allowed="a string", received=type(prompt).__name__)
    if not prompt:
        raise InputError(
            "The prompt is empty",
            allowed="one character or more",
            remedy="A line break makes the writer begin a new line",
        )
    _check_length(prompt, MAX_PROMPT)


def _check_length(text: str, most: int) -> None:
    if len(text) > most:
        raise InputError(
            "The text is too long",
            allowed=f"at most {most:,} characters",
            received=f"{len(text):,} characters",
        )
