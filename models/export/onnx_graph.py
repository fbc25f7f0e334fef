"""A network of Keras' own layers as a graph of ONNX operators, written layer by layer.

Recurrent layers become ONNX's own LSTM, GRU and RNN, which every runtime has compiled loops for. Images are
(batch, height, width, channels) in Keras and (batch, channels, height, width) in ONNX: what stands around a convolution
turns them, and runtimes take out the turns that cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import onnx
from onnx import helper, numpy_helper

from data_prep.errors import InputError
from models.export.plain import computed

OPSET, IR_VERSION = 18, 9
_LAST = np.iinfo(np.int64).max
_GIVEN = ("mask", "training")  # options that layers are called with and that change nothing here

# Operation of Keras to operator of ONNX, where both take the same values.
_SAME = {
    **{
        "Add": "Add",
        "Subtract": "Sub",
        "Multiply": "Mul",
        "TrueDivide": "Div",
        "Maximum": "Max",
        "Sqrt": "Sqrt",
    },
    **{"Tanh": "Tanh", "Relu": "Relu", "Where": "Where", "Less": "Less", "GreaterEqual": "GreaterOrEqual"},
}
# Layer to operator, the order of its gates among those of Keras, attributes. LSTM: i, o, f, c of i, f, c, o.
_CELLS: dict[str, tuple[str, tuple[int, ...], dict[str, int]]] = {
    "LSTM": ("LSTM", (0, 3, 1, 2), {}),
    "GRU": ("GRU", (0, 1, 2), {"linear_before_reset": 1}),
    "SimpleRNN": ("RNN", (0,), {}),
}


class Graph:
    """What has been written so far; values are known by their names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.types: dict[str, str] = {}  # dtype of each value

    def constant(self, value: Any, dtype: str = "int64") -> str:
        """Name an array or number; whole numbers are axes, shapes and borders."""
        name = f"constant{len(self.constants)}"
        self.constants[name], self.types[name] = np.asarray(value, dtype), dtype
        return name

    def node(self, operator: str, *inputs: Any, dtype: str | None = None, **attributes: Any) -> str:
        """Add an operator and name its output; that, and numbers among the inputs, are of the type of the first."""
        values = inputs[1:] if operator == "Where" else inputs
        own = next(self.types[one] for one in values if isinstance(one, str))
        names = [one if isinstance(one, str) else self.constant(one, own) for one in inputs]
        name = f"{operator}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [name], name=name, **attributes))
        self.types[name] = dtype or own
        return name


def onnx_model(network: keras.Model) -> onnx.ModelProto:
    """Write a network of ``models.export.plain.plain`` as a graph.

    Raises:
        InputError: There is no operator for a layer.
    """
    graph = Graph()
    graph.types |= {tensor.name: tensor.dtype for tensor in network.inputs}

    def call(layer: Any, *args: Any, **options: Any) -> str:
        kind, more = type(layer).__name__, {name: one for name, one in options.items() if name not in _GIVEN}
        known = _LAYERS if isinstance(layer, keras.Layer) else _OPERATIONS
        if kind in known:
            return known[kind](graph, layer, *args, **more)
        if kind in _SAME:
            args = args[0] if isinstance(args[0], list) else args
            return graph.node(_SAME[kind], *args, dtype="bool" if kind in ("Less", "GreaterEqual") else None)
        raise InputError(f"The layer {layer.name} ({kind}) cannot be exported to ONNX")

    found = computed(network, {tensor.name: tensor.name for tensor in network.inputs}, call)
    for name in network.output:
        graph.nodes.append(helper.make_node("Identity", [found[name]], [name]))
    made = helper.make_graph(
        graph.nodes,
        network.name,
        [_value(tensor.name, tensor) for tensor in network.inputs],
        [_value(name, tensor) for name, tensor in network.output.items()],
        [numpy_helper.from_array(array, name) for name, array in graph.constants.items()],
    )
    version = {"opset_imports": [helper.make_opsetid("", OPSET)], "ir_version": IR_VERSION}
    model = helper.make_model(made, producer_name="lectern", **version)
    onnx.checker.check_model(model, full_check=True)
    return model


