"""Full convolution of tensors with any number of modes: the rule that every kind is made of.

A *full* convolution slides a filter with as many modes as the input over all of them, unflipped, as in networks.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from apps.convolution.numbers import at_most, written_sizes
from apps.convolution.sizes import ModeRule
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_PRODUCTS = 2_000_000  # multiply-adds of one convolution, a fraction of a second
MAX_ELEMENTS = 1_000_000  # of the padded input and of the output: 8 MB each


@dataclasses.dataclass(frozen=True, slots=True)
class Product(Result):
    """One product of an output."""

    place: tuple[int, ...] | None  # position in the input, or None for a zero of the padding
    value: float  # what stands there
    weight: float  # the filter's weight
    tap: tuple[int, ...]  # position of the weight in the filter


def convolve_full(tensor: np.ndarray, kernel: np.ndarray, rules: Sequence[ModeRule]) -> np.ndarray:
    """Slide a filter over every mode of a tensor (cross-correlation), to a float64 array with as many modes.

    There is one rule a mode, with its sizes. InputError where the modes differ, the output would have size zero, or
    there is too much to compute.
    """
    tensor, kernel = np.asarray(tensor, np.float64), np.asarray(kernel, np.float64)
    if (tensor.shape, kernel.shape) != tuple(zip(*((rule.size, rule.kernel) for rule in rules), strict=True)):
        raise InputError(
            "The filter does not fit the input: their modes differ",
            allowed=f"a filter of {tensor.ndim} modes",
            received=f"input {written_sizes(tensor.shape)}, filter {written_sizes(kernel.shape)}",
        )
    positions = [rule.output for rule in rules]
    elements = max(math.prod(rule.padded for rule in rules), math.prod(positions))
    check_limits(elements, math.prod(positions) * kernel.size)
    return np.tensordot(windows(tensor, rules), kernel, axes=kernel.ndim)


def windows(tensor: np.ndarray, rules: Sequence[ModeRule]) -> np.ndarray:
    """What each position of a filter reads, zeros for the padding: (*positions, *taps)."""
    for cyclic, mode in ((False, "constant"), (True, "wrap")):
        widths = [(rule.before, rule.after) if rule.cyclic == cyclic else (0, 0) for rule in rules]
        tensor = np.pad(tensor, widths, mode=mode)
    steps = [rule.stride for rule in rules] + [rule.dilation for rule in rules]  # of positions, of weights
    found = np.lib.stride_tricks.sliding_window_view(tensor, [rule.extent for rule in rules])
    return found[tuple(slice(None, None, step) for step in steps)]


def numbered(array: np.ndarray) -> np.ndarray:
    """Number the elements of an array from 1; 0 is what the padding gives."""
    return np.arange(1, array.size + 1).reshape(array.shape)


def products_of(
    tensor: np.ndarray, kernel: np.ndarray, places: np.ndarray, taps: np.ndarray
) -> tuple[Product, ...]:
    """List the products of the values and weights that meet, by their numbers, in the order of the filter."""
    found = []
    for number, weight in sorted(zip(places.flat, taps.flat, strict=True), key=lambda pair: pair[1]):
        place = _position(number, tensor) if number else None
        tap = _position(weight, kernel)
        found.append(Product(place, float(tensor[place]) if place else 0.0, float(kernel[tap]), tap))
    return tuple(found)


def check_limits(elements: int, products: int) -> None:
    """Refuse what would take too long, before anything is allocated."""
    at_most(elements, MAX_ELEMENTS, "A tensor would have", "elements")
    at_most(products, MAX_PRODUCTS, "The convolution would take", "multiply-adds")


def _position(number: float, array: np.ndarray) -> tuple[int, ...]:
    return tuple(map(int, np.unravel_index(int(number) - 1, array.shape)))
