"""Averaged weights of an optimizer (``use_ema``): used for evaluation, never for the next training step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import keras

from models.storage.variables import copy_values


def averaging_optimizer(model: keras.Model) -> Any:
    """Return the optimizer when it averages weights and has begun to, else None."""
    optimizer = model.optimizer
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    return optimizer if inner is not None and inner.use_ema and optimizer.built else None


@contextlib.contextmanager
def without_final_average(model: keras.Model) -> Iterator[None]:
    """Keep ``Model.fit`` from putting the averages into the weights that the next epoch trains."""
    optimizer = model.optimizer
    if optimizer is None:
        yield
        return
    optimizer.finalize_variable_values = lambda var_list: None
    try:
        yield
    finally:
        del optimizer.finalize_variable_values


@contextlib.contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Hold the averaged weights inside the block, and give the training its own back after it."""
    optimizer = averaging_optimizer(model)
    if optimizer is None:
        yield
        return
    own = copy_values(model.trainable_variables)
    type(optimizer).finalize_variable_values(optimizer, model.trainable_variables)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, own, strict=True):
            variable.assign(value)


def measure_batch_statistics(model: keras.Model, batches: Iterable[Any]) -> None:
    """Set the moving means and variances of every batch norm to their mean over batches of one size.

    While weights change, batch norm keeps running averages over them. Averaged weights are other weights, so their
    statistics are measured anew (Izmailov et al. 2018, "Averaging weights leads to wider optima and better
    generalization", section 3.2).
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