def _value(name: str, tensor: Any) -> onnx.ValueInfoProto:
    shape = [f"{name}_{axis}" if size is None else size for axis, size in enumerate(tensor.shape)]
    return helper.make_tensor_value_info(name, _code(tensor.dtype), shape)


def _code(dtype: str) -> int:
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def _activated(graph: Graph, layer: Any, x: str) -> str:
    name = layer.activation.__name__
    return x if name == "linear" else graph.node(_SAME[name.capitalize()], x)


def _dense(graph: Graph, layer: Any, x: str) -> str:
    kernel, *bias = layer.get_weights()
    x = graph.node("MatMul", x, kernel)
    return _activated(graph, layer, graph.node("Add", x, *bias) if bias else x)


def _windows(graph: Graph, layer: Any, x: str, operator: str, sizes: Sequence[int], *weights: Any) -> str:
    """Turn, move windows over the places, turn back; padding is that of TensorFlow, the shorter side first."""
    axes, more = range(1, len(sizes) + 1), {"kernel_shape": sizes, "strides": layer.strides}
    steps = getattr(layer, "dilation_rate", (1,) * len(sizes))
    if operator == "Conv":
        more["dilations"] = steps
    if layer.padding == "same" and set(layer.strides) == {1}:
        sums = [(size - 1) * step for size, step in zip(sizes, steps, strict=True)]
        more["pads"] = [one // 2 for one in sums] + [one - one // 2 for one in sums]
    elif layer.padding == "same":
        more["auto_pad"] = "SAME_UPPER"
    x = graph.node("Transpose", x, perm=[0, len(sizes) + 1, *axes])
    x = graph.node(operator, x, *weights, **more)
    return graph.node("Transpose", x, perm=[0, *(axis + 1 for axis in axes), 1])


def _convolution(graph: Graph, layer: Any, x: str) -> str:
    kernel, *bias = layer.get_weights()
    turned = np.moveaxis(kernel, (-1, -2), (0, 1))
    return _activated(graph, layer, _windows(graph, layer, x, "Conv", kernel.shape[:-2], turned, *bias))


def _recurrent(graph: Graph, layer: Any, x: str) -> str:
    operator, order, more = _CELLS[type(layer).__name__]
    kernel, recurrent, bias = layer.get_weights()

    def ordered(array: np.ndarray) -> np.ndarray:
        blocks = np.split(array, len(order), axis=-1)
        return np.concatenate([blocks[at] for at in order], axis=-1)

    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    weights = ordered(kernel).T[None], ordered(recurrent).T[None], ordered(biases).reshape(1, -1)
    x = graph.node("Transpose", x, perm=[1, 0, 2])
    x = graph.node(
        "Squeeze", graph.node(operator, x, *weights, hidden_size=layer.units, **more), graph.constant([1])
    )
    return graph.node("Transpose", x, perm=[1, 0, 2])


def _batch_norm(graph: Graph, layer: Any, x: str) -> str:
    gamma, beta, mean, variance = layer.get_weights()
    scale = gamma / np.sqrt(variance + layer.epsilon)
    return graph.node("Add", graph.node("Mul", x, scale), beta - mean * scale)


def _item(graph: Graph, operation: Any, x: str, key: Any) -> str:
    """Index with places, whole axes and new axes; behind an ellipsis with one of them."""
    key = key if isinstance(key, tuple) else (key,)
    axis, key = (-1, key[1:]) if key[0] is Ellipsis else (0, key)
    for one in key:
        if isinstance(one, int):
            x = graph.node("Gather", x, graph.constant(one), axis=axis)
            continue
        if one is None:
            x = graph.node("Unsqueeze", x, graph.constant([axis]))
        axis += 1
    return x


def _reduced(graph: Graph, operation: Any, x: str, operator: str) -> str:
    axes = operation.axis if isinstance(operation.axis, tuple | list) else [operation.axis]
    return graph.node(operator, x, graph.constant(axes), keepdims=int(operation.keepdims))


def _ones_like(graph: Graph, operation: Any, x: str, dtype: str | None = None) -> str:
    one = numpy_helper.from_array(np.ones(1, dtype or graph.types[x]))
    shape = graph.node("Shape", x, dtype="int64")
    return graph.node("ConstantOfShape", shape, value=one, dtype=dtype or graph.types[x])


def _take_along(graph: Graph, operation: Any, x: str, places: str) -> str:
    """Take (batch, places, values) by places that are the same for all values, (batch, places, 1)."""
    values = graph.node("Shape", x, start=-1, dtype="int64")
    shape = graph.node("Concat", graph.constant([1, 1]), values, axis=0)
    return graph.node("GatherElements", x, graph.node("Expand", places, shape), axis=operation.axis)


def _padded(graph: Graph, layer: Any, x: str) -> str:
    starts, ends = zip((0, 0), *layer.padding, (0, 0), strict=True)
    return graph.node("Pad", x, graph.constant([*starts, *ends]))


def _cropped(graph: Graph, layer: Any, x: str) -> str:
    sides = layer.cropping if isinstance(layer.cropping[0], tuple) else (layer.cropping,)
    starts, ends = [start for start, _ in sides], [-end or _LAST for _, end in sides]
    return graph.node("Slice", x, *map(graph.constant, (starts, ends, range(1, len(sides) + 1))))


_LAYERS: dict[str, Callable[..., str]] = {
    "AveragePooling2D": lambda g, layer, x: _windows(g, layer, x, "AveragePool", layer.pool_size),
    "BatchNormalization": _batch_norm,
    "Concatenate": lambda g, layer, xs: g.node("Concat", *xs, axis=layer.axis),
    "Conv1D": _convolution,
    "Conv2D": _convolution,
    "Cropping1D": _cropped,
    "Cropping2D": _cropped,
    "Dense": _dense,
    "Embedding": lambda g, layer, ids: g.node("Gather", g.constant(layer.get_weights()[0], "float32"), ids),
    "Flatten": lambda g, layer, x: g.node("Flatten", x),
    "GRU": _recurrent,
    "GlobalAveragePooling2D": lambda g, layer, x: g.node("ReduceMean", x, g.constant([1, 2]), keepdims=0),
    "LSTM": _recurrent,
    "MaxPooling2D": lambda g, layer, x: _windows(g, layer, x, "MaxPool", layer.pool_size),
    "Permute": lambda g, layer, x: g.node("Transpose", x, perm=[0, *layer.dims]),
    "ReLU": lambda g, layer, x: g.node("Relu", x),
    "Rescaling": lambda g, layer, x: g.node("Add", g.node("Mul", x, layer.scale), layer.offset),
    "Reshape": lambda g, layer, x: g.node("Reshape", x, g.constant([0, *layer.target_shape])),
    "SimpleRNN": _recurrent,
    "ZeroPadding2D": _padded,
}
_OPERATIONS: dict[str, Callable[..., str]] = {
    "Cast": lambda g, op, x: g.node("Cast", x, to=_code(op.dtype), dtype=op.dtype),
    "Concatenate": lambda g, op, xs: g.node("Concat", *xs, axis=op.axis),
    "Cumsum": lambda g, op, x: g.node("CumSum", x, g.constant(op.axis)),
    "ExpandDims": lambda g, op, x: g.node("Unsqueeze", x, g.constant([op.axis])),
    "GetItem": _item,
    "Max": lambda g, op, x: _reduced(g, op, x, "ReduceMax"),
    "NotEqual": lambda g, op, *xs: g.node("Not", g.node("Equal", *xs, dtype="bool")),
    "OnesLike": _ones_like,
    "Softmax": lambda g, op, x: g.node("Softmax", x, axis=op.axis),
    "Sum": lambda g, op, x: _reduced(g, op, x, "ReduceSum"),
    "Take": lambda g, op, x, at: g.node("Gather", x, at, axis=op.axis),
    "TakeAlongAxis": _take_along,
}
