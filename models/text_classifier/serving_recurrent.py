"""Text classifiers in NumPy that read step by step: to the end of the document, or with attention over all states."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from data_prep.text.text_inputs import EOS
from models.layers.cells import layer_weights
from models.serving.bilstm import PackedBiLSTM, pack
from models.serving.cell_gradients import layer_gradients, layer_values
from models.serving.recurrent import NumpyRecurrent, State
from models.text_classifier.config import Arrays, TextClassifierConfig, recurrent_names
from models.text_classifier.serving_networks import PackedNetwork

_STEPS_AT_ONCE = 64  # whose inputs are multiplied in one product


class _Stepwise(PackedNetwork):
    """A network with a state at every step."""

    def states(self, ids: np.ndarray) -> np.ndarray:
        """Return the state at each id that is read, float32 (steps, units); of a BiLSTM both, (steps, 2 * units)."""
        read = self.reading.window(ids)
        return self._read(read, np.array([len(read)]))

    @abstractmethod
    def _read(self, ids: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Read documents laid one after the other: int (ids,) to the (last) states, float32 (ids, values)."""


class PackedRecurrent(_Stepwise):
    """A recurrent network that answers from its state at the end, or from that and all others."""

    def __init__(self, config: TextClassifierConfig, arrays: Arrays) -> None:
        super().__init__(config, arrays)
        self._weights = [layer_weights(config.network, name, arrays) for name in recurrent_names(config)]
        self._layers = [NumpyRecurrent(config.network, *weights) for weights in self._weights]

    def features(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Return the states that the logits are made of, float32 (documents, features)."""
        sizes = np.array([len(read) for read in reads])
        states = self._read(np.concatenate(reads), sizes)
        ends = np.cumsum(sizes)
        last = states[ends - 1]
        if self.config.readout == "end":
            return last
        largest = np.maximum.reduceat(states, ends - sizes, axis=0)
        mean = np.add.reduceat(states, ends - sizes, axis=0) / sizes[:, None].astype(np.float32)
        return np.concatenate([last, largest, mean], axis=1)

    def word_gradients(self, read: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """Go back through the layers in time."""
        vectors = self.vectors(read).astype(np.float64)
        values, below = [], vectors
        for weights in self._weights:
            values.append(layer_values(self.config.network, weights, below))
            below = values[-1]["hidden"]
        units, by_features = self.config.units, self.kernel.astype(np.float64) @ direction
        outside = np.zeros_like(below)
        outside[-1] = by_features[:units]
        if self.config.readout == "pool":
            outside[below.argmax(axis=0), np.arange(units)] += by_features[units : 2 * units]
            outside += by_features[2 * units :] / len(read)
        for weights, own in zip(reversed(self._weights), reversed(values), strict=True):
            _, outside = layer_gradients(self.config.network, weights, own, outside)
        return (outside * vectors).sum(axis=1), float(self.bias @ direction)

    def running(self, ids: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Answer beginnings: the words are read once, and from each state one step to the end."""
        if self.reading.left_out(int(ends[-1])):
            return super().running(ids, ends)
        read = self.reading.window(ids)[:-1]
        before = self.vectors(read)
        last = np.repeat(self.vectors(np.array([EOS])), len(ends), axis=0)
        for layer in self._layers:
            states = _all_states(layer, before, np.ones(len(before), np.int64))
            before, states = states[0], np.concatenate([layer.zeros(), states], axis=1)
            last = layer.step(layer.project(last), states[:, ends])[0]
        if self.config.readout == "end":
            return last @ self.kernel + self.bias
        lowest = np.full((1, self.config.units), -np.inf, np.float32)
        largest = np.maximum.accumulate(np.concatenate([lowest, before]), axis=0)[ends]
        sums = np.cumsum(np.concatenate([np.zeros_like(lowest), before]), axis=0, dtype=np.float64)[ends]
        mean = ((sums + last) / (ends[:, None] + 1)).astype(np.float32)
        return np.concatenate([last, np.maximum(largest, last), mean], axis=1) @ self.kernel + self.bias

    def _read(self, ids: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        packing = pack(sizes.tolist())
        states = self.vectors(ids[packing.ahead])
        for layer in self._layers:
            states = _all_states(layer, states, packing.sizes)[0]
        result = np.empty_like(states)
        result[packing.ahead] = states
        return result


class PackedAttention(_Stepwise):
    """A BiLSTM whose states are weighed by their product with a query (keys and values are the states)."""

    def __init__(self, config: TextClassifierConfig, arrays: Arrays) -> None:
        super().__init__(config, arrays)
        self._weights = [layer_weights("lstm", name, arrays) for name in ("forward", "backward")]
        self._bilstm = PackedBiLSTM(*self._weights)
        self._query = arrays["attention/query"]

    def features(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Return the weighted sums of states, float32 (documents, 2 * units)."""
        sizes = np.array([len(read) for read in reads])
        states = self._read(np.concatenate(reads), sizes)
        starts = np.cumsum(sizes) - sizes
        scores = states @ self._query
        scores = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
        weights = scores / np.repeat(np.add.reduceat(scores, starts), sizes)
        return np.add.reduceat(weights[:, None] * states, starts, axis=0)

    def attention(self, ids: np.ndarray) -> np.ndarray:
        """Return the weight of each id that is read, float32 (steps,), sum 1."""
        return _softmax(self.states(ids) @ self._query)

    def word_gradients(self, read: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """Go back through the weights, and through both directions in time."""
        vectors = self.vectors(read).astype(np.float64)
        ahead = layer_values("lstm", self._weights[0], vectors)
        back = layer_values("lstm", self._weights[1], vectors[::-1])
        states = np.concatenate([ahead["hidden"], back["hidden"][::-1]], axis=1)
        weights = _softmax(states @ self._query)
        by_sum = self.kernel.astype(np.float64) @ direction
        products = states @ by_sum
        by_scores = weights * (products - weights @ products)
        outside = weights[:, None] * by_sum + by_scores[:, None] * self._query
        units = self.config.units
        _, gradient = layer_gradients("lstm", self._weights[0], ahead, outside[:, :units])
        gradient += layer_gradients("lstm", self._weights[1], back, outside[::-1, units:])[1][::-1]
        return (gradient * vectors).sum(axis=1), float(self.bias @ direction)

    def _read(self, ids: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        packing = pack(sizes.tolist())
        different, rows = np.unique(ids, return_inverse=True)
        return self._bilstm.read_known(self._bilstm.projected(self.vectors(different)), rows, packing)


def _all_states(layer: NumpyRecurrent, inputs: np.ndarray, sizes: np.ndarray) -> State:
    """Return the states after each input, float32 (states, inputs, units); ``sizes`` of them at each step."""
    state = layer.zeros(sizes.max(initial=0))
    found = np.empty((len(state), len(inputs), layer.units), np.float32)
    start = 0
    for first in range(0, len(sizes), _STEPS_AT_ONCE):
        ends = np.cumsum(sizes[first : first + _STEPS_AT_ONCE])
        for projected in np.split(layer.project(inputs[start : start + ends[-1]]), ends[:-1]):
            stop = start + len(projected)
            state = layer.step(projected, state[:, : len(projected)])
            found[:, start:stop] = state
            start = stop
    return found


def _softmax(scores: np.ndarray) -> np.ndarray:
    found = np.exp(scores - scores.max())
    return found / found.sum()
