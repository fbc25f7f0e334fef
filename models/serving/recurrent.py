"""The recurrent layers in NumPy: sequences of one length side by side, one step after the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.layers.cells import CELLS, Functions

State = np.ndarray  # float32 (states of the cell, rows, units)

_STEPS_AT_ONCE = 64  # whose inputs are multiplied in one product


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    return 0.5 * np.tanh(0.5 * values) + 0.5


NUMPY = Functions(sigmoid, np.tanh)


class NumpyRecurrent:
    """One recurrent layer with the weights of its Keras layer, float32, as ``layer_weights`` gives them."""

    def __init__(self, cell: str, kernel: np.ndarray, recurrent_kernel: np.ndarray, bias: np.ndarray) -> None:
        self.cell = CELLS[cell]
        self.units = len(recurrent_kernel)
        self.kernel, self.recurrent_kernel = kernel, np.ascontiguousarray(recurrent_kernel)
        # A GRU has a bias for the inputs and another one for the state.
        self.bias, self.recurrent_bias = bias if bias.ndim == 2 else (bias, None)

    def zeros(self, rows: int = 1) -> State:
        """Return the state before the first step, float32 (states, rows, units)."""
        return np.zeros((len(self.cell.states), rows, self.units), np.float32)

    def project(self, inputs: np.ndarray) -> np.ndarray:
        """Return what the inputs (..., features) add to the gates, float32 (..., blocks * units)."""
        return inputs @ self.kernel + self.bias

    def step(self, projected: np.ndarray, state: State) -> State:
        """Go one step, from projected inputs (rows, blocks * units) and a state to the next; its [0] is the output."""
        before = dict(zip(self.cell.states, state, strict=True))
        after = self.cell.step(NUMPY, projected, before, self.recurrent_kernel, self.recurrent_bias)
        return np.array([after[name] for name in self.cell.states])

    def run(
        self, project: Callable[[slice], np.ndarray], length: int, state: State
    ) -> tuple[np.ndarray, State]:
        """Read rows side by side from projected inputs: outputs float32 (length, rows, units), and the last state."""
        outputs = np.empty((length, state.shape[1], self.units), np.float32)
        for first in range(0, length, _STEPS_AT_ONCE):
            steps = slice(first, min(first + _STEPS_AT_ONCE, length))
            for at, projected in enumerate(project(steps), start=first):
                state = self.step(projected, state)
                outputs[at] = state[0]
        return outputs, state
