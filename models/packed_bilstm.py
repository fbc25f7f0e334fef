"""A BiLSTM layer in NumPy for serving: sentences packed without padding, both directions in one product.

One sentence costs a fraction of a call into a compiled graph, nothing is traced, and threads can share the
weights. The arithmetic is that of ``keras.layers.LSTM`` (Hochreiter and Schmidhuber 1997, with a forget gate).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Packing(NamedTuple):
    """The order in which a recurrence meets the words of some sentences, laid one behind the other.

    ``ahead`` and ``back`` are places of words, int (words,): first the first (last) word of every sentence,
    longest sentence first, then the second ones. ``sizes`` says how many sentences have a word at each step.
    """

    ahead: np.ndarray
    back: np.ndarray
    sizes: np.ndarray


def pack(lengths: Sequence[int]) -> Packing:
    """Plan the steps over sentences of these lengths (each 1 or more)."""
    sizes_of = np.asarray(lengths, np.int64)
    order = np.argsort(-sizes_of, kind="stable")
    starts = (np.cumsum(sizes_of) - sizes_of)[order]
    sorted_lengths = sizes_of[order]
    steps = int(sorted_lengths[0])
    sizes = np.searchsorted(-sorted_lengths, -np.arange(steps), side="left")
    step_of = np.repeat(np.arange(steps), sizes)
    row_of = np.concatenate([np.arange(size) for size in sizes])
    ahead = starts[row_of] + step_of
    return Packing(ahead, starts[row_of] + sorted_lengths[row_of] - 1 - step_of, sizes)


class PackedBiLSTM:
    """Two LSTMs with the weights of Keras layers.

    Args:
        ahead: Kernel (inputs, 4 units), recurrent kernel (units, 4 units) and bias (4 units,) of the layer
            that reads from the first word on.
        back: The same of the one that reads from the last word on.
    """

    def __init__(self, ahead: Sequence[np.ndarray], back: Sequence[np.ndarray]) -> None:
        prepared = [[_prepared(array) for array in arrays] for arrays in (ahead, back)]
        self._kernel = np.concatenate([prepared[0][0], prepared[1][0]], axis=1)
        self._recurrent = np.stack([prepared[0][1], prepared[1][1]])
        self._bias = np.concatenate([prepared[0][2], prepared[1][2]])
        self.units = self._recurrent.shape[1]

    def __call__(self, words: np.ndarray, packing: Packing) -> np.ndarray:
        """Run over packed sentences.

        Args:
            words: Float32 (words, inputs), sentence behind sentence.
            packing: Of their lengths.

        Returns:
            Float32 (words, 2 * units): what was read up to the word, and from the end back to it.
        """
        units = self.units
        projected = words @ self._kernel + self._bias  # (words, 2 * 4 units)
        gates = np.stack([projected[packing.ahead, : 4 * units], projected[packing.back, 4 * units :]])
        hidden = np.zeros((2, int(packing.sizes[0]), units), np.float32)
        cell = np.zeros_like(hidden)
        states = np.empty((2, len(words), units), np.float32)
        start = 0
        for size in packing.sizes.tolist():
            step = gates[:, start : start + size]
            if start:
                step += hidden[:, :size] @ self._recurrent
            np.tanh(step, out=step)
            # The first three gates hold tanh(x / 2), and sigmoid(x) = (1 + tanh(x / 2)) / 2.
            opened = 0.5 * step[:, :, : 3 * units] + 0.5
            cell = cell[:, :size] * opened[:, :, units : 2 * units]
            cell += opened[:, :, :units] * step[:, :, 3 * units :]
            hidden = opened[:, :, 2 * units :] * np.tanh(cell)
            states[:, start : start + size] = hidden
            start += size
        result = np.empty((len(words), 2 * units), np.float32)
        result[packing.ahead, :units] = states[0]
        result[packing.back, units:] = states[1]
        return result


def _prepared(array: np.ndarray) -> np.ndarray:
    """Put Keras' gates (input, forget, cell, output) in another order, cell last; halve the others."""
    first, forget, cell, output = np.split(array, 4, axis=-1)
    return np.concatenate([0.5 * first, 0.5 * forget, 0.5 * output, cell], axis=-1).astype(np.float32)
