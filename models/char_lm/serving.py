"""A trained language model for use: it reads texts of any length, and says what comes next and what is surprising."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.text.streams import Tokens, tokens_of
from data_prep.text.vocab import UNK, Vocabulary
from models.char_lm.config import Arrays, CharLMConfig, char_lm_specs, embedding_name, recurrent_weights
from models.layers.cells import CELLS
from models.presets.kinds import Kind
from models.serving.blas_threads import in_threads
from models.serving.recurrent import NumpyRecurrent

if TYPE_CHECKING:
    from models.char_lm.kernels import Weights

KIND = "char_lm"
ALTERNATIVES = 5
_TOKENS_AT_ONCE, _LOGITS_AT_ONCE = 1 << 15, 1 << 22  # what is held in memory while a long text is read
_FEW = 200  # tokens that are scored sooner without compiled steps: loading those takes half a second
_SHORT = 32  # tokens that one thread reads sooner than several

State = np.ndarray  # float32 (members, layers, states of the cell, rows, units)
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
        self.arrays = arrays

    @cached_property
    def weights(self) -> Weights:
        """The weights in the form that the compiled steps read."""
        from models.char_lm.kernels import stacked

        config, arrays = self.config, self.arrays
        layers = recurrent_weights(config, arrays)
        members = [layers[at : at + config.layers] for at in range(0, len(layers), config.layers)]
        vectors = [arrays[f"{embedding_name(at + 1)}/embeddings"] for at in range(config.members)]
        return stacked(config.cell, members, vectors, arrays["logits/kernel"], arrays["logits/bias"])

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
        state = self.start() if state is None else state
        for logits, after in self.read(ids, state):
            parts.append(logits)
            state = after
        return np.concatenate(parts), state

    def read(self, ids: np.ndarray, state: State | None = None) -> Iterator[tuple[np.ndarray, State]]:
        """Yield the logits of one part of the tokens after the other, with the state after the part."""
        ids = np.asarray(ids)
        if ids.ndim != 1 or (len(ids) and not (ids.min() >= 0 and ids.max() < self.config.tokens)):
            raise InputError(
                "The ids are no tokens of this vocabulary",
                allowed=f"a list of numbers from 0 to {self.config.tokens - 1}",
                received=ids,
            )
        state = self.start() if state is None else state
        size = max(1, min(_TOKENS_AT_ONCE, _LOGITS_AT_ONCE // self.config.tokens))
        for first in range(0, len(ids), size):
            logits, state = self.read_rows(ids[None, first : first + size], state)
            yield logits[0], state

    def start(self, rows: int = 1) -> State:
        """Return the state before the first token."""
        config = self.config
        shape = (config.members, config.layers, len(CELLS[config.cell].states), rows, config.units)
        return np.zeros(shape, np.float32)

    def read_rows(self, ids: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Read texts side by side, each member in a thread of its own.

        Args:
            ids: Int (rows, time), as for :meth:`logits`.
            state: Of these rows; :meth:`start` gives the first one.

        Returns:
            Logits float32 (rows, time, tokens) and the state behind the last ones.
        """
        from models.char_lm.kernels import UNFILTERED, number_of, run

        config, state, (rows, time) = self.config, state.copy(), ids.shape
        tokens, none = np.array(ids.T, np.int32, order="C"), np.zeros((0, rows, config.tokens), np.float32)

        def shares(member: int) -> np.ndarray:  # of the logits
            logits = np.empty((time + 1, rows, config.tokens), np.float32)
            own = state[member : member + 1]
            run(number_of(config.cell), self.weights.member(member), tokens, none, UNFILTERED, own, logits)
            return logits[1:]

        found = in_threads(shares, range(config.members), config.members if ids.size > _SHORT else 1)
        return (sum(found) + self.weights.logits_bias).swapaxes(0, 1), state

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
            by_character = self.config.tokenizer == "char"
            raise InputError(
                "The prompt is empty",
                allowed=f"one {'character' if by_character else 'word'} or more",
                remedy="A line break makes the writer begin a new line" if by_character else None,
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
        found, done, read = [], 0, np.append(self.config.start, ids[:-1])
        if len(read) <= _FEW:
            return _scored(ids, char_lm_answer(self.config, self.arrays, {"ids": read[None]})["logits"][0])
        for logits, _ in self.read(read):
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
    """Read ids from a state of zero: ``ids`` int (batch, time) to ``logits`` float32 (batch, time, tokens).

    In plain NumPy, with no weight rounded: this is what a preset is checked with.
    """
    ids, layers = (
        inputs["ids"].T,
        [NumpyRecurrent(config.cell, *own) for own in recurrent_weights(config, arrays)],
    )
    last = []
    for member in range(config.members):
        hidden = arrays[f"{embedding_name(member + 1)}/embeddings"][ids]
        for layer in layers[member * config.layers :][: config.layers]:
            projected = layer.project(hidden)
            hidden, _ = layer.run(projected.__getitem__, len(ids), layer.zeros(ids.shape[1]))
        last.append(hidden)
    logits = np.concatenate(last, axis=2) @ arrays["logits/kernel"] + arrays["logits/bias"]
    return {"logits": logits.transpose(1, 0, 2)}


CHAR_LM = Kind(
    CharLMConfig,
    arrays=char_lm_specs,
    answer=char_lm_answer,
    network="models.char_lm.network:build_char_lm",
    needs_vocabulary=True,
    entries=lambda config: config.tokens,
)
