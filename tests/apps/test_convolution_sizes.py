"""Sizes: the lecture's questions, stacks, and wrong input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.convolution.examples import SIZES, STACKS
from apps.convolution.sizes import ModeRule, convolution_sizes, read_rules
from apps.convolution.stack import MAX_LAYERS, stack_sizes
from apps.convolution.tensors import convolve_full
from data_prep.errors import InputError


@pytest.mark.parametrize(("key", "output"), [("valid", (3, 3, 2)), ("pad", (3, 3, 3)), ("stride", (2, 2, 2))])
def test_the_lecture_s_questions(key: str, output: tuple[int, ...]) -> None:
    values = SIZES[key].values
    sizes = convolution_sizes(read_rules(*(values[name] for name in ("n", "k", "pad", "stride", "dilation"))))
    assert sizes.output == output
    assert sizes.parameters == 9
    assert sizes.multiply_adds == 8 * np.prod(output)


def test_the_formula_has_the_user_s_numbers() -> None:
    sizes = convolution_sizes(read_rules("4x4x3", "2x2x2", "0, 0, 0+1"))
    assert sizes.rules[2].formula == "⌊(3 + 0 + 1 − 1·(2 − 1) − 1) / 1⌋ + 1 = 3"
    assert sizes.receptive_field == (2, 2, 2)


def test_heads_are_one_more_mode() -> None:
    sizes = convolution_sizes(read_rules("24x24x1", "5x5x1", "2, 2, 0"), heads=8)
    assert sizes.output == (24, 24, 1, 8)
    assert sizes.parameters == 208


@given(
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_a_size_is_the_number_of_positions(
    size: int, kernel: int, before: int, after: int, stride: int, dilation: int
) -> None:
    rule = ModeRule(size, kernel, before, after, stride, dilation)
    positions = range(0, size + before + after - rule.extent + 1, stride)
    if not positions:
        with pytest.raises(InputError, match="size zero"):
            _ = rule.output
        return
    assert rule.output == len(positions)
    assert convolve_full(np.ones(size), np.ones(kernel), (rule,)).shape == (len(positions),)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("4x4x3", "5x2x2"),
            "Mode 1: The filter spans 5, the padded input 4: the output would have size zero",
        ),
        (("4x4x3", "2x2"), "The filter has 2 modes and the input 3"),
        (("4x4x3", "2x2x0"), "The filter, mode 3, is out of range"),
        (("4x4x3", "2x2x2", "-1"), "The padding of mode 1 is out of range"),
        (("4x4x3", "2x2x2", "1 1"), "The padding has 2 modes"),
        (("4x4x3", "2x2x2", "1+1+1"), "The padding cannot be read"),
        (("4x4x3", "2x2x2", "0", "0"), "The stride, mode 1, is out of range"),
        (("4x4x3", "2x2x2", "0", "1 2"), "The stride has 2 modes"),
        (("4x4x3", "2x2x2", "0", "1", "0"), "The dilation, mode 1, is out of range"),
        (("", "2"), "The input is empty"),
        (("4xtwo", "2"), "The input, mode 2, is not a whole number"),
        (("1000000000", "2"), "The input, mode 1, is out of range"),
        (("x".join(["2"] * 9), "2"), "The input has 9 modes"),
    ],
)
def test_wrong_sizes_are_one_message(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        convolution_sizes(read_rules(*arguments))


def test_heads_are_at_least_one() -> None:
    with pytest.raises(InputError, match="The number of heads is out of range"):
        convolution_sizes(read_rules("4", "2"), heads=0)


def test_the_lecture_s_network() -> None:
    values = STACKS["lecture"].values
    stack = stack_sizes(values["stack_input"], values["stack"])
    assert [layer.output for layer in stack.layers] == [
        (24, 24, 8), (24, 24, 8), (12, 12, 8), (12, 12, 16), (12, 12, 16), (4, 4, 16), (10,),
    ]  # fmt: skip
    first = stack.layers[0]
    assert (first.parameters, first.multiply_adds) == (208, 24 * 24 * 8 * 25)
    assert "8·5·5·1 + 8 = 208 parameters" in first.formula
    assert [layer.receptive_field for layer in stack.layers[:6]] == [
        (5, 5), (5, 5), (6, 6), (14, 14), (14, 14), (18, 18),
    ]  # fmt: skip
    assert stack.parameters == 208 + 16 * 200 + 16 + 2570
    assert stack.output == (10,)


def test_the_receptive_field_is_what_changes_the_output() -> None:
    """One value of the input after the other is changed, and the outputs that move are looked at."""
    layers = "conv 3x1 dilation 2\npool 2 stride 2\nconv 2x1 stride 2"
    stack = stack_sizes("30x1", layers)
    rules = [
        [ModeRule(30, 3, dilation=2)],
        [ModeRule(26, 2, stride=2)],
        [ModeRule(13, 2, stride=2)],
    ]

    def run(signal: np.ndarray) -> np.ndarray:
        for rule in rules:
            signal = convolve_full(signal, np.ones(rule[0].kernel), rule)
        return signal

    base = run(np.zeros(30))
    moved = np.array([run(row)[2] != base[2] for row in np.eye(30)])
    seen = np.flatnonzero(moved)
    assert stack.output == (len(base), 1)
    assert (seen[-1] - seen[0] + 1,) == stack.layers[-1].receptive_field
    assert stack.layers[-1].jump == (4,)


@pytest.mark.parametrize("example", STACKS.values(), ids=STACKS)
def test_every_example_has_sizes(example) -> None:
    assert stack_sizes(example.values["stack_input"], example.values["stack"]).parameters > 0


@pytest.mark.parametrize(
    ("sizes", "layers", "message"),
    [
        ("24x24x1", "conv 30x30x8", r"Layer 1 \(“conv 30x30x8”\): Mode 1: The filter spans 30, .*size zero"),
        ("24x24x1", "relu; pool 25x25", "Layer 2 .*size zero"),
        ("24x24x1", "conv 5x5x8 stride 0", "The stride, mode 1, is out of range"),
        ("24x24x1", "conv 5x5x8 pad -1", "The pad, mode 1, is out of range"),
        ("24x24x1", "conv 5x5", "The filter does not fit the input"),
        ("24x24x1", "conv 5x5x8 width 2", "stride, pad and dilation"),
        ("24x24x1", "conv 5x5x8 pad", "It cannot be read"),
        ("24x24x1", "flatten; conv 5x5x8", "Nothing slides over a flat input"),
        ("24x24x1", "dense 0", "The number of units is out of range"),
        ("24x24x1", "magic", "It cannot be read"),
        ("24", "relu", "needs a mode for its channels"),
        ("24x24x1", "relu;" * (MAX_LAYERS + 1), "There are 201 layers"),
        ("24x24x1", "r" * 10_001, "The stack has 10,001 characters"),
    ],
)
def test_wrong_stacks_are_one_message(sizes: str, layers: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        stack_sizes(sizes, layers)
