"""Convolution and pooling of one signal, layer by layer, with every product and every sum."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from apps.convolution.layers import MAX_LAYERS, Bias, Convolution, Layer, Pool, Relu
from apps.convolution.numbers import MAX_NUMBERS, check_value, written, written_row
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
    if len(layers) > MAX_LAYERS:
        raise InputError(f"There are {len(layers)} layers", allowed=f"at most {MAX_LAYERS}")
    values = tuple(check_value(value, "A number of the signal") for value in signal)
    stages: list[Stage] = []
    for layer in layers:
        stage = _RUN[type(layer)](stages[-1].values if stages else values, layer)
        for value in stage.values:
            check_value(value, f"A result of “{layer}”")
        stages.append(stage)
    return SignalResult(values, tuple(stages))


def places(length: int, layer: Convolution) -> list[tuple[int | None, ...]]:
    """Find what each output of a convolution reads.

    Args:
        length: Of the signal.
        layer: The convolution.

    Returns:
        For each output the position that meets each weight, in the order of the weights; None is a zero of the padding.

    Raises:
        InputError: The kernel is longer than the padded signal, so the output would have size zero.
    """
    padded = length + layer.before + layer.after
    if layer.extent > padded:
        dilated = f", {layer.extent} with its dilation," if layer.dilation > 1 else ""
        zeros = " with its zeros" if layer.padding == "zero" else ""
        raise InputError(
            f"The kernel ({len(layer.weights)} weights{dilated}) is longer than the signal{zeros} ({padded}), so the "
            "output would have size zero",
            allowed=f"a kernel of at most {padded}",
            remedy="Take a shorter kernel, or zero padding",
        )
    reach = [k * layer.dilation for k in range(len(layer.weights))]
    if layer.padding == "cyclic":
        sign = -1 if layer.flip else 1
        return [tuple((at + sign * k) % length for k in reach) for at in range(0, length, layer.stride)]
    last = layer.extent - 1
    found = []
    for start in range(-layer.before, padded - layer.before - last, layer.stride):
        spots = [start + (last - k if layer.flip else k) for k in reach]
        found.append(tuple(spot if 0 <= spot < length else None for spot in spots))
    return found


def _convolved(signal: tuple[float, ...], layer: Convolution) -> Stage:
    terms = tuple(
        tuple(
            Term(spot, 0.0 if spot is None else signal[spot], weight)
            for spot, weight in zip(spots, layer.weights, strict=True)
        )
        for spots in places(len(signal), layer)
    )
    values = tuple(sum(term.value * term.weight for term in row) + layer.bias + 0.0 for row in terms)
    sums = tuple(
        " + ".join(f"{_factor(term.weight)}·{_factor(term.value)}" for term in row)
        + (f" + {_factor(layer.bias)}" if layer.bias else "")
        + f" = {written(value)}"
        for row, value in zip(terms, values, strict=True)
    )
    kind = "Convolution" if layer.flip else "Cross-correlation"
    name = f"{kind}, weights {written_row(layer.weights)}, {layer.padding}"
    read = {term.index for row in terms for term in row}
    unused = 0
    while unused < len(signal) and len(signal) - 1 - unused not in read:
        unused += 1
    return Stage(str(layer), name, values, terms, sums, unused)


def _biased(signal: tuple[float, ...], layer: Bias) -> Stage:
    values = tuple(value + layer.value for value in signal)
    sums = tuple(
        f"{written(before)} + {_factor(layer.value)} = {written(after)}"
        for before, after in zip(signal, values, strict=True)
    )
    return Stage(str(layer), f"Bias {written(layer.value)}", values, _each(signal), sums, 0)


def _rectified(signal: tuple[float, ...], layer: Relu) -> Stage:
    values = tuple(max(value, 0.0) for value in signal)
    sums = tuple(
        f"max(0, {written(before)}) = {written(after)}" for before, after in zip(signal, values, strict=True)
    )
    return Stage(str(layer), "ReLU [z]₊", values, _each(signal), sums, 0)


def _pooled(signal: tuple[float, ...], layer: Pool) -> Stage:
    size = len(signal) if layer.size is None else layer.size
    if size > len(signal):
        raise InputError(
            f"A group of {size} is longer than the signal ({len(signal)}), so the output would have size zero",
            allowed=f"groups of at most {len(signal)}",
        )
    starts = range(0, len(signal) - size + 1, layer.step)
    groups = [signal[start : start + size] for start in starts]
    values = tuple(float(Pool.FUNCTIONS[layer.kind](group)) for group in groups)
    terms = tuple(tuple(Term(at, signal[at], 1.0) for at in range(start, start + size)) for start in starts)
    sums = tuple(_pooling(layer.kind, group, value) for group, value in zip(groups, values, strict=True))
    scope = "the whole signal"
    if layer.size is not None:
        scope = f"blocks of {size}" if layer.step == size else f"windows of {size}, stride {layer.step}"
    return Stage(
        str(layer), f"{layer.kind.capitalize()}-pool of {scope}", values, terms, sums,
        len(signal) - (starts[-1] + size),
    )  # fmt: skip


def _pooling(kind: str, group: Sequence[float], value: float) -> str:
    if kind == "max":
        return f"max({', '.join(map(written, group))}) = {written(value)}"
    total = " + ".join(map(_factor, group))
    return (
        f"({total}) / {len(group)} = {written(value)}" if kind == "average" else f"{total} = {written(value)}"
    )


_RUN: dict[type, Callable[..., Stage]] = {
    Convolution: _convolved,
    Bias: _biased,
    Relu: _rectified,
    Pool: _pooled,
}


def _each(signal: Sequence[float]) -> tuple[tuple[Term, ...], ...]:
    return tuple((Term(at, value, 1.0),) for at, value in enumerate(signal))


def _factor(value: float) -> str:
    """Write a number, in brackets if it is negative."""
    return written(value) if value >= 0 else f"({written(value)})"
