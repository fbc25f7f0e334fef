"""Full convolution of tensors with any number of modes, in NumPy: the rule that every kind is made of.

A *full* convolution slides a filter with as many modes as the input over all of them. As in networks, filters are not
flipped (cross-correlation).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from apps.convolution.numbers import MAX_MODES, at_most, check_whole, written_sizes
from apps.convolution.sizes import ModeRule
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_PRODUCTS = 2_000_000  # multiply-adds of one convolution, a fraction of a second
MAX_ELEMENTS = 1_000_000  # of the padded input and of the output: 8 MB each


@dataclasses.dataclass(frozen=True, slots=True)
class Product(Result):
    """One product of an output.

    Attributes:
        place: Position in the input, or None for a zero of the padding.
        value: What stands there.
        weight: The filter's weight.
        tap: Position of the weight in the filter.
    """

    place: tuple[int, ...] | None
    value: float
    weight: float
    tap: tuple[int, ...]


def convolve_full(
    tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule] | None = None
) -> np.ndarray:
    """Slide a filter over every mode of a tensor (cross-correlation).

    Args:
        tensor: The input, 1 to 8 modes.
        kernel: The filter, as many modes.
        rules: Padding, stride and dilation of each mode, with the sizes of ``tensor`` and ``kernel``; None: valid.

    Returns:
        float64 array with as many modes.

    Raises:
        InputError: The modes differ in number, the output would have size zero, or there is too much to compute.
    """
    tensor, kernel = np.asarray(tensor, np.float64), np.asarray(kernel, np.float64)
    rules = plain_rules(tensor.shape, kernel.shape) if rules is None else rules
    _check(tensor.shape, kernel.shape, rules)
    for cyclic, mode in ((False, "constant"), (True, "wrap")):
        widths = [(rule.before, rule.after) if rule.cyclic == cyclic else (0, 0) for rule in rules]
        tensor = np.pad(tensor, widths, mode=mode)
    output = np.zeros([rule.output for rule in rules])
    for tap in np.ndindex(*kernel.shape):  # one shifted, strided copy of the input a weight
        output += kernel[tap] * tensor[strided(tap, rules, output.shape)]
    return output


def strided(tap: Sequence[int], rules: Sequence[ModeRule], counts: Sequence[int]) -> tuple[slice, ...]:
    """Say where a weight reads for a count of positions of the filter in each mode (transposed: where it writes)."""
    return tuple(
        slice(k * rule.dilation, k * rule.dilation + (count - 1) * rule.stride + 1, rule.stride)
        for k, rule, count in zip(tap, rules, counts, strict=True)
    )


def products_at(
    tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule], at: Sequence[int]
) -> tuple[Product, ...]:
    """List the products whose sum is one output of :func:`convolve_full`, in the order of the filter."""
    found = []
    for tap in np.ndindex(*kernel.shape):
        place = tuple(rule.place(start, k) for rule, start, k in zip(rules, at, tap, strict=True))
        value = 0.0 if None in place else float(tensor[place])
        found.append(Product(None if None in place else place, value, float(kernel[tap]), tap))
    return tuple(found)


def plain_rules(inputs: Sequence[int], kernel: Sequence[int]) -> tuple[ModeRule, ...]:
    """Give valid positions, stride 1 and dilation 1 in every mode."""
    if len(inputs) != len(kernel):
        raise InputError(
            "A full convolution needs a filter with as many modes as the input",
            allowed=f"{len(inputs)} modes",
            received=f"{len(kernel)} modes",
        )
    return tuple(map(ModeRule, inputs, kernel))


def check_limits(elements: int, products: int) -> None:
    """Refuse what would take too long, before anything is allocated."""
    at_most(elements, MAX_ELEMENTS, "A tensor would have", "elements")
    at_most(products, MAX_PRODUCTS, "The convolution would take", "multiply-adds")


def _check(inputs: Sequence[int], kernel: Sequence[int], rules: Sequence[ModeRule]) -> None:
    check_whole(len(inputs), "The number of modes", 1, MAX_MODES)
    if [rule.size for rule in rules] != list(inputs) or [rule.kernel for rule in rules] != list(kernel):
        raise InputError(
            "The filter does not fit the input: their modes differ",
            allowed=f"a filter of {len(inputs)} modes",
            received=f"input {written_sizes(inputs)}, filter {written_sizes(kernel)}",
        )
    positions = math.prod(rule.output for rule in rules)
    check_limits(max(math.prod(rule.padded for rule in rules), positions), positions * math.prod(kernel))
