"""Convolution and pooling of one signal, layer by layer, with every product and every sum."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from apps.convolution.layers import MAX_LAYERS, Layer
from apps.convolution.numbers import MAX_NUMBERS, at_most, check_value, located, written
from apps.shared.results import Result
from data_prep.errors import InputError


@dataclasses.dataclass(frozen=True, slots=True)
class Term(Result):
    """One product of a sum.

    Attributes:
        index: Position in the layer's input, from 0, or None for a zero of the padding.
        value: What stands there.
        weight: What it is multiplied by.
    """

    index: int | None
    value: float
    weight: float


@dataclasses.dataclass(frozen=True, slots=True)
class Stage(Result):
    """What one layer made.

    Attributes:
        layer: The layer as it is written.
        name: What it does, for people.
        values: Its output.
        terms: For each output the products that it is made of.
        sums: For each output the arithmetic with its numbers, such as ``"-1·0 + 1·1 = 1"``.
        unused: How many values at the end of the input no output reads.
    """

    layer: str
    name: str
    values: tuple[float, ...]
    terms: tuple[tuple[Term, ...], ...]
    sums: tuple[str, ...]
    unused: int


@dataclasses.dataclass(frozen=True, slots=True)
class SignalResult(Result):
    """A signal and what each layer made of it.

    Attributes:
        signal: The input.
        stages: One a layer.
    """

    signal: tuple[float, ...]
    stages: tuple[Stage, ...]

    @property
    def output(self) -> tuple[float, ...]:
        """What the last layer gave."""
        return self.stages[-1].values if self.stages else self.signal


def run_signal(signal: Sequence[float], layers: Sequence[Layer]) -> SignalResult:
    """Send a signal through layers.

    Args:
        signal: 1 to 64 numbers.
        layers: At most 8.

    Returns:
        The output of every layer with every product and sum.

    Raises:
        InputError: Signal or layers are too many, or a kernel or group is longer than what it slides over.
    """
    if not 1 <= len(signal) <= MAX_NUMBERS:
        raise InputError(f"The signal has {len(signal)} numbers", allowed=f"1 to {MAX_NUMBERS}")
    at_most(len(layers), MAX_LAYERS, "There are", "layers")
    values = tuple(check_value(value, "A number of the signal") for value in signal)
    stages: list[Stage] = []
    for layer in layers:
        stages.append(_stage(stages[-1].values if stages else values, layer))
    return SignalResult(values, tuple(stages))


def _stage(signal: tuple[float, ...], layer: Layer) -> Stage:
    with located(f"“{layer}”"):
        rule = layer.rule(len(signal))
        positions = range(rule.output)
    weights = layer.weights or (1.0,) * rule.kernel
    values, terms, sums = [], [], []
    for at in positions:
        places = [rule.place(at, k) for k in range(rule.kernel)]
        places = places[::-1] if layer.flip else places
        read = [0.0 if place is None else signal[place] for place in places]
        value, text = layer.output(read)
        values.append(check_value(value, f"A result of “{layer}”"))
        terms.append(tuple(map(Term, places, read, weights)))
        sums.append(f"{text} = {written(value)}")
    last = max((term.index for row in terms for term in row if term.index is not None), default=-1)
    return Stage(str(layer), layer.name, tuple(values), tuple(terms), tuple(sums), len(signal) - 1 - last)
