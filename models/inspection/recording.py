"""What passes through every layer of a Keras model while it answers: the ground that looking inside stands on.

The model is not rebuilt and not asked how it was made: functional, sequential, nested and subclassed ones are recorded
alike, because the ``call`` of each layer is watched while the model runs.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras

# Two recordings at once would take each other's watch off a shared layer.
_ONE_AT_A_TIME = threading.Lock()


class LayerCall(NamedTuple):
    """One call of a layer or of an operation: the layer, its first argument, and its output, a tensor.

    ``name`` is that of the layer; the second call of one layer is ``name (2)``.
    """

    name: str
    layer: Any
    inputs: Any
    output: Any


@contextmanager
def recording(model: keras.Model) -> Iterator[list[LayerCall]]:
    """Record every layer that does work of its own, in the order of the calls; the model is left as it was.

    The list fills while this thread calls the model eagerly; other threads can use it meanwhile and are not recorded.
    """
    calls: list[LayerCall] = []
    with _ONE_AT_A_TIME:
        watched = working_layers(model)
        before = [vars(layer).get("call") for layer in watched]
        for layer in watched:
            # Not setattr: Keras would look for variables in it.
            vars(layer)["call"] = _watched(layer, layer.call, calls, threading.get_ident())
        try:
            yield calls
        finally:
            for layer, own in zip(watched, before, strict=True):
                if own is None:
                    vars(layer).pop("call", None)
                else:
                    vars(layer)["call"] = own


def working_layers(model: keras.Model) -> list[Any]:
    """List layers with weights of their own or without layers inside, and operations such as ``x + y``, once each."""
    layers = model._flatten_layers(include_self=True, recursive=True)
    operations = [part for layer in layers for part in getattr(layer, "operations", ())]
    found = {id(part): part for part in (*layers, *operations) if _works(part)}
    return list(found.values())


def own_weights(layer: Any) -> list[Any]:
    """List the variables of a layer that no layer inside it owns; an operation has none."""
    if not isinstance(layer, keras.Layer):
        return []
    inside = {
        id(weight)
        for inner in layer._flatten_layers(include_self=False, recursive=True)
        for weight in inner.weights
    }
    return [weight for weight in layer.weights if id(weight) not in inside]


def _works(part: Any) -> bool:
    if not isinstance(part, keras.Layer):
        return True
    # A model that was never called has no weights yet, but layers; an input layer is never called.
    leaf = not part._flatten_layers(include_self=False, recursive=False)
    return not isinstance(part, keras.layers.InputLayer) and (leaf or bool(own_weights(part)))


def _watched(layer: Any, call: Callable[..., Any], calls: list[LayerCall], thread: int) -> Callable[..., Any]:
    @functools.wraps(call)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        if threading.get_ident() == thread and keras.ops.is_tensor(output):
            inputs = args[0] if args else next(iter(kwargs.values()), None)
            count = 1 + sum(one.layer.name == layer.name for one in calls)
            name = layer.name if count == 1 else f"{layer.name} ({count})"
            calls.append(LayerCall(name, layer, inputs, output))
        return output

    return recorded
