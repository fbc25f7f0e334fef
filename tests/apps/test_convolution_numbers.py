"""Numbers and tensors as they are typed, and that hostile ones cost little memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.convolution.contraction import contract, derivative
from apps.convolution.einsum import read_program
from apps.convolution.kinds import run_kind
from apps.convolution.numbers import (
    exact,
    filled,
    read_numbers,
    read_sizes,
    read_tensor,
    written,
    written_row,
)
from apps.convolution.signals import read_layers, run_signal
from apps.convolution.sizes import convolution_sizes, read_rules
from apps.convolution.stack import stack_sizes
from data_prep.errors import InputError

MOST_BYTES = 200 * 10**6


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0 1 -2.5", (0, 1, -2.5)), ("(0, 1;−2)", (0, 1, -2)), ("1e2", (100,)), (".5 1.", (0.5, 1))],
)
def test_numbers_are_read(text: str, numbers: tuple[float, ...]) -> None:
    assert read_numbers(text, "x") == numbers


@pytest.mark.parametrize(
    ("text", "array"),
    [
        ("((1, 2), (3, 4))", [[1, 2], [3, 4]]),
        ("[[1 2] [3 4]]", [[1, 2], [3, 4]]),
        ("(1, -1)", [1, -1]),
        ("1 -1", [1, -1]),
        ("(5,)", [5]),
        ("[[1. 2.]\n [3. 4.]]", [[1, 2], [3, 4]]),
        ("(.5, +1, 1e-7, 01)", [0.5, 1, 1e-7, 1]),
        ("7", 7),
        ("(((1)))", [[[1]]]),
    ],
)
def test_tensors_are_read(text: str, array: object) -> None:
    assert read_tensor(text, "a").tolist() == array


def test_a_shape_is_filled_with_the_same_numbers_each_time() -> None:
    first = read_tensor("2x3", "a")
    assert first.shape == (2, 3)
    assert np.array_equal(first, read_tensor("2×3", "a"))
    assert set(np.abs(filled((9, 9), 3)).astype(int).flat) == {1, 2, 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("((1, 2), (3))", "its rows differ in length"),
        ("((1, 2)", "a bracket is missing"),
        ("(1, 2))", "a bracket is missing"),
        ("(1, x)", "cannot be read"),
        ("()", "is empty"),
        ("(1e9, 1)", "out of range"),
        ("(1e999, 1)", "out of range"),
        ("(1e0e3, 1)", "is not a number"),
        ("(1 - 2)", "is not a number"),
        ("(" * 9 + "1" + ")" * 9, "too many modes"),
        ("(" * 10_000, "too many modes"),
        ("(" + "1," * 10_001, "characters|bracket"),
        ("1" * 20_001, "characters"),
        ("100000x100000", "elements"),
        ("0x3", "out of range"),
        ("one", "is not a number"),
    ],
)
def test_wrong_tensors_are_one_message(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_tensor(text, "a")


@given(st.text(max_size=50))
def test_any_tensor_is_read_or_refused(text: str) -> None:
    for read in (read_tensor, read_numbers, read_sizes):
        try:
            read(text, "a")
        except InputError:
            continue


@given(st.floats(-1e6, 1e6))
def test_exact_numbers_are_read_back(value: float) -> None:
    assert read_numbers(exact(value), "x") == (value,)


def test_numbers_are_written_short() -> None:
    assert written_row((0.0, -1.0, 1 / 3, 1e-12)) == "(0 -1 0.3333 0)"
    assert written(1234567.0) == "1234567"


HOSTILE: dict[str, Callable[[], object]] = {
    "long signal": lambda: read_numbers("1 " * 10**6, "x"),
    "long kernel": lambda: run_signal((1, 2), read_layers("correlate " + "1 " * 900)),
    "stride 0": lambda: run_signal((1, 2), read_layers("correlate 1 stride 0")),
    "negative padding": lambda: run_signal((1, 2), read_layers("correlate 1 zero -5")),
    "size zero": lambda: convolution_sizes(read_rules("4x4", "5x5")),
    "huge tensor": lambda: run_kind("heads", "1000000x1000000x1000000"),
    "huge filter": lambda: run_kind("heads", "90x90x1", "1000000x1000000", boundary="zero"),
    "huge transposed": lambda: run_kind("transposed", "90x90x1", "9x9", stride=10**6),
    "huge dilation": lambda: run_kind("same", "90x90x1", "3x3", boundary="zero", dilation=10**6),
    "unknown letter": lambda: read_program("ij,jk->q"),
    "mismatched sizes": lambda: contract(read_program("ij,j->i"), {"a": np.ones((2, 3)), "b": np.ones(2)}),
    "a billion elements": lambda: contract(
        read_program("i,j,k->ijk"), {name: np.ones(1000) for name in "abc"}
    ),
    "a billion products": lambda: contract(read_program("i,j,k->"), {name: np.ones(1000) for name in "abc"}),
    "huge derivative": lambda: derivative(read_program("x_i x^i"), {"x": np.ones(10_000)}, "x"),
    "deep brackets": lambda: read_tensor("[" * 19_000, "a"),
    "endless stack": lambda: stack_sizes("9x9x1", "relu\n" * 10**6),
}


@pytest.mark.parametrize("attack", HOSTILE.values(), ids=HOSTILE)
def test_hostile_input_is_one_message_and_takes_little_memory(attack: Callable[[], object]) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as raised:
            attack()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 500
    assert peak < MOST_BYTES


def test_the_largest_that_is_computed_takes_little_memory() -> None:
    tracemalloc.start()
    try:
        run_kind("heads", "100x100x1", "10x10")
        contract(read_program("i,j->ij"), {"a": np.ones(316), "b": np.ones(316)})
        derivative(read_program("x_i x^i"), {"x": np.ones(1000)}, "x")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
