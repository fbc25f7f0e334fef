"""Means and variances of batch norm, measured for the weights that are used.

While weights change, batch norm keeps running averages over them. Averaged weights (``use_ema``) are other weights, so
their statistics are measured anew: the mean over some batches (Izmailov et al. 2018, "Averaging weights leads to wider
optima and better generalization", section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras


def measure_batch_statistics(model: keras.Model, batches: Iterable[Any]) -> None:
    """Set the moving means and variances of every batch norm to their mean over batches; no other weight changes.

    Args:
        model: Any network; one without batch norm is left as it is.
        batches: What the network reads, batch by batch; all of one size.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not norms:
        return
    before = [layer.momentum for layer in norms]
    try:
        for number, batch in enumerate(batches):
            for layer in norms:
                layer.momentum = number / (number + 1.0)  # the running average becomes the mean so far
            model(keras.ops.convert_to_tensor(batch), training=True)
    finally:
        for layer, momentum in zip(norms, before, strict=True):
            layer.momentum = momentum
