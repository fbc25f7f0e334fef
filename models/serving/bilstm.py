"""A BiLSTM layer in NumPy for serving: sentences packed without padding, both directions in one product.

One sentence costs a fraction of a call into a compiled graph, nothing is traced, and threads can share the
weights. The arithmetic is that of ``keras.layers.LSTM`` (Hochreiter and Schmidhuber 1997, with a forget gate).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from models.serving.workspace import Workspace

_workspace = Workspace()


class Packing(NamedTuple):
    """The order in which a recurrence meets the words of some sentences, laid one after the other.

    ``ahead`` and ``back`` are places of words, int (words,): first the first (last) word of every sentence,
    longest sentence first, then the second ones. ``sizes`` says how many sentences have a word at each step.
    """

    ahead: np.ndarray
    back: np.ndarray
    sizes: np.ndarray

    def steps(self) -> Iterator[tuple[slice, slice]]:
        """Yield the rows of each step, and the rows of the step before that go on; none at the first one."""
        start = previous = 0
        for size in self.sizes.tolist():
            yield slice(start, start + size), slice(start - previous, start - previous + min(size, previous))
            start, previous = start + size, size


def pack(lengths: Sequence[int]) -> Packing:
    """Plan the steps over sentences of these lengths (each 1 or more)."""
    if len(lengths) == 1:
        ahead = np.arange(lengths[0])
        return Packing(ahead, ahead[::-1], np.ones(lengths[0], np.int64))
    sizes_of = np.asarray(lengths, np.int64)
    order = np.argsort(-sizes_of, kind="stable")
    starts = (np.cumsum(sizes_of) - sizes_of)[order]
    sorted_lengths = sizes_of[order]
    steps = int(sorted_lengths[0])
    sizes = np.searchsorted(-sorted_lengths, -np.arange(steps), side="left")
    step_of = np.repeat(np.arange(steps), sizes)
    row_of = np.arange(len(step_of)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
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
        kernels, recurrent, biases = zip(
            *([gates_of(a) for a in arrays] for arrays in (ahead, back)), strict=True
        )
        self._kernel = np.stack(kernels)  # (2, inputs, 4 units)
        # (2, units, 4 units); it meets doubled states, see read()
        self._recurrent = 0.5 * np.stack(recurrent)
        self._bias = np.stack(biases)[:, None]
        self.units = self._recurrent.shape[1]

    def __call__(self, words: np.ndarray, packing: Packing) -> np.ndarray:
        """Run over packed sentences.

        Args:
            words: Float32 (words, inputs), sentence after sentence.
            packing: Of their lengths.

        Returns:
            Float32 (words, 2 * units): what was read up to the word, and from the end back to it.
        """
        gates = self.gates(len(words))
        np.matmul(words[packing.ahead], self._kernel[0], out=gates[0])
        np.matmul(words[packing.back], self._kernel[1], out=gates[1])
        gates += self._bias
        return self.read(gates, packing)

    def gates(self, words: int) -> np.ndarray:
        """Give room for what :meth:`read` takes, float32 (2, words, 4 * units), until this thread asks again."""
        return _workspace.array("gates", 2, words, 4 * self.units)

    def projected(self, words: np.ndarray) -> np.ndarray:
        """Give what words add to the gates wherever they stand: (words, inputs) to (2, words, 4 * units)."""
        return words @ self._kernel + self._bias

    def read_known(self, projected: np.ndarray, rows: np.ndarray, packing: Packing) -> np.ndarray:
        """Run over sentences whose words are ``rows`` of ``projected``: float32 (words, 2 * units)."""
        gates = self.gates(len(rows))
        for direction, order in enumerate((packing.ahead, packing.back)):
            # "clip" because NumPy's default makes a copy before it fills "out"; all rows exist.
            np.take(projected[direction], rows[order], axis=0, out=gates[direction], mode="clip")
        return self.read(gates, packing)

    def read(self, gates: np.ndarray, packing: Packing) -> np.ndarray:
        """Run over what :meth:`projected` gives for words in both orders, float32 (2, words, 4 * units)."""
        units = self.units
        widest = int(packing.sizes[0])
        # The first three gates hold tanh(x / 2), and sigmoid(x) = (1 + tanh(x / 2)) / 2: the halves of all
        # gates of a step are taken at once, in the cell's, and in the states' behind the loop.
        room = _workspace.array("step", 2, widest, 4 * units)
        cells = _workspace.array("cells", 2, widest, units)
        cells[...] = 0.0
        states = _workspace.array("states", 2, gates.shape[1], units)
        width = 0
        for now, before in packing.steps():
            size = now.stop - now.start
            if size != width:  # sentences have ended: narrower views
                step, cell, width = room[:, :size], cells[:, :size], size
                opened, new = step[:, :, : 3 * units], step[:, :, 3 * units :]
                enter, forget, leave = (step[:, :, at * units : (at + 1) * units] for at in range(3))
            if now.start:
                np.matmul(states[:, before], self._recurrent, out=step)
                step += gates[:, now]
                np.tanh(step, out=step)
            else:
                np.tanh(gates[:, now], out=step)
            opened += 1.0
            cell *= forget
            new *= enter
            cell += new
            cell *= 0.5
            state = states[:, now]
            np.tanh(cell, out=state)
            state *= leave
        result = np.empty((gates.shape[1], 2 * units), np.float32)
        result[packing.ahead, :units] = states[0]
        result[packing.back, units:] = states[1]
        result *= 0.5
        return result


def gates_of(array: np.ndarray) -> np.ndarray:
    """Put the gates in Keras' weights (input, forget, cell, output) in another order, cell last; halve the others."""
    first, forget, cell, output = np.split(array, 4, axis=-1)
    return np.concatenate([0.5 * first, 0.5 * forget, 0.5 * output, cell], axis=-1).astype(np.float32)
