"""Writing with a language model: the whole loop from token to token is compiled.

It runs in chunks, so that a text streams and can be stopped. Draws are Gumbel-max (Gumbel 1954): the largest of logit
plus noise, where the noise of a token depends on the seed and the token's place alone, so that the size of the chunks
does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, MinLen

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, NonNegative
from data_prep.text.vocab import UNK
from models.char_lm.serving import LanguageModel, Unknown

MAX_LENGTH = 100_000
MAX_BATCH = 64
MAX_SEED = 2**63 - 1

_CHUNK = 256  # tokens that are written before a stop string or Ctrl-C is looked for
_LOOP_NUMBERS = 1 << 20  # of noise that one run is given, at most
_COLDEST = 1e-30  # a temperature below it draws what this one draws: the most probable token


@dataclass(frozen=True)
class Settings(Checked):
    """How tokens are drawn, checked.

    Args:
        length: Tokens to write, 1 to ``MAX_LENGTH``.
        temperature: Divides the logits; 0 always takes the most probable token.
        top_k: Draw among this number of most probable tokens only; None for all.
        top_p: Draw among the fewest most probable tokens that have this much probability together (of those that
            ``top_k`` left); None for all.
        seed: The same seed gives the same text on the same machine, whatever the chunk size.
        stop: The text ends with the first time that this string is written; None for no such string.
        chunk: Tokens of a piece of a stream.
        samples: How many texts are written side by side.
    """

    length: Annotated[int, Ge(1), Le(MAX_LENGTH)] = 300
    temperature: NonNegative = 1.0
    top_k: Count | None = None
    top_p: Annotated[float, Gt(0.0), Le(1.0)] | None = None
    seed: Annotated[int, Ge(0), Le(MAX_SEED)] = 0
    stop: Annotated[str, MinLen(1)] | None = None
    chunk: Annotated[int, Ge(1), Le(MAX_LENGTH)] = 64
    samples: Annotated[int, Ge(1), Le(MAX_BATCH)] = 1


class Generator:
    """Writes texts with a language model; threads can share it."""

    def __init__(self, language_model: LanguageModel) -> None:
        self.language_model = language_model

    def stream(self, prompt: str, *, unknown: Unknown = "refuse", **settings: Any) -> Iterator[str]:
        """Go on from a prompt, piece by piece; whoever stops asking for pieces stops the writing.

        Args:
            prompt: One token or more.
            unknown: What to do with tokens of the prompt that the model never saw: ``"refuse"`` or ``"map"``.
            **settings: As :class:`Settings` takes them.

        Raises:
            InputError: If the prompt is empty or has unknown tokens, or a setting is out of bounds; raised by the
                call itself.
        """
        return (piece for (piece,) in self._pieces(prompt, unknown, Settings(**settings, samples=1)))

    def generate(self, prompt: str, **settings: Any) -> str:
        """Go on from a prompt; return what was written, without the prompt. Arguments as of :meth:`stream`."""
        return self.batch(prompt, 1, **settings)[0]

    def batch(self, prompt: str, n: int, *, unknown: Unknown = "refuse", **settings: Any) -> list[str]:
        """Write ``n`` texts, 1 to 64, after one prompt, side by side; they depend on the seed and on ``n``."""
        return [
            "".join(row) for row in zip(*self.streams(prompt, n, unknown=unknown, **settings), strict=True)
        ]

    def streams(
        self, prompt: str, n: int, *, unknown: Unknown = "refuse", **settings: Any
    ) -> Iterator[list[str]]:
        """Write as :meth:`batch` does; yields the next piece of each text, and stops where nobody asks for more."""
        return self._pieces(prompt, unknown, Settings(**{"chunk": _CHUNK, **settings}, samples=n))

    def opening(self, **settings: Any) -> str:
        """Write a text from its first token on, without a prompt; settings as of :meth:`stream`."""
        start = np.array([self.language_model.config.start])
        return "".join(piece for (piece,) in self._written(start, Settings(**settings)))

    def _pieces(self, prompt: str, unknown: Unknown, settings: Settings) -> Iterator[list[str]]:
        """Check, then return an iterator over the next piece of each text until all have ended."""
        tokens = self.language_model.config.tokens
        if settings.top_k is not None and settings.top_k > tokens:
            raise InputError("top_k does not fit", allowed=f"1 to {tokens:,}", received=settings.top_k)
        read = self.language_model.encode_prompt(prompt, unknown=unknown)
        return self._written(read, settings)

    def _written(self, read: np.ndarray, settings: Settings) -> Iterator[list[str]]:
        from models.char_lm.kernels import number_of, run

        model, rows = self.language_model, settings.samples
        tokens, cell = model.config.tokens, number_of(model.config.cell)
        texts = [_Written(model, read[-1:], settings.stop) for _ in range(rows)]
        last, state = model.logits(read)
        states, noise = np.repeat(state, rows, axis=3), Noise(settings, tokens)
        scale = 1.0 / max(settings.temperature, _COLDEST) if settings.temperature else 1.0
        drawing = (float(scale), settings.top_k or tokens, float(settings.top_p or 2.0))
        most = max(1, _LOOP_NUMBERS // (rows * tokens))
        logits = np.empty((min(most, settings.chunk) + 1, rows, tokens), np.float32)
        logits[0] = last[-1]
        for done in range(0, settings.length, settings.chunk):
            ids = np.full((min(settings.chunk, settings.length - done), rows), -1, np.int32)
            for first in range(0, len(ids), most):
                part = ids[first : first + most]
                run(cell, model.weights, part, noise.next(len(part)), drawing, states, logits)
                logits[0] = logits[len(part)]
            yield [text.add(own) for text, own in zip(texts, ids.T, strict=True)]
            if all(text.ended for text in texts):
                return


class _Written:
    """The text of one row so far, which ends behind the stop string."""

    def __init__(self, language_model: LanguageModel, last: np.ndarray, stop: str | None) -> None:
        self._decode, self._last, self._stop = language_model.decode, last, stop
        self.text, self.ended = "", False

    def add(self, ids: np.ndarray) -> str:
        """Take the next tokens; return what they add to the text."""
        if self.ended:
            return ""
        # Words and word pieces are joined to what stands before them.
        piece = self._decode(np.append(self._last, ids))[len(self._decode(self._last)) :]
        done, self._last = len(self.text), ids[-1:]
        self.text += piece
        if self._stop is not None:
            found = self.text.find(self._stop, max(0, done - len(self._stop) + 1))
            if found >= 0:
                self.ended, self.text = True, self.text[: found + len(self._stop)]
        return self.text[done:]


class Noise:
    """Gumbel noise of the tokens in the order of their places: a text's depends on seed, number and place alone."""

    def __init__(self, settings: Settings, tokens: int) -> None:
        self._tokens, self._greedy = tokens, settings.temperature == 0
        keys = [np.array([settings.seed, number], np.uint64) for number in range(settings.samples)]
        self._sources = [np.random.Generator(np.random.Philox(key=key)) for key in keys]

    def next(self, count: int) -> np.ndarray:
        """Return the noise of the next places, float32 (count, texts, tokens): zeros for greedy choice.

        That of padding and the unknown token, which are no text, is -inf.
        """
        noise = np.zeros((count, len(self._sources), self._tokens), np.float32)
        if not self._greedy:
            for at, source in enumerate(self._sources):
                # random() can give 0, whose noise would be -inf: half a step of its grid is added.
                noise[:, at] = -np.log(-np.log(source.random((count, self._tokens)) + 2.0**-54))
        noise[..., : UNK + 1] = -np.inf
        return noise
