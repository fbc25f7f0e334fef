"""Layers over padded sequences: unknown tokens in training, reversal, windows with max-over-time pooling."""

from __future__ import annotations

from typing import Any

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

    def compute_output_shape(
        self, vectors_shape: tuple[int | None, ...], mask_of_words_shape: Any = None
    ) -> Any:
        """Return the shape of the largest values."""
        return (vectors_shape[0], len(self.widths) * self.units)
