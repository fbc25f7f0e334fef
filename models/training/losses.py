"""The loss that classifiers of images, words and letters share, and losses of several outputs."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def masked_crossentropy(label_smoothing: float = 0.0) -> Any:
    """Make the loss of logits: mean cross-entropy over all places, labels -1 left out.

    Args:
        label_smoothing: Share of the probability that is spread over all classes.

    Returns:
        A function of labels int (batch, ...) and logits (batch, ..., classes).
    """

    def loss(labels: Any, logits: Any) -> Any:
        labels = ops.cast(labels, "int32")
        real = ops.cast(labels >= 0, logits.dtype)
        scores = ops.log_softmax(logits, axis=-1)
        right = ops.take_along_axis(scores, ops.maximum(labels, 0)[..., None], axis=-1)[..., 0]
        wanted = (1.0 - label_smoothing) * right + label_smoothing * ops.mean(scores, axis=-1)
        return -ops.sum(wanted * real) / ops.maximum(ops.sum(real), 1.0)

    return loss


def begin_losses(model: keras.Model) -> None:
    """Make the variables that count the losses of several outputs, before the first step.

    Keras makes them in that step; TensorFlow traces twice what makes variables, some seconds for a recurrent network.
    """
    losses, outputs = getattr(model, "_compile_loss", None), getattr(model, "output", None)
    if losses is None or losses.built or not (isinstance(model.loss, dict) and isinstance(outputs, dict)):
        return
    if model.loss.keys() == outputs.keys():
        losses.build(outputs, outputs)
