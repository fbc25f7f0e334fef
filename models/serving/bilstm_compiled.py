"""A BiLSTM layer as machine code: weights and states are 16-bit whole numbers, everything between is float32.

As ``models.serving.bilstm``, which is the same arithmetic in NumPy, to about a thousandth. Functions hold no lock of
the interpreter, so threads read different sentences side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.serving.bilstm import Packing, gates_of
from models.serving.whole_products import PANEL, Whole, products, read_words, whole

_FILLED = PANEL // 4  # four gates of so many units are whole panels
_ROWS_AT_ONCE = 128  # whose states stay in a processor core's cache


class CompiledBiLSTM:
    """Two LSTMs with the weights of Keras layers.

    Args:
        ahead: Kernel, recurrent kernel and bias of the layer that reads from the first word on.
        back: The same of the one that reads from the last word on.
        layered: Whether the inputs are the states of another such layer.
    """

    def __init__(
        self, ahead: Sequence[np.ndarray], back: Sequence[np.ndarray], layered: bool = False
    ) -> None:
        kernels, recurrent, biases = zip(*(map(_filled, one) for one in (ahead, back)), strict=True)
        self.kernel, self.bias = np.concatenate(kernels, axis=1), np.concatenate(biases)
        if layered:
            self.kernel = filled_rows(self.kernel)
            self._inputs = whole(self.kernel[None])
        self._recurrent = [whole(filled_rows(one, 1)[None]) for one in recurrent]
        self.units = len(self.bias) // 8

    def multiplied(self, states: np.ndarray) -> np.ndarray:
        """Give what states of the layer below add to the gates, float32 (words, 8 * units)."""
        return multiplied(states, self._inputs, self.bias)

    def read(self, known: np.ndarray, rows: np.ndarray, packing: Packing) -> np.ndarray:
        """Run over packed sentences.

        Args:
            known: Float32 (any, 8 * units), what inputs add to the gates.
            rows: Int (words,), which row of it each word has.
            packing: Of the sentences' lengths.

        Returns:
            Int16 (words, 2 * units), ``ONE`` stands for 1; units are filled up to a multiple of ``_FILLED``.
        """
        states = np.empty((len(rows), 2 * self.units), np.int16)
        for direction, order in enumerate((packing.ahead, packing.back)):
            recurrent = self._recurrent[direction]
            order = np.ascontiguousarray(order)
            read_words(known, rows[order], order, packing.sizes, direction, *recurrent, states)
        return states


def multiplied(states: np.ndarray, weights: Whole, bias: np.ndarray) -> np.ndarray:
    """Multiply states with weights and add a bias, as long as whole panels: float32 (rows, as long)."""
    found = np.empty((len(states), len(bias)), np.float32)
    rows, taps = np.arange(len(states)), np.zeros(1, np.int64)
    for start in range(0, len(states), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        products(states, rows[part], taps, 0, *weights, bias, found[part])
    return found


def filled_rows(kernel: np.ndarray, parts: int = 2) -> np.ndarray:
    """Fill the rows of each part, those of one direction, up to a multiple of ``_FILLED`` with zeros."""
    split = np.split(kernel, parts)
    return np.concatenate([np.pad(one, ((0, -len(one) % _FILLED), (0, 0))) for one in split])


def _filled(array: np.ndarray) -> np.ndarray:
    """Put Keras' gates in order, and fill each up to whole units of ``_FILLED``."""
    gates = np.split(gates_of(array), 4, axis=-1)
    room = [(0, 0)] * (array.ndim - 1) + [(0, -gates[0].shape[-1] % _FILLED)]
    return np.concatenate([np.pad(gate, room) for gate in gates], axis=-1)
