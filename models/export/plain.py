"""A network of Lectern's as one of Keras' own layers alone: it opens anywhere, without this project.

Weights and answers are the same; what matters in training alone is gone: dropout, hand-written gradients, rounded
products. Places in a sequence are counted rather than taken from a shape, so that one graph serves every length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from data_prep.errors import InputError
from data_prep.text.vocab import PAD

Call = Callable[..., Any]


def plain(model: keras.Model) -> keras.Model:
    """Make the same network of Keras' own layers.

    Args:
        model: A functional network, as ``keras_model()`` of every application gives it.

    Returns:
        A network from inputs by name to outputs by name.

    Raises:
        InputError: A layer has no counterpart among them.
    """
    inputs = {
        tensor.name: keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)
        for tensor in model.inputs
    }
    for network in model.layers:
        for layer in getattr(network, "layers", ()):
            layer.name = f"{network.name}_{layer.name}"  # names are unique in the one network that is made
    found = computed(model, inputs, _call)
    return keras.Model(inputs, named(model, found), name=model.name)


def named(model: keras.Model, found: Any) -> dict[str, Any]:
    """Give the outputs of a network by their names, which no input has."""
    found = found if isinstance(found, Mapping) else {model.output_names[0]: found}
    inputs = {tensor.name for tensor in model.inputs}
    return {f"{name}_logits" if name in inputs else name: tensor for name, tensor in found.items()}


def computed(model: keras.Model, inputs: Mapping[str, Any], call: Call) -> Any:
    """Go through the layers of a network, and of networks inside it, from values of its inputs by name to its outputs.

    ``call`` is given each layer or operation with its arguments, and returns what it computes.
    """

    def called(layer: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(layer, keras.Model):
            return call(layer, *args, **options)
        values = keras.tree.flatten(args)
        return computed(
            layer, {one.name: value for one, value in zip(layer.inputs, values, strict=True)}, call
        )

    return model._run_through_graph([inputs[one.name] for one in model.inputs], call_fn=called)


def _call(layer: Any, *args: Any, **options: Any) -> Any:
    kind = type(layer).__name__
    if kind in _PLAIN:
        return _PLAIN[kind](layer, *args)
    own = getattr(layer, "cell", layer)
    if not type(own).__module__.startswith("keras."):
        raise InputError(
            f"The layer {layer.name} ({type(own).__name__}) cannot be exported: Keras has no such layer",
            remedy="Train with another kind of layer, or take keras_model() and Lectern along",
        )
    return layer(*args, **options)


def _weighted(layer: layers.Layer, weights: list[np.ndarray], *args: Any) -> Any:
    """Call a layer and give it weights."""
    found = layer(*args)
    layer.set_weights(weights)
    return found


def _as(kind: type[layers.Layer], *more: str) -> Call:
    """Replace a layer by one of Keras' with the same weights and arguments, but for those that only ours has."""

    def replaced(layer: Any, values: Any) -> Any:
        own = {name: value for name, value in layer.get_config().items() if name not in more}
        return _weighted(kind.from_config(own), layer.get_weights(), values)

    return replaced


def _reversed(layer: Any, values: Any, mask: Any) -> Any:
    """``models.layers.sequences.ReverseSequence``."""
    real = ops.cast(mask, "int32")
    lengths, places = ops.sum(real, axis=1, keepdims=True), ops.cumsum(ops.ones_like(real), axis=1) - 1
    order = ops.where(places < lengths, lengths - 1 - places, places)
    return ops.take_along_axis(values, ops.expand_dims(order, -1), axis=1)


def _frozen_vectors(layer: Any, words: Any) -> Any:
    codes, scales = layer.get_weights()
    table = layers.Embedding(layer.rows, layer.dimensions, name=layer.name)
    return _weighted(table, [codes * scales[:, None]], words)


def _character_cnn(layer: Any, characters: Any) -> Any:
    table = layers.Embedding(layer.characters, layer.dimensions, name=f"{layer.name}_table")
    vectors = _weighted(table, [np.asarray(layer.table)], characters)
    return _largest_windows(layer, vectors, ops.not_equal(characters, PAD))


def _largest_windows(layer: Any, vectors: Any, mask: Any) -> Any:
    """``models.layers.sequences.MaxOverTime``, over words (batch, time) or the characters of each (batch, time, n)."""
    real, rank = ops.expand_dims(ops.cast(mask, "float32"), -1), len(mask.shape)
    kind, found = {2: layers.Conv1D, 3: layers.Conv2D}[rank], []
    for width, kernel, bias in zip(layer.widths, layer.kernels, layer.biases, strict=True):
        size = (1,) * (rank - 2) + (width,)
        windows = kind(layer.units, size, padding="same", activation="relu", name=f"{layer.name}_{width}")
        shape = (*size, *kernel.shape[1:])
        values = _weighted(windows, [np.reshape(kernel, shape), np.asarray(bias)], vectors * real)
        found.append(ops.max(values * real, axis=-2))
    return layers.Concatenate(name=layer.name)(found) if len(found) > 1 else found[0]


def _attention(layer: Any, states: Any, mask: Any) -> Any:
    query = layers.Dense(1, use_bias=False, name=layer.name)
    scores = _weighted(query, [np.asarray(layer.query)[:, None]], states)
    shares = ops.softmax(ops.where(ops.expand_dims(mask, -1), scores, -1e9), axis=1)
    return ops.sum(shares * states, axis=1)


def _first(layer: Any, values: Any, *_: Any) -> Any:
    return values


def _written(layer: Any, *args: Any) -> Any:
    """What a layer without weights writes with Keras' operations."""
    return layer.call(*args)


_PLAIN: dict[str, Call] = {
    "AttentionPooling": _attention,
    "CharacterCNN": _character_cnn,
    "ConcatPooling": _written,
    "Dropout": _first,
    "FastBatchNorm": _as(layers.BatchNormalization),
    "FastLSTM": _as(layers.LSTM, "products", "weight_dropout"),
    "FrozenVectors": _frozen_vectors,
    "LinearChainCRF": _first,
    "MaxOverTime": _largest_windows,
    "MeanPooling": _written,
    "ReverseSequence": _reversed,
    "SpatialDropout1D": _first,
    "UnknownTokens": _written,
}
