"""A trained language model for use, in NumPy: it reads texts of any length, and says what comes next.

It also says how surprising a text is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.text.streams import Tokens, tokens_of
from data_prep.text.vocab import UNK, Vocabulary
from models.char_lm.config import Arrays, CharLMConfig, char_lm_specs, embedding_name, recurrent_weights
from models.presets.kinds import Kind
from models.serving.recurrent import NumpyRecurrent

KIND = "char_lm"
ALTERNATIVES = 5
_TOKENS_AT_ONCE = 1 << 15  # what is held in memory while a long text is read

State = tuple[np.ndarray, ...]  # of each layer, float32 (states of the cell, 1, units)
Unknown = Literal["refuse", "map"]


class Scores(NamedTuple):
    """How a language model reads a text; the first token counts too.

    ``ids`` int32 (time,): its tokens. ``nats`` float64 (time,): surprise of each, -log of its probability.
    ``alternatives`` int32 (time, 5): the most probable tokens at each place; fewer if there are fewer.
    ``probabilities`` float32 (time, 5): theirs.
    """

    ids: np.ndarray
    nats: np.ndarray
    alternatives: np.ndarray
    probabilities: np.ndarray


class LanguageModel:
    """A trained network ready for use; nothing in it changes, so threads can share it.

    Its arrays are named as by ``models.storage.variables.variable_arrays``; without a vocabulary it has ids alone.
    """

    def __init__(self, config: CharLMConfig, vocabulary: Vocabulary | None, arrays: Arrays) -> None:
        self.config, self.vocabulary = config, vocabulary
        self.layers = [NumpyRecurrent(config.cell, *own) for own in recurrent_weights(config, arrays)]
        # What a token adds to the gates of a member's first layer, float32 (tokens, blocks * units) by the layer's
        # place in ``layers``: no product with its vector is needed later.
        self.tables: dict[int, np.ndarray] = {}
        for member in range(config.members):
            first = member * config.layers
            vectors = arrays[f"{embedding_name(member + 1)}/embeddings"]
            self.tables[first] = self.layers[first].project(vectors)
        self.kernel, self.bias = arrays["logits/kernel"], arrays["logits/bias"]

    @cached_property
    def tokens(self) -> Tokens:
        """How a text becomes ids."""
        return tokens_of(self.config.tokenizer, self.vocabulary, lower=self.config.lower)

    def logits(self, ids: np.ndarray, state: State | None = None) -> tuple[np.ndarray, State]:
        """Read tokens and say after each what comes next.

        Args:
            ids: Int (time,), from 0 to ``len(vocabulary) - 1``. Put ``config.start`` before the first text.
            state: As the call for the tokens before them returned it; None at the beginning.

        Returns:
            Logits float32 (time, tokens) and the state behind the last one.

        Raises:
            InputError: If an id is outside the vocabulary.
        """
        parts = [np.zeros((0, self.config.tokens), np.float32)]
        state = state or self._start()
        for logits, after in self.read(ids, state):
            parts.append(logits)
            state = after
        return np.concatenate(parts), state

    def read(self, ids: np.ndarray, state: State | None = None) -> Iterator[tuple[np.ndarray, State]]:
        """Yield the logits of one part of the tokens after the other, with the state behind the part."""
        ids = np.asarray(ids)
        if ids.ndim != 1 or (len(ids) and not (ids.min() >= 0 and ids.max() < self.config.tokens)):
            raise InputError(
                "The ids are no tokens of this vocabulary",
                allowed=f"a list of numbers from 0 to {self.config.tokens - 1}",
                received=ids,
            )
        state = state or self._start()
        for first in range(0, len(ids), _TOKENS_AT_ONCE):
            part = ids[first : first + _TOKENS_AT_ONCE]
            outputs: list[np.ndarray] = []
            states = []
            for number, layer in enumerate(self.layers):
                inputs = self._inputs(number, part, outputs)
                output, after = layer.read(inputs, len(part), state[number])
                outputs.append(output)
                states.append(after)
            state = tuple(states)
            last = outputs[self.config.layers - 1 :: self.config.layers]
            yield np.concatenate(last, axis=1) @ self.kernel + self.bias, state

    def _start(self) -> State:
        return tuple(layer.zeros() for layer in self.layers)

    def _inputs(self, number: int, ids: np.ndarray, outputs: list[np.ndarray]):
        """Return the function from positions to what the layer at this place reads there."""
        if number in self.tables:
            table = self.tables[number]
            return lambda positions: table[ids[positions]]
        layer, below = self.layers[number], outputs[number - 1]
        return lambda positions: layer.project(below[positions])

    def encode(self, text: str, *, unknown: Unknown = "refuse") -> np.ndarray:
        """Turn a text, also an empty one, into ids, int32 (tokens,).

        Args:
            text: Any.
            unknown: ``"refuse"`` raises an error that names what is unknown; ``"map"`` reads it as UNK.

        Raises:
            InputError: If something of the text is not in the vocabulary, and ``unknown`` is ``"refuse"``.
        """
        if unknown not in ("refuse", "map"):
            raise InputError("What to do with unknown tokens", allowed="refuse, map", received=unknown)
        if not isinstance(text, str):
            raise InputError("A text is needed", allowed="a string", received=type(text).__name__)
        ids = self.tokens.encode(text)
        if unknown == "refuse" and (ids == UNK).any():
            raise self._unknown(text, np.flatnonzero(ids == UNK))
        return ids

    def encode_prompt(self, prompt: str, *, unknown: Unknown = "refuse") -> np.ndarray:
        """Return what is read before the first token is written, int (tokens + 1,): the start, and the prompt's ids.

        Raises:
            InputError: As of :meth:`encode`, or if the prompt is empty.
        """
        ids = self.encode(prompt, unknown=unknown)
        if not len(ids):
            raise InputError(
                "The prompt is empty",
                allowed="one character or more",
                remedy="A line break makes the writer begin a new line",
            )
        return np.append(self.config.start, ids)

    def decode(self, ids: np.ndarray) -> str:
        """Turn ids into text: characters are put together, words and word pieces with single spaces."""
        strings = self.vocabulary.decode(ids)
        if self.config.tokenizer == "piece":
            return self.tokens.tokenizer.decode(strings)
        return ("" if self.config.tokenizer == "char" else " ").join(strings)

    def score(self, text: str, *, unknown: Unknown = "refuse") -> Scores:
        """Say how surprising every token of a text is, which is read as one that begins a line.

        The memory beside the scores does not grow with the text.

        Raises:
            InputError: If the text has no token, or an unknown one that is not mapped.
        """
        ids = self.encode(text, unknown=unknown)
        if len(ids) == 0:
            raise InputError(
                "There is nothing to score", allowed="a text with at least one token", received=text
            )
        found, done = [], 0
        for logits, _ in self.read(np.append(self.config.start, ids[:-1])):
            found.append(_scored(ids[done : done + len(logits)], logits))
            done += len(logits)
        return Scores(*map(np.concatenate, zip(*found, strict=True)))

    def _unknown(self, text: str, places: np.ndarray) -> InputError:
        found = self.tokens.tokenizer.tokenize(text)
        named = ", ".join(f"{found[at].text!r} at {found[at].start}" for at in places[:5].tolist())
        more = f" and {len(places) - 5:,} more" if len(places) > 5 else ""
        entries = self.vocabulary.entries
        what, known = "word", f"the {len(entries):,} entries of its vocabulary"
        if self.config.tokenizer == "char":
            what, known = "character", f"the {len(entries)} characters {''.join(sorted(entries))[:100]!r}"
        return InputError(
            f"The text has a {what} that the model never saw: {named}{more} (positions from 0)",
            allowed=known,
            remedy=f"Leave it out, or read unknown {what}s as such (unknown='map', --unknown map)",
        )


def written_by_steps(
    language_model: LanguageModel, length: int = 200, *, temperature: float = 0.8, seed: int = 0
) -> str:
    """Write a short text in plain NumPy, one call a token: nothing has to be compiled for it."""
    rng = np.random.default_rng(seed)
    ids, state = [language_model.config.start], None
    for _ in range(length):
        (logits,), state = language_model.logits(np.array(ids[-1:]), state)
        noisy = logits / temperature + rng.gumbel(size=len(logits))
        noisy[: UNK + 1] = -np.inf
        ids.append(int(noisy.argmax()))
    return language_model.decode(np.array(ids[1:]))


def _scored(ids: np.ndarray, logits: np.ndarray) -> Scores:
    """Score tokens by the logits before each, float32 (time, tokens)."""
    shares = logits - logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(shares, dtype=np.float64).sum(axis=1))
    count = min(ALTERNATIVES, shares.shape[1])
    best = np.argpartition(-shares, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(shares, best, axis=1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, axis=1)
    probabilities = np.exp(np.take_along_axis(shares, best, axis=1) - total[:, None])
    nats = total - shares[np.arange(len(ids)), ids]
    return Scores(ids, nats, best.astype(np.int32), probabilities.astype(np.float32))


def char_lm_answer(config: CharLMConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Read ids from a state of zero: ``ids`` int (batch, time) to ``logits`` float32 (batch, time, tokens)."""
    network = LanguageModel(config, None, arrays)
    return {"logits": np.stack([network.logits(row)[0] for row in inputs["ids"]])}


CHAR_LM = Kind(
    CharLMConfig,
    arrays=char_lm_specs,
    answer=char_lm_answer,
    network="models.char_lm.network:build_char_lm",
    needs_vocabulary=True,
    entries=lambda config: config.tokens,
)
