"""Layers over padded sequences: unknown tokens in training, reversal, and poolings that make one vector of many.

A mask is bool (batch, time), True at what is no padding.
"""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from data_prep.text.vocab import UNK
from models.layers.arguments import KeepsArguments, registered


@registered
class UnknownTokens(KeepsArguments, keras.layers.Layer):
    """Read tokens without a vector as unknown, and in training a share of the others as well.

    Args:
        rate: That share.
        first: Ids below it stay what they are in training (padding, the end).
        rows: Ids from it on have no vector; None where all have one.
        **kwargs: As for every layer.
    """

    def __init__(self, rate: float, first: int = 0, rows: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.first, self.rows = rate, first, rows
        self.seed_generator = keras.random.SeedGenerator()
        self.built = True

    def call(self, ids: Any, training: bool = False) -> Any:
        """Map ids to ids, int32 (batch, time)."""
        known = ids if self.rows is None else ops.where(ids < self.rows, ids, UNK)
        if not training or self.rate == 0.0:
            return known
        dropped = keras.random.uniform(ops.shape(ids), seed=self.seed_generator) < self.rate
        return ops.where(ops.logical_and(dropped, ids >= self.first), UNK, known)


@registered
class ReverseSequence(keras.layers.Layer):
    """Turn each sequence round by its own length; padding stays behind it. Twice gives the sequence again."""

    def call(self, values: Any, mask_of_words: Any) -> Any:
        """Reverse float (batch, time, values) where ``mask_of_words``, bool (batch, time), is True."""
        lengths = ops.sum(ops.cast(mask_of_words, "int32"), axis=1, keepdims=True)
        places = ops.arange(ops.shape(values)[1], dtype="int32")[None]
        order = ops.where(places < lengths, lengths - 1 - places, places)
        return ops.take_along_axis(values, order[..., None], axis=1)


@registered
class MaxOverTime(KeepsArguments, keras.layers.Layer):
    """Windows of several widths over a sequence; of each filter the largest value (0 where none is above it).

    Args:
        units: Filters of each width.
        widths: Steps in a window.
        **kwargs: As for every layer.
    """

    def __init__(self, units: int, widths: tuple[int, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.widths = units, tuple(widths)

    def build(self, vectors_shape: tuple[int | None, ...], mask_of_words_shape: Any = None) -> None:
        """Make a kernel for each width."""
        self.kernels, self.biases = [], []
        for width in self.widths:
            shape = (width, vectors_shape[-1], self.units)
            self.kernels.append(self.add_weight(shape, "glorot_uniform", name=f"width{width}_kernel"))
            self.biases.append(self.add_weight((self.units,), "zeros", name=f"width{width}_bias"))
        self.built = True

    def call(self, vectors: Any, mask_of_words: Any) -> Any:
        """Map float (batch, time, dimensions) and bool (batch, time) to (batch, widths * units)."""
        real = ops.cast(mask_of_words, vectors.dtype)[..., None]
        # "same" puts zeros around the sequence, which is what padding is: it changes no window of the sequence.
        vectors = vectors * real
        found = [
            ops.max(ops.relu(ops.conv(vectors, kernel, padding="same") + bias) * real, axis=1)
            for kernel, bias in zip(self.kernels, self.biases, strict=True)
        ]
        return ops.concatenate(found, axis=-1)


@registered
class MeanPooling(KeepsArguments, keras.layers.Layer):
    """Divide the sum of the vectors of a sequence by their number, or by its square root.

    Args:
        pooling: ``"mean"`` or ``"root"``.
        **kwargs: As for every layer.
    """

    def __init__(self, pooling: Literal["mean", "root"], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pooling = pooling

    def call(self, vectors: Any, mask_of_words: Any) -> Any:
        """Map to (batch, values)."""
        real = ops.cast(mask_of_words, vectors.dtype)[..., None]
        count = ops.maximum(ops.sum(real, axis=1), 1.0)
        return ops.sum(vectors * real, axis=1) / (ops.sqrt(count) if self.pooling == "root" else count)


@registered
class ConcatPooling(KeepsArguments, keras.layers.Layer):
    """Take the state at the end of each sequence, and, if asked, the largest and the mean value of all states.

    Args:
        pool: Whether it is asked (Howard and Ruder 2018, "Universal language model fine-tuning").
        **kwargs: As for every layer.
    """

    def __init__(self, pool: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool = pool

    def call(self, states: Any, mask_of_words: Any) -> Any:
        """Map to (batch, values) or (batch, 3 * values)."""
        count = ops.sum(ops.cast(mask_of_words, "int32"), axis=1)
        end = ops.take_along_axis(states, ops.maximum(count - 1, 0)[:, None, None], axis=1)[:, 0]
        if not self.pool:
            return end
        real = ops.cast(mask_of_words, states.dtype)[..., None]
        # States are between -1 and 1, so that -2 is never the largest.
        largest = ops.max(ops.where(ops.expand_dims(mask_of_words, -1), states, -2.0), axis=1)
        mean = ops.sum(states * real, axis=1) / ops.cast(ops.maximum(count, 1), states.dtype)[:, None]
        return ops.concatenate([end, largest, mean], axis=-1)


@registered
class AttentionPooling(keras.layers.Layer):
    """Weigh states by the softmax of their products with a learned query, and add them up."""

    def build(self, states_shape: tuple[int | None, ...]) -> None:
        """Make the query, as long as a state."""
        self.query = self.add_weight((states_shape[-1],), "glorot_uniform", name="query")

    def call(self, states: Any, mask_of_words: Any) -> Any:
        """Map to (batch, values)."""
        scores = ops.sum(states * self.query, axis=-1)
        scores = ops.where(mask_of_words, scores, -1e9)
        return ops.sum(ops.softmax(scores, axis=1)[..., None] * states, axis=1)
