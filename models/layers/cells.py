"""The kinds of recurrent cell: names and shapes of their weights, their states, and one step; imports no network.

A step is written once, for NumPy, TensorFlow and Keras: Elman 1990 (simple recurrent), Hochreiter and Schmidhuber 1997
(LSTM), Cho et al. 2014 (GRU, with the reset gate behind the product, as Keras and cuDNN have it), Zhou et al. 2016
(MGU).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

CellName = Literal["rnn", "lstm", "gru", "mgu"]
Values = dict[str, Any]


class Functions(NamedTuple):
    """What a step needs beside the operators, which all array libraries have."""

    sigmoid: Callable[[Any], Any]
    tanh: Callable[[Any], Any]


class LayerWeights(NamedTuple):
    """Weights of a recurrent layer: kernel (inputs, blocks * units), recurrent kernel, bias."""

    kernel: Any
    recurrent: Any
    bias: Any


@dataclass(frozen=True)
class Cell:
    """What is to be known about one kind of recurrent layer.

    Args:
        path: Name of the cell in the paths of the layer's weights, ``<layer>/<path>/kernel``.
        blocks: Columns of the kernels by block, each ``units`` wide, in their order.
        states: What is carried from step to step, in the order of the layer's states; the first is the output.
        title: Its name for people.
        step: (functions, what the inputs add to the weighted sums (..., blocks * units), the values before, recurrent
            kernel, its bias or None) to the values after it: gates and states by name, (..., units) each.
        biases: Rows of the bias; a GRU of Keras keeps one for each of its two products.
    """

    path: str
    blocks: tuple[str, ...]
    states: tuple[str, ...]
    title: str
    step: Callable[[Functions, Any, Values, Any, Any], Values]
    biases: int = 1


def weight_paths(cell: str, name: str) -> list[str]:
    """Name the weights of the recurrent layer ``name`` in the layer's order."""
    return [f"{name}/{CELLS[cell].path}/{part}" for part in ("kernel", "recurrent_kernel", "bias")]


def layer_shapes(cell: str, name: str, inputs: int, units: int) -> dict[str, tuple[int, ...]]:
    """Give the shapes of the weights of the recurrent layer ``name`` by their paths, in the layer's order."""
    kind = CELLS[cell]
    columns = len(kind.blocks) * units
    bias = (columns,) if kind.biases == 1 else (kind.biases, columns)
    shapes = LayerWeights((inputs, columns), (units, columns), bias)
    return dict(zip(weight_paths(cell, name), shapes, strict=True))


def layer_weights(cell: str, name: str, arrays: Mapping[str, Any]) -> LayerWeights:
    """Take the weights of the recurrent layer ``name`` out of those of a network."""
    return LayerWeights(*(arrays[path] for path in weight_paths(cell, name)))


def _blocks(sums: Any, count: int) -> list[Any]:
    units = sums.shape[-1] // count
    return [sums[..., at * units : (at + 1) * units] for at in range(count)]


def _rnn(functions: Functions, sums: Any, before: Values, recurrent: Any, _: Any) -> Values:
    return {"hidden": functions.tanh(before["hidden"] @ recurrent + sums)}


def _lstm(functions: Functions, sums: Any, before: Values, recurrent: Any, _: Any) -> Values:
    first, forget, candidate, output = _blocks(before["hidden"] @ recurrent + sums, 4)
    first, forget, output = functions.sigmoid(first), functions.sigmoid(forget), functions.sigmoid(output)
    candidate = functions.tanh(candidate)
    cell = forget * before["cell"] + first * candidate
    return {
        "input": first,
        "forget": forget,
        "candidate": candidate,
        "output": output,
        "cell": cell,
        "hidden": output * functions.tanh(cell),
    }


def _gru(functions: Functions, sums: Any, before: Values, recurrent: Any, bias: Any) -> Values:
    hidden = before["hidden"]
    of_inputs, of_state = _blocks(sums, 3), _blocks(hidden @ recurrent + bias, 3)
    update, reset = (functions.sigmoid(of_inputs[at] + of_state[at]) for at in (0, 1))
    candidate = functions.tanh(of_inputs[2] + reset * of_state[2])
    hidden = update * hidden + (1.0 - update) * candidate
    return {"update": update, "reset": reset, "candidate": candidate, "hidden": hidden}


def _mgu(functions: Functions, sums: Any, before: Values, recurrent: Any, _: Any) -> Values:
    hidden, (of_gate, of_candidate) = before["hidden"], _blocks(sums, 2)
    units = of_gate.shape[-1]
    forget = functions.sigmoid(of_gate + hidden @ recurrent[:, :units])
    candidate = functions.tanh(of_candidate + (forget * hidden) @ recurrent[:, units:])
    return {"forget": forget, "candidate": candidate, "hidden": (1.0 - forget) * hidden + forget * candidate}


CELLS: dict[str, Cell] = {
    "rnn": Cell("simple_rnn_cell", ("state",), ("hidden",), "simple recurrent", _rnn),
    "lstm": Cell("lstm_cell", ("input", "forget", "candidate", "output"), ("hidden", "cell"), "LSTM", _lstm),
    "gru": Cell("gru_cell", ("update", "reset", "candidate"), ("hidden",), "GRU", _gru, biases=2),
    "mgu": Cell("mgu_cell", ("forget", "candidate"), ("hidden",), "MGU", _mgu),
}
