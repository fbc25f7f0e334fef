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
from apps.writer.sources import LearnedText, learned_text
from data_prep.errors import InputError
from models.char_lm.generator import Generator
from models.char_lm.serving import KIND, LanguageModel, Unknown
from models.serving.operations import softmax

DEFAULT_PRESET = "writer_shakespeare"
MAX_PROMPT = 20_000  # characters: they are read one after the other, some thousand a second
MAX_SCORED = 2_000_000

TextFiles = str | Path | Sequence[str | Path]


def listed(files: TextFiles) -> tuple[str | Path, ...]:
    """Give files as they are, or the only one."""
    return (files,) if isinstance(files, str | Path) else tuple(files)


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

        Raises:
            InputError: There is no such preset, it is damaged, or it is of another kind.
        """
        writer = super().from_preset(name)
        writer.text = listed(text)
        return writer

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the training text, which is found again."""
        return {name: value for name, value in vars(self).items() if name != "learned"}

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

    def stream(self, prompt: str, **settings: Any) -> Iterator[str]:
        """Go on from a prompt, piece by piece.

        Args:
            prompt: One character or more.
            **settings: Fields of ``models.char_lm.generator.Settings`` but ``samples``, such as ``length``,
                ``temperature`` and ``seed``; and ``unknown``, what to do with characters of the prompt that the model
                never saw, ``"refuse"`` or ``"map"``.

        Returns:
            An iterator over the pieces.

        Raises:
            InputError: The prompt is empty, too long or has unknown characters, or a setting is out of bounds;
                raised by the call itself.
        """
        _check_length(prompt, MAX_PROMPT)
        return self.generator.stream(prompt, **settings)

    def streams(self, prompt: str, count: int, **settings: Any) -> Iterator[list[str]]:
        """Write so many texts after one prompt at once: the next piece of each; else as :meth:`stream`."""
        _check_length(prompt, MAX_PROMPT)
        return self.generator.streams(prompt, count, **settings)

    def generate(self, prompt: str, **settings: Any) -> Written:
        """Go on from a prompt; arguments and errors as of :meth:`stream`."""
        return self.generate_batch(prompt, 1, **settings)[0]

    def generate_batch(self, prompt: str, count: int, **settings: Any) -> list[Written]:
        """Write so many texts after one prompt at once; settings and errors as of :meth:`stream`.

        Returns:
            The texts, and how much of each is copied where the training text is at hand; ``seconds`` is the time
            that all of them took.
        """
        _check_length(prompt, MAX_PROMPT)
        begun = time.perf_counter()
        texts = self.generator.batch(prompt, count, **settings)
        seconds = time.perf_counter() - begun
        try:
            copies = self.learned is not None
        except InputError:  # once for all texts: it can take long to find out
            copies = False
        return [self.written(prompt, text, seconds, copies) for text in texts]

    def written(self, prompt: str, text: str, seconds: float, copies: bool = True) -> Written:
        """Make the result of a text that was written after a prompt in so many seconds, with or without its copies."""
        return Written(prompt, text, seconds, self.copied(text) if copies else None)

    def copied(self, text: str) -> Copied | None:
        """Say how much of a text is copied; None where the training text cannot be had, or for no text."""
        if not text:
            return None
        try:
            report = self.learned.meter.report(text)
        except InputError:
            return None
        return Copied(report.fraction, report.longest)

    def copies(self, text: str, k: int = MIN_CHARACTERS) -> CopyReport:
        """Find every passage of at least ``k`` characters that the writer learned from.

        Returns:
            The passages with their sources, and the numbers, beside those of true text that was held out, where
            that is at least as long.

        Raises:
            InputError: The training text cannot be had, the text is empty or too long, or ``k`` is below 1.
        """
        learned = self.learned
        fits = len(text) <= len(learned.held_out)
        return learned.meter.report(text, k, held_out=learned.held_out_matches if fits else None)

    def next_tokens(
        self,
        context: str,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        unknown: Unknown = "refuse",
    ) -> NextTokens:
        """Say what can come next, and with which probability it would be drawn; settings as :meth:`stream` takes them.

        Returns:
            Every token that the writer can write, the most probable first.

        Raises:
            InputError: The context, which may be empty, is too long or has unknown characters, or a setting is out of
                bounds.
        """
        model = self.language_model
        _check_length(context, MAX_PROMPT)
        ids = np.append(model.config.start, model.encode(context, unknown=unknown))
        logits = model.logits(ids)[0][-1]
        first = len(model.vocabulary.specials)  # which are never written
        before = softmax(logits)[first:]
        after = sampling_probabilities(logits[first:], temperature=temperature, top_k=top_k, top_p=top_p)
        order = np.argsort(-before, kind="stable")
        strings = model.vocabulary.decode((order + first).tolist())
        tokens = tuple(map(NextToken, strings, before[order].tolist(), after[order].tolist()))
        return NextTokens(tokens, entropy_bits(before), entropy_bits(after))

    def score(self, text: str, unknown: Unknown = "refuse") -> ScoredText:
        """Say how surprising every token of a text is, with five alternatives each.

        Args:
            text: One token or more, at most 2,000,000 characters; it is read as one that begins a line.
            unknown: What to do with characters that the model never saw: ``"refuse"`` or ``"map"``.

        Raises:
            InputError: The text is empty, too long or has unknown characters.
        """
        _check_length(text, MAX_SCORED)
        model = self.language_model
        scores = model.score(text, unknown=unknown)
        strings = model.vocabulary.decode(range(model.config.tokens))
        columns = (scores.nats, scores.alternatives, scores.probabilities)
        found = []
        for token, nats, best, probabilities in zip(
            model.tokens.tokenizer.tokenize(text), *(column.tolist() for column in columns), strict=True
        ):
            likeliest = map(TokenProbability, (strings[number] for number in best), probabilities)
            found.append(ScoredToken(token.text, token.start, nats, tuple(likeliest)))
        return ScoredText(text, math.fsum(scores.nats), tuple(found))


def _check_length(text: str, most: int) -> None:
    if isinstance(text, str) and len(text) > most:
        raise InputError(
            "The text is too long",
            allowed=f"at most {most:,} characters",
            received=f"{len(text):,} characters",
        )
