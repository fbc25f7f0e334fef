"""A batch norm that trains about three times as fast on a processor, where it costs as much as the convolutions.

Weights, their names and the arithmetic are those of ``keras.layers.BatchNormalization``. Keras computes it in several
passes over float32 values; TensorFlow has one fused operation for it, which also reads and writes bfloat16 and sums in
float32. It needs TensorFlow; with another backend, with a mask, or outside of training the layer is the one of Keras.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.layers.arguments import registered


@registered
class FastBatchNorm(keras.layers.BatchNormalization):
    """``keras.layers.BatchNormalization`` over the last axis of images, fused in training.

    Args:
        **kwargs: As for ``keras.layers.BatchNormalization``; the weights are float32, and values keep the type that
            they come in.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", "autocast": False, **kwargs})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Map float (batch, height, width, channels) to the same shape."""
        symbolic = isinstance(inputs, keras.KerasTensor)
        if symbolic or not training or mask is not None or keras.backend.backend() != "tensorflow":
            return ops.cast(super().call(inputs, training=training, mask=mask), inputs.dtype)
        import tensorflow as tf

        none = tf.constant([], tf.float32)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=ops.convert_to_tensor(self.gamma),
            offset=ops.convert_to_tensor(self.beta),
            mean=none,
            variance=none,
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
        # The operation estimates the variance of all images there could be, Keras keeps that of the batch.
        variance *= (count - 1.0) / count
        for moving, found in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + found * (1.0 - self.momentum))
        return outputs
