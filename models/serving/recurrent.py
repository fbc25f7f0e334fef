"""The recurrent layers in NumPy, for one token after another and for a long text in rows.

A long text is read in rows side by side, because a product of a matrix with 64 rows costs little more than one with a
single row. A row can begin only where the row before it ended, so it begins with a guess (the state that the last
steps of the row before it lead to), and is read again, from what the row before it really led to, until no row
began wrongly: the states are those of one pass from left to right.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.layers.cells import CELLS, Functions

State = np.ndarray  # float32 (states of the cell, rows, units)

_ROW_LENGTH = 384  # shortest row that a text is cut into
_MOST_ROWS = 64
_GUESS_STEPS = 192  # of the row before, from a state of zero
_TOLERANCE = 1e-4  # of a state of size 1: how wrongly a row may have begun
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

    def read(
        self, inputs: Callable[[np.ndarray], np.ndarray], length: int, state: State
    ) -> tuple[np.ndarray, State]:
        """Read one text, in rows side by side where it is long; ``inputs`` maps positions to their projected inputs."""
        rows = max(1, min(_MOST_ROWS, length // _ROW_LENGTH))
        borders = np.arange(rows + 1) * length // rows
        starts, steps = borders[:-1], int(np.diff(borders).max())
        outputs = np.empty((length, self.units), np.float32)
        begin = np.concatenate([state, self._guesses(inputs, starts[1:], rows)], axis=1)
        end = np.empty_like(begin)
        wrong = np.arange(rows)
        while len(wrong):
            self._read_rows(inputs, borders, wrong, steps, begin, outputs, end)
            error = np.abs(end[:, :-1] - begin[:, 1:]) / (1.0 + np.abs(begin[:, 1:]))
            wrong = 1 + np.flatnonzero((error > _TOLERANCE).any(axis=(0, 2)))
            begin[:, wrong] = end[:, wrong - 1]
        return outputs, end[:, -1:]

    def _guesses(self, inputs: Callable[[np.ndarray], np.ndarray], starts: np.ndarray, rows: int) -> State:
        """Return the states before rows that begin at ``starts``, as their last steps make them."""
        if rows == 1:
            return self.zeros(0)
        first = starts[None, :] - _GUESS_STEPS
        steps = np.arange(_GUESS_STEPS)[:, None]
        return self.run(lambda part: inputs(first + steps[part]), _GUESS_STEPS, self.zeros(rows - 1))[1]

    def _read_rows(
        self,
        inputs: Callable[[np.ndarray], np.ndarray],
        borders: np.ndarray,
        chosen: np.ndarray,
        steps: int,
        begin: State,
        outputs: np.ndarray,
        end: State,
    ) -> None:
        """Read the chosen rows from their states in ``begin``; fill in their outputs and ends."""
        # Rows differ by one in length: all are read to the shorter one's end, then the longer ones' last step.
        lengths = np.diff(borders)[chosen]
        positions = borders[chosen][None, :] + np.arange(steps)[:, None]
        common = int(lengths.min())
        found, state = self.run(lambda part: inputs(positions[:common][part]), common, begin[:, chosen])
        outputs[positions[:common]] = found
        longer = np.flatnonzero(lengths > common)
        if len(longer):
            last = positions[common, longer]
            after = self.step(inputs(last), state[:, longer])
            outputs[last] = after[0]
            state[:, longer] = after
        end[:, chosen] = state
