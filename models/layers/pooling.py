"""Layers that make one vector of the vectors of a padded sequence: mean, concat and attention pooling.

All map float (batch, time, values) and bool (batch, time), True at what is no padding, to one row a sequence.
"""

from __future__ import annotations

from typing import Any, Literal

import keras
from keras import ops

from models.layers.arguments import KeepsArguments, registered


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
        largest = ops.max(ops.where(mask_of_words[..., None], states, -2.0), axis=1)
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
