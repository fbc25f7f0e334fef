"""Text classifiers in NumPy, one class a kind of network; ``models.text_classifier.serving`` puts them together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.text.text_inputs import EOS
from models.layers.cells import layer_weights
from models.serving.bilstm import PackedBiLSTM, pack
from models.serving.cell_gradients import layer_gradients, layer_values
from models.serving.recurrent import NumpyRecurrent, State
from models.text_classifier.config import Arrays, TextClassifierConfig, recurrent_names

IDS_AT_ONCE = 1 << 14  # of documents that are read together
_STEPS_AT_ONCE = 64  # whose inputs are multiplied in one product


class Contributions(NamedTuple):
    """What words add to the difference of two logits.

    ``words`` float64 (ids,), one number for each id of the document, that of the end last and 0 where a network does
    not read; ``rest``, what no word adds. Where ``exact`` is true, their sum is the difference itself.
    """

    words: np.ndarray
    rest: float
    exact: bool


class PackedNetwork(ABC):
    """One network; arguments as for ``models.text_classifier.serving.packed_network``."""

    exact = False  # whether contributions add up to the difference of the logits

    def __init__(self, config: TextClassifierConfig, arrays: Arrays) -> None:
        self.config = config
        self.reading = config.reading
        self._table = arrays.get("embedding/embeddings", arrays.get("embedding/codes"))
        self._scales = arrays.get("embedding/scales")
        self.kernel, self.bias = arrays["labels/kernel"], arrays["labels/bias"]

    def logits(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Answer documents: float32 (documents, labels)."""
        return self.answer(self.reading.inputs_of(documents))

    def answer(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Answer what ``reading.inputs`` gives of documents: float32 (documents, labels)."""
        return self.features(reads) @ self.kernel + self.bias

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """Return vectors of the table, float32 (rows, dimensions)."""
        found = self._table[rows]
        return found if self._scales is None else found.astype(np.float32) * self._scales

    @abstractmethod
    def features(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Return what the logits are made of, float32 (documents, features)."""

    @abstractmethod
    def word_gradients(self, read: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """Multiply vectors by their gradient of the logits along a direction, float (steps,); and what no word adds."""

    def contributions(self, ids: np.ndarray, direction: np.ndarray) -> Contributions:
        """Say what each word of a document adds to the logits along a direction, float (labels,)."""
        words = np.zeros(len(ids))
        own, rest = self.word_gradients(self.reading.window(ids), np.asarray(direction, np.float64))
        words[self.reading.places(len(ids))] = own
        return Contributions(words, rest, self.exact)

    def running(self, ids: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Answer beginnings of a document, of ``ends`` words each, with the end after them: float32 (ends, labels)."""
        found = np.empty((len(ends), len(self.bias)), np.float32)
        start, size = 0, 0
        for at, end in enumerate(ends, start=1):
            size += end + 1
            if size > IDS_AT_ONCE or at == len(ends):
                found[start:at] = self.logits([np.append(ids[:n], np.int32(EOS)) for n in ends[start:at]])
                start, size = at, 0
        return found

    def states(self, ids: np.ndarray) -> np.ndarray:
        """Return the state at each id that is read, float32 (steps, units); of a BiLSTM both, 2 * units.

        Which ids those are: ``config.reading.places(len(ids))``.

        Raises:
            InputError: The network has no states.
        """
        raise InputError("This network has no states", received=self.config.network)

    def attention(self, ids: np.ndarray) -> np.ndarray:
        """Return the weight of each id that is read, float32 (steps,), sum 1.

        Raises:
            InputError: The network weighs no states.
        """
        raise InputError("This network weighs no states", allowed="attention", received=self.config.network)


class PackedBag(PackedNetwork):
    """An average of vectors, of words alone or of longer sequences too."""

    exact = True

    def __init__(self, config: TextClassifierConfig, arrays: Arrays) -> None:
        super().__init__(config, arrays)
        table = self._table if self._scales is None else self._table.astype(np.float32)
        kernel = self.kernel if self._scales is None else self._scales[:, None] * self.kernel
        self._scores = table @ kernel  # what each row adds to the logits, (rows, labels)

    def answer(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Answer what ``reading.inputs`` gives of documents: float32 (documents, labels)."""
        sizes = np.array([len(read) for read in reads])
        scores = np.add.reduceat(self._scores[np.concatenate(reads)], np.cumsum(sizes) - sizes, axis=0)
        return scores / self._divisors(sizes)[:, None] + self.bias

    def features(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Return the averages, float32 (documents, dimensions)."""
        sums = np.stack([self.vectors(read).sum(axis=0) for read in reads])
        return sums / self._divisors(np.array([len(read) for read in reads]))[:, None]

    def word_gradients(self, read: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """Share what a sequence adds equally among its words, and among the places where it stands."""
        rows, starts, lengths = self.reading.grams(read)
        _, inverse, counts = np.unique(rows, return_inverse=True, return_counts=True)
        repeats = self.reading.repeats(counts)
        shares = (repeats / counts)[inverse]
        each = shares * (self._scores[rows] @ direction) / float(self._divisors(repeats.sum()))
        words = np.zeros(len(read))
        for place in range(self.reading.ngrams):
            reaches = lengths > place
            np.add.at(words, starts[reaches] + place, each[reaches] / lengths[reaches])
        return words, float(self.bias @ direction)

    def _divisors(self, sizes: np.ndarray) -> np.ndarray:
        sizes = sizes.astype(np.float32)
        return np.sqrt(sizes) if self.config.pooling == "root" else sizes


class PackedConvolution(PackedNetwork):
    """Filters over windows of words; of each the largest value in the document, 0 where none is above it."""

    exact = True  # a largest value is linear in the words of its window

    def __init__(self, config: TextClassifierConfig, arrays: Arrays) -> None:
        super().__init__(config, arrays)
        self._kernels = [arrays[f"convolution/width{width}_kernel"] for width in config.widths]
        biases = [arrays[f"convolution/width{width}_bias"] for width in config.widths]
        self._filter_bias = np.concatenate(biases)
        self._left = max((width - 1) // 2 for width in config.widths)
        self._right = max(width // 2 for width in config.widths)

    def features(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Return the largest values, float32 (documents, widths * units)."""
        sizes = np.array([len(read) for read in reads])
        gap = self._left + self._right
        starts = np.cumsum(sizes + gap) - sizes - gap
        vectors = np.zeros((int((sizes + gap).sum()), self.config.dimensions), np.float32)
        at = np.repeat(starts - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum()) + self._left
        vectors[at] = self.vectors(np.concatenate(reads))
        # What stands between two documents is left out by taking every other section.
        sections = np.stack([starts, starts + sizes], axis=1).ravel()[:-1]
        found = self._filtered(vectors)[: int(starts[-1] + sizes[-1])]
        largest = np.maximum.reduceat(found, sections, axis=0)[::2]
        return np.maximum(largest + self._filter_bias, 0.0)

    def word_gradients(self, read: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """Give what a filter adds to the words in the window of its largest value."""
        vectors = np.pad(self.vectors(read), ((self._left, self._right), (0, 0)))
        found = self._filtered(vectors)
        places = found.argmax(axis=0)
        by_filters = self.kernel.astype(np.float64) @ direction
        by_filters[found.max(axis=0) + self._filter_bias <= 0.0] = 0.0
        words, first = np.zeros(len(vectors)), 0
        for kernel in self._kernels:  # (width, dimensions, units)
            own = slice(first, first + kernel.shape[2])
            for tap, weights in enumerate(kernel):
                at = places[own] + self._left - (len(kernel) - 1) // 2 + tap
                np.add.at(words, at, np.einsum("fd,df->f", vectors[at], weights) * by_filters[own])
            first += kernel.shape[2]
        rest = float(by_filters @ self._filter_bias + self.bias @ direction)
        return words[self._left : self._left + len(read)], rest

    def running(self, ids: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Answer beginnings: windows that do not reach the end are looked at once."""
        if self.reading.left_out(int(ends[-1])):
            return super().running(ids, ends)
        left, right = self._left, self._right
        read = self.reading.window(ids)[:-1]
        whole = self._filtered(np.pad(self.vectors(read), ((left, right), (0, 0))))
        best = np.maximum.accumulate(np.concatenate([np.full((1, whole.shape[1]), -np.inf), whole]), axis=0)
        # The last words of each beginning, its end and the nothing behind it.
        places = ends[:, None] - left - right + np.arange(left + right + 1)
        words = np.append(read, np.int32(EOS))[np.where(places < ends[:, None], np.maximum(places, 0), -1)]
        last = np.where((places >= 0)[..., None], self.vectors(words), 0.0).astype(np.float32)
        last = np.pad(last, ((0, 0), (0, right), (0, 0)))
        found = np.stack([self._filtered(each) for each in last])  # (ends, right + 1, filters)
        found = np.where((places[:, left:] >= 0)[..., None], found, -np.inf)
        largest = np.maximum(found.max(axis=1), best[np.maximum(ends - right, 0)])
        return np.maximum(largest + self._filter_bias, 0.0).astype(np.float32) @ self.kernel + self.bias

    def _filtered(self, vectors: np.ndarray) -> np.ndarray:
        """Apply all filters without bias: (left + steps + right, dimensions) to (steps, widths * units)."""
        steps, found = len(vectors) - self._left - self._right, []
        for kernel in self._kernels:
            shifted = vectors[self._left - (len(kernel) - 1) // 2 :]
            found.append(sum(shifted[tap : tap + steps] @ weights for tap, weights in enumerate(kernel)))
        return np.concatenate(found, axis=1)


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
