"""A language model's network in NumPy: it reads texts of any length, and says what comes next."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data_prep.errors import InputError
from models.char_lm.config import Arrays, CharLMConfig, char_lm_specs, embedding_name, recurrent_weights
from models.presets.kinds import Kind
from models.serving.recurrent import NumpyRecurrent

_TOKENS_AT_ONCE = 1 << 15  # what is held in memory while a long text is read

State = tuple[np.ndarray, ...]  # of each layer, float32 (states of the cell, 1, units)


class NumpyCharLM:
    """A trained network by its config and arrays; nothing in it changes, so threads can share it."""

    def __init__(self, config: CharLMConfig, arrays: Arrays) -> None:
        self.config = config
        self.layers = [NumpyRecurrent(config.cell, *own) for own in recurrent_weights(config, arrays)]
        # What a token adds to the gates of a member's first layer, float32 (tokens, blocks * units) by the layer's
        # place in ``layers``: no product with its vector is needed later.
        self.tables: dict[int, np.ndarray] = {}
        for member in range(config.members):
            first = member * config.layers
            vectors = arrays[f"{embedding_name(member + 1)}/embeddings"]
            self.tables[first] = self.layers[first].project(vectors)
        self.kernel, self.bias = arrays["logits/kernel"], arrays["logits/bias"]

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
        state = state or self.state()
        for logits, after in self.read(ids, state):
            parts.append(logits)
            state = after
        return np.concatenate(parts), state

    def last_logits(self, ids: np.ndarray, state: State | None = None) -> tuple[np.ndarray, State]:
        """Read as :meth:`logits` does, at least one token; return the logits after the last one, float32 (tokens,)."""
        for logits, after in self.read(ids, state):
            last, state = logits[-1], after
        return last, state

    def read(self, ids: np.ndarray, state: State | None = None) -> Iterator[tuple[np.ndarray, State]]:
        """Yield the logits of one part of the tokens after the other, with the state behind the part."""
        ids = np.asarray(ids)
        if ids.ndim != 1 or (len(ids) and not (ids.min() >= 0 and ids.max() < self.config.tokens)):
            raise InputError(
                "The ids are no tokens of this vocabulary",
                allowed=f"a list of numbers from 0 to {self.config.tokens - 1}",
                received=ids,
            )
        state = state or self.state()
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


def char_lm_answer(config: CharLMConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Read ids from a state of zero: ``ids`` int (batch, time) to ``logits`` float32 (batch, time, tokens)."""
    network = NumpyCharLM(config, arrays)
    return {"logits": np.stack([network.logits(row)[0] for row in inputs["ids"]])}


CHAR_LM = Kind(
    CharLMConfig,
    arrays=char_lm_specs,
    answer=char_lm_answer,
    network="models.char_lm.network:char_lm_model",
    needs_vocabulary=True,
    entries=lambda config: config.tokens,
)
