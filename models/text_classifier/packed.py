"""One network of a text classifier in NumPy; ``models.text_classifier.network`` trains it.

Documents are ids with the end last (``data_prep.text.text_inputs.encode``); what one network reads of a document, its
``read``, is what ``inputs_of`` of its config gives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from data_prep.batching import pad
from models.layers.cells import layer_weights
from models.serving.bilstm import PackedBiLSTM, pack
from models.serving.cell_gradients import layer_gradients, layer_values
from models.serving.operations import softmax
from models.serving.recurrent import NumpyRecurrent
from models.text_classifier.config import Arrays, TextClassifierConfig, recurrent_names

_POINTS, _STEPS = 16, 2048  # of an integral of gradients the most, and the most steps of all its points


class Contributions(NamedTuple):
    """What words add to the difference of two logits.

    ``words`` float64 (ids,), one number for each id of the document, that of the end last and 0 where a network does
    not read; ``rest``, what no word adds. Where ``exact`` is true, their sum is the difference itself.
    """

    words: np.ndarray
    rest: float
    exact: bool


class PackedNetwork(ABC):
    """One network; arguments as for ``models.text_classifier.packed.packed_network``.

    Documents are ids with the end last; a ``read`` is what the config's ``inputs_of`` gives of one.
    """

    exact = False  # whether contributions add up to the difference of the logits

    def __init__(self, config: TextClassifierConfig, arrays: Arrays) -> None:
        self.config, self.vectors = config, arrays["embedding/embeddings"]
        self.kernel, self.bias = arrays["labels/kernel"], arrays["labels/bias"]

    def logits(self, documents: Sequence[np.ndarray]) -> np.ndarray:
        """Answer documents: float32 (documents, labels)."""
        return self.answer(self.config.inputs_of(documents))

    def answer(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Answer what was read of documents: float32 (documents, labels)."""
        return self.features(reads) @ self.kernel + self.bias

    @abstractmethod
    def features(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Return what the logits are made of, float32 (documents, features)."""

    @abstractmethod
    def word_gradients(self, read: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """Share the features along a direction among the words by gradients, float (steps,); and what none adds."""

    def contributions(self, ids: np.ndarray, direction: np.ndarray) -> Contributions:
        """Say what each word of a document adds to the logits along a direction, float (labels,)."""
        words = np.zeros(len(ids))
        own, rest = self.word_gradients(self.config.window(ids), self.kernel.astype(np.float64) @ direction)
        words[self.config.places(len(ids))] = own
        return Contributions(words, rest + float(self.bias @ direction), self.exact)


class PackedBag(PackedNetwork):
    """An average of vectors, of words alone or of longer sequences too."""

    exact = True

    def features(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Return the averages, float32 (documents, dimensions)."""
        sizes = np.array([len(read) for read in reads])
        # take() is several times as fast as brackets for such short rows.
        rows = self.vectors.take(np.concatenate(reads), axis=0)
        sums = np.add.reduceat(rows, np.cumsum(sizes) - sizes, axis=0)
        return sums / self._divisors(sizes)[:, None]

    def word_gradients(self, read: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """Share what a sequence adds equally among its words, and among the places where it stands."""
        rows, starts, lengths = self.config.grams(read, len(read))
        _, inverse, counts = np.unique(rows, return_inverse=True, return_counts=True)
        repeats = self.config.repeats(counts)
        shares = (repeats / counts)[inverse]
        each = shares * (self.vectors[rows] @ direction) / float(self._divisors(repeats.sum()))
        words = np.zeros(len(read))
        for place in range(self.config.ngrams):
            reaches = lengths > place
            np.add.at(words, starts[reaches] + place, each[reaches] / lengths[reaches])
        return words, 0.0

    def _divisors(self, sizes: np.ndarray) -> np.ndarray:
        sizes = sizes.astype(np.float32)
        return np.sqrt(sizes) if self.config.pooling == "root" else sizes


class PackedConvolution(PackedNetwork):
    """Filters over windows of words; of each the largest value in the document, 0 where none is above it."""

    exact = True  # a largest value is linear in the words of its window

    def __init__(self, config: TextClassifierConfig, arrays: Arrays) -> None:
        super().__init__(config, arrays)
        self._left = max((width - 1) // 2 for width in config.widths)
        self._right = max(width // 2 for width in config.widths)
        # All filters are as wide as the widest: zeros stand around the others.
        filters = []
        for width in config.widths:
            around = (self._left - (width - 1) // 2, self._right - width // 2)
            filters.append(np.pad(arrays[f"convolution/width{width}_kernel"], (around, (0, 0), (0, 0))))
        self._filters = np.concatenate(filters, axis=2)  # (window, dimensions, filters)
        self._filter_bias = np.concatenate(
            [arrays[f"convolution/width{width}_bias"] for width in config.widths]
        )

    def features(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Return the largest values, float32 (documents, filters)."""
        largest = np.stack([self._filtered(self._padded(read)).max(axis=0) for read in reads])
        return np.maximum(largest + self._filter_bias, 0.0)

    def word_gradients(self, read: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """Give what a filter adds to the words in the window of its largest value."""
        vectors = self._padded(read)
        found = self._filtered(vectors)
        places = found.argmax(axis=0)
        by_filters = np.where(found.max(axis=0) + self._filter_bias > 0.0, direction, 0.0)
        words = np.zeros(len(vectors))
        for tap, weights in enumerate(self._filters):
            added = np.einsum("fd,df->f", vectors[places + tap], weights) * by_filters
            np.add.at(words, places + tap, added)
        return words[self._left : self._left + len(read)], float(by_filters @ self._filter_bias)

    def _padded(self, read: np.ndarray) -> np.ndarray:
        return np.pad(self.vectors[read], ((self._left, self._right), (0, 0)))

    def _filtered(self, padded: np.ndarray) -> np.ndarray:
        """Apply all filters without bias: (left + steps + right, dimensions) to (steps, filters)."""
        windows = sliding_window_view(padded, len(self._filters), axis=0)  # (steps, dimensions, window)
        return np.tensordot(windows, self._filters, ([2, 1], [0, 1]))


class PackedRecurrent(PackedNetwork):
    """A recurrent network that answers from its state at the end, or from that and all others."""

    def __init__(self, config: TextClassifierConfig, arrays: Arrays) -> None:
        super().__init__(config, arrays)
        self._weights = [layer_weights(config.network, name, arrays) for name in recurrent_names(config)]
        self._layers = [NumpyRecurrent(config.network, *weights) for weights in self._weights]

    def states(self, ids: np.ndarray) -> np.ndarray:
        """Return the state at each id that is read (``config.places``), float32 (steps, units)."""
        return self._read(self.config.window(ids)[:, None])[:, 0]

    def features(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Return the states that the logits are made of, float32 (documents, features)."""
        ids, mask = (array.T for array in pad(reads))
        states, sizes = self._read(ids), mask.sum(axis=0)
        last = states[sizes - 1, np.arange(len(reads))]
        if self.config.readout == "end":
            return last
        inside = mask[..., None]
        mean = states.sum(axis=0, where=inside) / sizes[:, None].astype(np.float32)
        return np.concatenate([last, states.max(axis=0, where=inside, initial=-np.inf), mean], axis=1)

    def word_gradients(self, read: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """Integrate gradients that go back through the layers in time."""
        return integrated_gradients(partial(self._gradient, direction), self.vectors[read])

    def _gradient(self, direction: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, below = [], vectors
        for weights in self._weights:
            values.append(layer_values(self.config.network, weights, below))
            below = values[-1]["hidden"]
        units = self.config.units
        outside = np.zeros_like(below)
        outside[-1] = direction[:units]
        if self.config.readout == "pool":
            largest = below.argmax(axis=0)[None]
            np.put_along_axis(
                outside, largest, np.take_along_axis(outside, largest, 0) + direction[units : 2 * units], 0
            )
            outside += direction[2 * units :] / len(vectors)
        found = (outside * below).sum(axis=(0, -1))  # linear in the states that count
        for weights, own in zip(reversed(self._weights), reversed(values), strict=True):
            _, outside = layer_gradients(self.config.network, weights, own, outside)
        return found, outside

    def _read(self, ids: np.ndarray) -> np.ndarray:
        """Return the states of the last layer, float32 (steps, documents, units), for ids (steps, documents)."""
        states = self.vectors[ids]
        for layer in self._layers:
            projected = layer.project(states)
            states, _ = layer.run(projected.__getitem__, len(ids), layer.zeros(ids.shape[1]))
        return states


class PackedAttention(PackedNetwork):
    """A BiLSTM whose states are weighed by their product with a query (keys and values are the states)."""

    def __init__(self, config: TextClassifierConfig, arrays: Arrays) -> None:
        super().__init__(config, arrays)
        self._weights = [layer_weights("lstm", name, arrays) for name in ("forward", "backward")]
        self._bilstm = PackedBiLSTM(*self._weights)
        self._query = arrays["attention/query"]

    def states(self, ids: np.ndarray) -> np.ndarray:
        """Return both states at each id that is read (``config.places``), float32 (steps, 2 * units)."""
        return self._read([self.config.window(ids)])[0]

    def features(self, reads: Sequence[np.ndarray]) -> np.ndarray:
        """Return the weighted sums of states, float32 (documents, 2 * units)."""
        return np.stack([self._weighed(states) @ states for states in self._read(reads)])

    def attention(self, ids: np.ndarray) -> np.ndarray:
        """Return the weight of each id that is read, float32 (steps,), sum 1."""
        return self._weighed(self.states(ids))

    def word_gradients(self, read: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, float]:
        """Integrate gradients that go back through the weights, and through both directions in time."""
        return integrated_gradients(partial(self._gradient, direction), self.vectors[read])

    def _gradient(self, direction: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ahead = layer_values("lstm", self._weights[0], vectors)
        back = layer_values("lstm", self._weights[1], vectors[::-1])
        states = np.concatenate([ahead["hidden"], back["hidden"][::-1]], axis=-1)
        weights = softmax((states @ self._query).T).T  # over the steps
        products = states @ direction
        found = (weights * products).sum(axis=0)
        by_scores = weights * (products - found)
        outside = weights[..., None] * direction + by_scores[..., None] * self._query
        units = self.config.units
        _, gradient = layer_gradients("lstm", self._weights[0], ahead, outside[..., :units])
        gradient += layer_gradients("lstm", self._weights[1], back, outside[::-1, ..., units:])[1][::-1]
        return found, gradient

    def _weighed(self, states: np.ndarray) -> np.ndarray:
        return softmax(states @ self._query).astype(np.float32)

    def _read(self, reads: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the states of each document, float32 (steps, 2 * units)."""
        sizes = [len(read) for read in reads]
        different, rows = np.unique(np.concatenate(reads), return_inverse=True)
        states = self._bilstm.read_known(self._bilstm.projected(self.vectors[different]), rows, pack(sizes))
        return np.split(states, np.cumsum(sizes)[:-1])


_NETWORKS: dict[str, type[PackedNetwork]] = {
    "mean": PackedBag,
    "ngrams": PackedBag,
    "convolution": PackedConvolution,
    "attention": PackedAttention,
}


def packed_network(config: TextClassifierConfig, arrays: Arrays) -> PackedNetwork:
    """Make one network of its weights, such as ``models.text_classifier.config.member_arrays`` of a preset."""
    return _NETWORKS.get(config.network, PackedRecurrent)(config, arrays)


def integrated_gradients(
    gradients_at: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], vectors: np.ndarray
) -> tuple[np.ndarray, float]:
    """Share among vectors how much higher a value is with them than with zeros in their places.

    Sundararajan, Taly and Yan 2017, "Axiomatic attribution for deep networks": each vector times its mean gradient on
    the straight way from zeros to all of them, here at the points of Gauss and Legendre.

    Args:
        gradients_at: Vectors, float64 (steps, points, dimensions), to values (points,) and their gradients by them.
        vectors: Float (steps, dimensions).

    Returns:
        Float64 (steps,), and the value of zeros.
    """
    points = max(4, min(_POINTS, _STEPS // len(vectors)))
    places, weights = np.polynomial.legendre.leggauss(points)
    way = np.append(0.0, (1.0 + places) / 2.0)
    vectors = vectors.astype(np.float64)
    values, gradients = gradients_at(vectors[:, None] * way[:, None])
    return np.einsum("p,spd,sd->s", weights / 2.0, gradients[:, 1:], vectors), float(values[0])
