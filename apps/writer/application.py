"""Writer: a language model that writes, scores texts, and admits what it copies."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from apps.shared.application import Application
from apps.writer.copies import MIN_CHARACTERS, CopyReport
from apps.writer.results import (
    Copied,
    NextToken,
    NextTokens,
    ScoredText,
    ScoredToken,
    TokenProbability,
    Written,
)
from apps.writer.sampling import entropy_bits, sampling_probabilities
from apps.writer.texts import LearnedText, learned_text
from data_prep.errors import InputError
from models.char_lm.generator import Generator
from models.char_lm.language_model import KIND, LanguageModel, Unknown
from models.serving.operations import softmax

DEFAULT_PRESET = "writer_shakespeare"
MAX_PROMPT = 100_000  # characters
MAX_SCORED = 2_000_000

TextFiles = str | Path | Sequence[str | Path]


class Writer(Application):
    """A trained language model, ready for use; threads can share it.

    Attributes:
        text: Where its training text is, files in their order; nothing looks for the texts that the project knows.
    """

    kind = KIND
    default_preset = DEFAULT_PRESET

    def __init__(self, config: Any, arrays: Mapping[str, np.ndarray], **more: Any) -> None:
        super().__init__(config, arrays, **more)
        self.language_model = LanguageModel(config, self.vocabulary, arrays)
        self.text: tuple[str | Path, ...] = ()

    @classmethod
    def from_preset(cls, name: str | Path | None = None, *, text: TextFiles = ()) -> Self:
        """Open the preset of a writer.

        Args:
            name: Name of a preset, or its folder; None for the shipped one.
            text: The text that it learned from, one or more files, for copies; not needed for the shipped preset.

        Returns:
            The application.

        Raises:
            InputError: There is no such preset, it is damaged, or it is of another kind.
        """
        writer = super().from_preset(name)
        writer.text = (text,) if isinstance(text, str | Path) else tuple(text)
        return writer

    @cached_property
    def learned(self) -> LearnedText:
        """The text that it learned from, which the preset does not hold.

        Raises:
            InputError: The text is not known, is another one, or cannot be had.
        """
        if not self.metadata:
            raise InputError("It is not known which text this writer learned from")
        return learned_text(self.metadata, self.text)

    @cached_property
    def generator(self) -> Generator:
        """The compiled loop that writes."""
        return Generator(self.language_model)

    def stream(self, prompt: str, *, length: int = 300, **settings: Any) -> Iterator[str]:
        """Go on from a prompt, piece by piece.

        Args:
            prompt: One character or more.
            length: Tokens to write.
            **settings: Others of ``models.char_lm.generator.Settings``, such as ``temperature`` and ``seed``;
                and ``unknown``, what to do with characters of the prompt that the model never saw, ``"refuse"`` or
                ``"map"``.

        Returns:
            An iterator over the pieces.

        Raises:
            InputError: The prompt is empty, too long or has unknown characters, or a setting is out of bounds;
                raised by the call itself.
        """
        check_prompt(prompt)
        return self.generator.stream(prompt, length=length, **settings)

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
        """Write several texts after one prompt at once.

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

    def copies(self, text: str, k: int = MIN_CHARACTERS, *, compare: bool = True) -> CopyReport:
        """Find every passage of a text that the writer learned from.

        Args:
            text: The text to look through.
            k: The shortest passage that counts, in characters.
            compare: Set it beside true text that was held out, where that is at least as long.

        Returns:
            The passages with their sources, and the numbers.

        Raises:
            InputError: The training text cannot be had, the text is empty or too long, or ``k`` is below 1.
        """
        learned = self.learned
        baseline = learned.baseline if compare and len(text) <= len(learned.held_out) else None
        return learned.meter.report(text, k, baseline=baseline)

    def next_tokens(
        self,
        context: str,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        unknown: Unknown = "refuse",
    ) -> NextTokens:
        """Say what can come next, and with which probability it would be drawn.

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
        model = self.language_model
        _check_length(context, MAX_PROMPT)
        ids = np.concatenate([[model.config.start], model.encode(context, unknown=unknown)])
        logits, _ = model.last_logits(ids)
        first = len(model.vocabulary.specials)
        before = softmax(logits)[first:]
        writable = np.concatenate([np.full(first, -np.inf), logits[first:]])
        after = sampling_probabilities(writable, temperature=temperature, top_k=top_k, top_p=top_p)[first:]
        order = np.argsort(-before, kind="stable")
        strings = model.vocabulary.decode((order + first).tolist())
        tokens = tuple(map(NextToken, strings, before[order].tolist(), after[order].tolist()))
        return NextTokens(tokens, entropy_bits(before), entropy_bits(after))

    def score(self, text: str, unknown: Unknown = "refuse") -> ScoredText:
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
        columns = (scores.nats, scores.alternatives, scores.probabilities)
        rows = zip(tokens, *(column.tolist() for column in columns), strict=True)
        return ScoredText(
            text,
            math.fsum(scores.nats),
            tuple(
                ScoredToken(
                    token.text,
                    token.start,
                    nats,
                    tuple(map(TokenProbability, (strings[number] for number in best), probabilities)),
                )
                for token, nats, best, probabilities in rows
            ),
        )


def check_prompt(prompt: str) -> None:
    """Refuse a prompt that is empty or too long.

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
