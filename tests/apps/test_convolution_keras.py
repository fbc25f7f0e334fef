"""Every example as Keras: the code runs by itself and gives the bench's numbers."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from apps.convolution.contraction import contract, derivative
from apps.convolution.digit import convolve_digit, digit_image, hand_made_kernels
from apps.convolution.einsum import free_tensors, read_program
from apps.convolution.examples import EXPRESSIONS, SIGNALS, SIZES, STACKS
from apps.convolution.keras_code import (
    digit_code,
    einsum_code,
    kind_code,
    signal_code,
    sizes_code,
    stack_code,
)
from apps.convolution.kinds import KINDS, run_kind
from apps.convolution.numbers import read_numbers, read_tensor
from apps.convolution.signals import read_layers, run_signal
from apps.convolution.sizes import BOUNDARIES, convolution_sizes, read_rules
from apps.convolution.stack import stack_sizes
from data_prep.errors import InputError


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "example", "exec"), names)
    return names


SIGNAL_LAYERS = [
    *(
        pytest.param(example.values["x"], example.values["layers"], id=key)
        for key, example in SIGNALS.items()
    ),
    pytest.param("1 2 3 4 5 6 7", "convolve 1 2 -1 cyclic stride 2 dilation 2", id="cyclic"),
    pytest.param("1 2 3 4 5 6 7", "convolve 1 2 -1 zero 2 1 stride 3 dilation 2 bias 0.5", id="zero"),
    pytest.param("1 -2 3 4 5", "correlate 2 cyclic; average; relu", id="one weight"),
    pytest.param("1 2 3 4 5", "sum window 3 stride 2; max window 2", id="windows"),
]


@pytest.mark.parametrize(("signal", "layers"), SIGNAL_LAYERS)
def test_signals(signal: str, layers: str) -> None:
    numbers, read = read_numbers(signal, "x"), read_layers(layers)
    assert np.allclose(run(signal_code(numbers, read))["result"], run_signal(numbers, read).output, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "boundary"),
    [pair for pair in itertools.product(KINDS, BOUNDARIES) if pair != ("transposed", "cyclic")],
)
def test_each_kind_is_keras_ops_and_numpy(kind: str, boundary: str) -> None:
    for stride, dilation in ((1, 1), (2, 1), (1, 2), (2, 2)):
        for sizes, kernel in (("5x6x3", "2x3"), ("7x2", "3")):
            kernel += "x2" if kind == "full" else ""
            result = run_kind(kind, sizes, kernel, boundary=boundary, stride=stride, dilation=dilation)
            assert np.allclose(run(kind_code(result))["result"], result.output, atol=1e-3)


@pytest.mark.parametrize("kind", ["heads", "pointwise", "transposed"])
def test_volumes(kind: str) -> None:
    result = run_kind(kind, "4x5x4x2", "2x1x2", stride=2)
    assert np.allclose(run(kind_code(result))["result"], result.output, atol=1e-3)


@pytest.mark.parametrize("example", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("heads", [1, 4])
def test_sizes(example, heads: int) -> None:
    rules = read_rules(*(example.values[name] for name in ("n", "k", "pad", "stride", "dilation")))
    assert run(sizes_code(rules, heads))["result"] == convolution_sizes(rules, heads).output


STACK_LAYERS = [
    *(pytest.param(e.values["stack_input"], e.values["stack"], id=key) for key, e in STACKS.items()),
    pytest.param(
        "9x8x7x2", "conv 2x2x2x3 stride 2,1,1 pad 1; pool 2x2x2; pointwise 4; dense 3", id="volumes"
    ),
    pytest.param(
        "20x3", "depthwise 3 pad 1; conv 3x4; pool 3 stride 2; relu; flatten; dense 2", id="signals"
    ),
]


@pytest.mark.parametrize(("sizes", "layers"), STACK_LAYERS)
def test_stacks_have_keras_sizes_and_parameters(sizes: str, layers: str) -> None:
    stack = stack_sizes(sizes, layers)
    model = run(stack_code(stack))["model"]
    assert tuple(model.output_shape[1:]) == stack.output
    assert model.count_params() == stack.parameters
    kinds = ("Conv", "DepthwiseConv", "MaxPooling", "Dense", "ReLU")
    made = [layer for layer in model.layers if type(layer).__name__.startswith(kinds)]
    wanted = [layer for layer in stack.layers if layer.kind != "flatten"]
    assert [(layer.output.shape[1:], layer.count_params()) for layer in made] == [
        (layer.output, layer.parameters) for layer in wanted
    ]


@pytest.mark.parametrize("example", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_einstein_and_the_derivative(example) -> None:
    program = read_program(example.values["e"])
    tensors = {name: read_tensor(example.values[f"t_{name}"], name) for name in free_tensors(program)}
    wanted = contract(program, tensors).output
    assert np.allclose(run(einsum_code(program, tensors))["result"], wanted, atol=1e-4)
    derived = derivative(program, tensors, example.values["by"])
    names = run(einsum_code(program, tensors, derived))
    assert np.allclose(names["result"], wanted, atol=1e-4)
    assert np.allclose(names["A"], derived.tensor, atol=1e-4)


def test_the_output_may_be_called_as_the_derivative() -> None:
    program, tensors = read_program("A_ij = B_i^k C_kj"), {"B": np.eye(2), "C": np.ones((2, 2))}
    derived = derivative(program, tensors, "B")
    names = run(einsum_code(program, tensors, derived))
    assert np.allclose(names["result"], 1.0) and np.allclose(names["A"], derived.tensor)


@pytest.mark.parametrize(
    "text", ["y_i = a_ij 1^j - b_i", "y_ij = a_ij + b_i 1_j", "a_i^i", "y_i = sigmoid(b_i)"]
)
def test_ones_sums_and_traces(text: str) -> None:
    program = read_program(text)
    tensors = {"a": np.array([[1.0, 2.0], [3.0, -4.0]]), "b": np.array([1.0, -1.0])}
    tensors = {name: tensors[name] for name in free_tensors(program)}
    assert np.allclose(run(einsum_code(program, tensors))["result"], contract(program, tensors).output)


@pytest.mark.parametrize(("dilation", "stride", "relu"), [(1, 1, False), (2, 1, True), (2, 3, False)])
def test_a_digit(dilation: int, stride: int, relu: bool) -> None:
    kernel, _ = hand_made_kernels()["left edges"]
    found = convolve_digit(
        digit_image(4, 2), kernel, 0.25, padding=2, stride=stride, dilation=dilation, relu=relu
    )
    code = digit_code(found, relu)
    assert "apps" not in code  # it runs outside the project, too
    assert np.allclose(run(code)["result"], found.output, atol=1e-4)


def test_what_keras_cannot_do_is_told() -> None:
    result = run_kind("layerwise", "4x4x4x2", "2x2x2")
    with pytest.raises(InputError, match="Keras slides this filter along one to 2 modes"):
        kind_code(result)
    with pytest.raises(InputError, match="Keras has convolutions of one to three modes"):
        sizes_code(read_rules("3x3x3x3", "1x1x1x1"))
    with pytest.raises(InputError, match=r"Keras has no layer like this\..*dilation 2"):
        stack_code(stack_sizes("9x9x1", "conv 2x2x1 stride 2 dilation 2"))
    big = run_kind("heads", "60x60x2", "2x2")
    with pytest.raises(InputError, match=r"7,200 numbers to write out\. Allowed: at most 2,000"):
        kind_code(big)
