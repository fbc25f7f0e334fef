"""A trained language model for use: what comes next, and how surprising a text is. NumPy only once it is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from data_prep.errors import InputError
from data_prep.text.streams import Tokens, tokens_of
from data_prep.text.vocab import UNK, Vocabulary
from models.char_lm.config import CharLMConfig, embedding_name, recurrent_name
from models.char_lm.serving import NumpyRecurrent, numpy_layer
from models.presets.store import load_preset

KIND = "char_lm"
WRITER_PRESET = "writer_shakespeare"
ALTERNATIVES = 5

_TOKENS_AT_ONCE = 1 << 15  # what is held in memory while a long text is read

State = tuple[np.ndarray, ...]  # of each layer, float32 (states of the cell, 1, units)
Unknown = Literal["refuse", "map"]


@dataclass(frozen=True)
class Scores:
    """How a language model reads a text; the first token counts too.

    Args:
        ids: The tokens, int32 (time,).
        nats: Surprise of each, -log of its probability, float64 (time,).
        alternatives: The five most probable tokens at each place, int32 (time, 5); fewer if there are fewer.
        probabilities: Theirs, float32, of the same shape.
        characters: Length of the text in characters.
    """

    ids: np.ndarray
    nats: np.ndarray
    alternatives: np.ndarray
    probabilities: np.ndarray
    characters: int

    @property
    def n(self) -> int:
        """Number of tokens."""
        return len(self.ids)

    @property
    def nats_per_token(self) -> float:
        """Mean surprise of a token."""
        return float(self.nats.mean())

    @property
    def nats_per_character(self) -> float:
        """Surprise of the whole text by its number of characters."""
        return float(self.nats.sum() / self.characters)

    @property
    def bits(self) -> float:
        """Surprise of the whole text in bits: the length of the shortest code for it under this model."""
        return float(self.nats.sum() / np.log(2.0))

    @property
    def perplexity(self) -> float:
        """Exp of the mean surprise of a token: among how many equal tokens the model as good as guesses."""
        return float(np.exp(self.nats_per_token))

    @property
    def standard_error(self) -> float | None:
        """Standard error of the mean surprise of a token, as if tokens were independent; None for a single one."""
        return None if self.n < 2 else float(self.nats.std(ddof=1) / np.sqrt(self.n))


class LanguageModel:
    """A language model ready for use; nothing in it changes, so threads can share it.

    Args:
        config: Of the network.
        vocabulary: Its tokens.
        arrays: Stable path to weight, as ``models.storage.variables.variable_arrays`` names them.
    """

    def __init__(
        self, config: CharLMConfig, vocabulary: Vocabulary, arrays: Mapping[str, np.ndarray]
    ) -> None:
        self.config = config
        self.tokens: Tokens = tokens_of(config.tokenizer, vocabulary, lower=config.lower)
        self.vocabulary = vocabulary
        self.arrays = arrays
        self.layers: tuple[NumpyRecurrent, ...] = tuple(
            numpy_layer(config.cell, recurrent_name(number), arrays)
            for number in range(1, config.members * config.layers + 1)
        )
        # What a token adds to the gates of a member's first layer, float32 (tokens, blocks * units) by the layer's
        # place in ``layers``: no product with its vector is needed later.
        self.tables: dict[int, np.ndarray] = {
            member * config.layers: self.layers[member * config.layers].project(
                arrays[f"{embedding_name(member + 1)}/embeddings"]
            )
            for member in range(config.members)
        }
        self.kernel, self.bias = arrays["logits/kernel"], arrays["logits/bias"]

    def encode(self, text: str, *, unknown: Unknown = "refuse") -> np.ndarray:
        """Turn a text into ids.

        Args:
            text: Any, also empty.
            unknown: ``"refuse"`` raises an error that names what is unknown; ``"map"`` reads it as UNK.

        Returns:
            Ids, int32 (tokens,).

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

    def decode(self, ids: np.ndarray) -> str:
        """Turn ids into text: characters are put together, words and word pieces with single spaces."""
        strings = self.vocabulary.decode(ids)
        if self.config.tokenizer == "char":
            return "".join(strings)
        return (
            self.tokens.tokenizer.decode(strings) if self.config.tokenizer == "piece" else " ".join(strings)
        )

    def state(self) -> State:
        """Return the state before a text."""
        return tuple(layer.zeros() for layer in self.layers)

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
        state = self.state() if state is None else state
        for logits, after in self._read(ids, state):
            parts.append(logits)
            state = after
        return np.concatenate(parts), state

    def last_logits(self, ids: np.ndarray, state: State | None = None) -> tuple[np.ndarray, State]:
        """Read one token or more and say what comes next.

        Args:
            ids: As for :meth:`logits`.
            state: As for :meth:`logits`.

        Returns:
            Logits float32 (tokens,) behind the last one, and the state there.
        """
        state = self.state() if state is None else state
        for logits, after in self._read(ids, state):
            last, state = logits[-1], after
        return last, state

    def score(self, text: str, *, unknown: Unknown = "refuse") -> Scores:
        """Say how surprising every token of a text is.

        Args:
            text: At least one token; it is read as one that begins a line.
            unknown: As for :meth:`encode`.

        Returns:
            The scores; memory beside them does not grow with the text.

        Raises:
            InputError: If the text has no token, or an unknown one that is not mapped.
        """
        ids = self.encode(text, unknown=unknown)
        if len(ids) == 0:
            raise InputError(
                "There is nothing to score", allowed="a text with at least one token", received=text
            )
        read = np.concatenate([[self.config.start], ids[:-1]]).astype(np.int32)
        nats, alternatives, probabilities = [], [], []
        done = 0
        for logits, _ in self._read(read, self.state()):
            right = ids[done : done + len(logits)]
            shares = logits - logits.max(axis=1, keepdims=True)
            total = np.log(np.exp(shares, dtype=np.float64).sum(axis=1))
            nats.append(total - shares[np.arange(len(right)), right])
            best = _largest(shares, min(ALTERNATIVES, shares.shape[1]))
            alternatives.append(best)
            probabilities.append(np.exp(np.take_along_axis(shares, best, axis=1) - total[:, None]))
            done += len(right)
        return Scores(
            ids,
            np.concatenate(nats),
            np.concatenate(alternatives).astype(np.int32),
            np.concatenate(probabilities).astype(np.float32),
            len(text),
        )

    def _read(self, ids: np.ndarray, state: State) -> Iterator[tuple[np.ndarray, State]]:
        """Yield the logits of one part of the tokens after the other, with the state behind the part."""
        ids = np.asarray(ids)
        if ids.ndim != 1 or (len(ids) and not (ids.min() >= 0 and ids.max() < self.config.tokens)):
            raise InputError(
                "The ids are no tokens of this vocabulary",
                allowed=f"a list of numbers from 0 to {self.config.tokens - 1}",
                received=ids,
            )
        for first in range(0, len(ids), _TOKENS_AT_ONCE):
            part = ids[first : first + _TOKENS_AT_ONCE]
            states = []
            outputs: list[np.ndarray] = []
            for number, before in enumerate(state):
                output, after = self.layers[number].read(
                    self._inputs(number, part, outputs), len(part), before
                )
                outputs.append(output)
                states.append(after)
            state = tuple(states)
            last = outputs[self.config.layers - 1 :: self.config.layers]
            yield np.concatenate(last, axis=1) @ self.kernel + self.bias, state

    def _inputs(self, number: int, ids: np.ndarray, outputs: list[np.ndarray]):
        """Return the function from positions to what the layer at this place reads there."""
        if number in self.tables:
            table = self.tables[number]
            return lambda positions: table[ids[positions]]
        layer, below = self.layers[number], outputs[number - 1]
        return lambda positions: layer.project(below[positions])

    def _unknown(self, text: str, places: np.ndarray) -> InputError:
        found = self.tokens.tokenizer.tokenize(text)
        named = ", ".join(f"{found[at].text!r} at {found[at].start}" for at in places[:5].tolist())
        more = f" and {len(places) - 5:,} more" if len(places) > 5 else ""
        what = "character" if self.config.tokenizer == "char" else "word"
        return InputError(
            f"The text has a {what} that the model never saw: {named}{more} (positions from 0)",
            allowed=self._known(),
            remedy=f"Leave it out, or read unknown {what}s as such (unknown='map', --unknown map)",
        )

    def _known(self) -> str:
        if self.config.tokenizer != "char":
            return f"the {len(self.vocabulary.entries):,} entries of its vocabulary"
        characters = "".join(sorted(self.vocabulary.entries))
        return f"the {len(characters)} characters {characters[:100]!r}"


