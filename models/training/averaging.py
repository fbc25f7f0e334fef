"""Averaged weights of an optimizer (``use_ema``): used for evaluation, never for the next training step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from models.storage.variables import copy_values

if TYPE_CHECKING:
    import keras


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