def written_by_steps(
    language_model: LanguageModel, length: int, *, temperature: float = 1.0, seed: int = 0
) -> str:
    """Write a short text in plain NumPy, one call a token: nothing has to be compiled for it.

    Args:
        language_model: Says what comes next.
        length: Tokens to write.
        temperature: Above 0; divides the logits.
        seed: Of the draws.

    Returns:
        The text; PAD and UNK are never written.
    """
    rng = np.random.default_rng(seed)
    ids: list[int] = []
    logits, state = language_model.last_logits(np.array([language_model.config.start]))
    for _ in range(length):
        noisy = logits / temperature + rng.gumbel(size=len(logits))
        noisy[: UNK + 1] = -np.inf
        ids.append(int(noisy.argmax()))
        logits, state = language_model.last_logits(np.array(ids[-1:]), state)
    return language_model.decode(np.array(ids))


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Return the columns of the largest values of each row, largest first, int (rows, count)."""
    if count == values.shape[1]:
        return np.argsort(-values, axis=1, kind="stable")
    found = np.argpartition(-values, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(values, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)


def load_language_model(preset: str | Path = WRITER_PRESET) -> LanguageModel:
    """Open the preset of a language model.

    Args:
        preset: Name of a shipped preset, or a folder.

    Returns:
        The language model.

    Raises:
        InputError: If there is no such preset, it is damaged, or holds something else.
    """
    opened = load_preset(preset, kind=KIND)
    return LanguageModel(opened.config, opened.vocabulary, opened.arrays)
