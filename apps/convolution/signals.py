"""Convolution and pooling of one signal, layer by layer, with every product and every sum.

Layers are written one a line, as the slides of the lecture name them::

    correlate -1 1 cyclic              z[i] = sum over k of w[k] x[i + k]
    convolve 1 2 zero 1 1 stride 2     z[i] = sum over k of w[k] x[i - k]; one zero before and one behind
    correlate 1 0 -1 valid dilation 2 bias -1
    bias -1
    relu
    max                                over the whole signal; also sum, average
    sum blocks 2                       in blocks of two; "max window 3 stride 1" slides

Neural networks, and the lecture's worked examples, call the cross-correlation a convolution.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.convolution.numbers import (
    MAX_NUMBERS,
    at_most,
    check_value,
    located,
    read_lines,
    read_number,
    read_whole,
    written,
    written_factor,
    written_row,
)
from apps.convolution.sizes import BOUNDARIES, ModeRule
from apps.convolution.tensors import Product, numbered, products_of, windows
from apps.shared.language import N_, _
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_LAYERS = 8
MAX_TEXT = 2_000
CONVOLUTIONS = ("correlate", "convolve")
POOLINGS = {
    "max": N_("Max-pool of {scope}"),
    "sum": N_("Sum-pool of {scope}"),
    "average": N_("Average-pool of {scope}"),
}  # by kind, with what is said about it


@dataclasses.dataclass(frozen=True, slots=True)
class Layer(Result):
    """What slides over a signal: a window that reads some of its values, and one output made of them."""

    text: str  # as it is written
    kind: str  # "correlate", "convolve", "bias", "relu", "max", "sum" or "average"
    weights: tuple[float, ...] = ()  # of a kernel; a pooling layer has none
    padding: str = "valid"  # "valid", "zero" or "cyclic" (as many outputs as inputs, at stride 1)
    zeros: tuple[int, int] | None = None  # before and behind the signal; None for as many as keep its size
    size: int | None = 1  # values of a window; None for the whole signal
    stride: int | None = 1  # steps between two outputs; None for windows side by side
    dilation: int = 1  # steps between two weights
    bias: float = 0.0  # added to each output

    @property
    def flip(self) -> bool:
        """Whether the first weight meets the window's last value."""
        return self.kind == "convolve"

    @property
    def name(self) -> str:
        """What it does, for people."""
        if self.kind in CONVOLUTIONS:
            kind = _("Convolution") if self.flip else _("Cross-correlation")
            weights = written_row(self.weights)
            return _("{kind}, weights {weights}, {padding}", kind=kind, weights=weights, padding=self.padding)
        if self.kind not in POOLINGS:
            return "ReLU [z]₊" if self.kind == "relu" else _("Bias {bias}", bias=written(self.bias))
        scope = _("windows of {size}, stride {stride}", size=self.size, stride=self.stride)
        if self.stride in (None, self.size):
            scope = _("the whole signal") if self.size is None else _("blocks of {size}", size=self.size)
        return _(POOLINGS[self.kind], scope=scope)

    def rule(self, length: int) -> ModeRule:
        """Say how the window slides over a signal of a length."""
        size = len(self.weights) or self.size or length
        rule = ModeRule(length, size, *(self.zeros or ()), stride=self.stride or size, dilation=self.dilation)
        return rule if self.zeros else rule.bounded(self.padding, flip=self.flip)

    def output(self, read: Sequence[float]) -> tuple[float, str]:
        """Make an output of the values that the window reads, and write how it comes about."""
        if self.kind == "bias":
            return read[0] + self.bias, f"{written(read[0])} + {written_factor(self.bias)}"
        if self.kind == "relu":
            return max(read[0], 0.0), f"max(0, {written(read[0])})"
        if self.kind == "max":
            return max(read), f"max({', '.join(map(written, read))})"
        if self.kind in POOLINGS:
            total, text = sum(read), " + ".join(map(written_factor, read))
            return (total, text) if self.kind == "sum" else (total / len(read), f"({text}) / {len(read)}")
        pairs = list(zip(self.weights, read, strict=True))
        text = " + ".join(f"{written_factor(weight)}·{written_factor(value)}" for weight, value in pairs)
        text += f" + {written_factor(self.bias)}" * (self.bias != 0)
        return sum(value * weight for weight, value in pairs) + self.bias, text


@dataclasses.dataclass(frozen=True, slots=True)
class Stage(Result):
    """What one layer made."""

    name: str  # what it does, for people
    values: tuple[float, ...]  # its output
    terms: tuple[tuple[Product, ...], ...]  # for each output the products that it is made of
    sums: tuple[str, ...]  # for each output the arithmetic with its numbers, such as "-1·0 + 1·1 = 1"
    unused: int  # how many values at the end of the input no output reads


@dataclasses.dataclass(frozen=True, slots=True)
class SignalResult(Result):
    """A signal and what each layer made of it."""

    signal: tuple[float, ...]
    stages: tuple[Stage, ...]

    @property
    def output(self) -> tuple[float, ...]:
        """What the last layer gave."""
        return self.stages[-1].values if self.stages else self.signal


def run_signal(signal: Sequence[float], layers: Sequence[Layer]) -> SignalResult:
    """Send a signal of 1 to 64 numbers through at most 8 layers, with every product and sum.

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
    with located(f"“{layer.text}”"):
        rule = layer.rule(len(signal))
        _ = rule.output  # refuses a window that is too long
    inputs, weights = np.array(signal), np.array(layer.weights or (1.0,) * rule.kernel)
    taps = numbered(weights)[::-1] if layer.flip else numbered(weights)
    values, terms, sums = [], [], []
    for places in windows(numbered(inputs), (rule,)):
        terms.append(products_of(inputs, weights, places, taps))
        value, text = layer.output([product.value for product in terms[-1]])
        values.append(check_value(value, f"A result of “{layer.text}”"))
        sums.append(f"{text} = {written(value)}")
    last = max((product.place[0] for row in terms for product in row if product.place), default=-1)
    return Stage(layer.name, tuple(values), tuple(terms), tuple(sums), len(signal) - 1 - last)


def read_layers(text: str) -> tuple[Layer, ...]:
    """Read at most 8 layers, one a line or separated by semicolons; the module's docstring has the language.

    Raises:
        InputError: The text is longer than 2,000 characters, or a layer cannot be read; the message names it.
    """
    lines = read_lines(text, "The text of the layers has", "layers", characters=MAX_TEXT, lines=MAX_LAYERS)
    return tuple(map(_layer, lines))


def _layer(line: str) -> Layer:
    kind, *words = re.split(r"[\s,]+", line.lower())
    options: dict[str, Any] = {}
    if kind in CONVOLUTIONS:
        options = _convolution(words, line)
    elif kind in POOLINGS:
        options = _pool(kind, words, line)
    elif kind == "bias" and len(words) == 1:
        options["bias"] = read_number(words[0], "The bias")
    elif kind != "relu" or words:
        raise InputError(
            "A layer cannot be read",
            allowed="correlate, convolve, bias, relu, max, sum, average, as in “correlate -1 1 cyclic”",
            received=line,
        )
    return Layer(" ".join([kind, *words]), kind, **options)


def _convolution(words: list[str], line: str) -> dict[str, Any]:
    words = words.copy()
    weights, zeros = [], []
    while words and not words[0].isalpha():
        weights.append(read_number(words.pop(0), "A weight"))
    options: dict[str, Any] = {"weights": tuple(weights)}
    while words:
        word = words.pop(0)
        if word in BOUNDARIES and "padding" not in options:
            options["padding"] = word
            while words and not words[0].isalpha() and len(zeros) < 2:
                zeros.append(read_whole(words.pop(0), "The padding", 0, MAX_NUMBERS))
        elif word in ("stride", "dilation") and word not in options and words:
            options[word] = read_whole(words.pop(0), f"The {word}", 1, MAX_NUMBERS)
        elif word == "bias" and word not in options and words:
            options["bias"] = read_number(words.pop(0), "The bias")
        else:
            raise InputError(
                f"The layer cannot be read at “{word}”",
                allowed="valid, zero BEFORE AFTER, cyclic, stride N, dilation N, bias B, each once",
                received=line,
            )
    if not 1 <= len(weights) <= MAX_NUMBERS:
        raise InputError(f"The kernel has {len(weights)} weights", allowed=f"1 to {MAX_NUMBERS}")
    if options.get("padding") == "zero" and zeros:
        options["zeros"] = zeros[0], zeros[-1]
    elif any(zeros):
        raise InputError("Numbers of zeros go with zero padding only", received=options["padding"])
    return options


def _pool(kind: str, words: list[str], line: str) -> dict[str, Any]:
    named = {"blocks": "The size of the blocks", "window": "The window", "stride": "The stride"}
    names, numbers = words[::2], words[1::2]
    if len(names) != len(numbers) or names not in ([], ["blocks"], ["window"], ["window", "stride"]):
        raise InputError(
            "A pooling layer cannot be read",
            allowed=f"{kind}, {kind} blocks 2, or {kind} window 3 stride 1",
            received=line,
        )
    pairs = zip(names, numbers, strict=True)
    sizes = [read_whole(number, named[name], 1, MAX_NUMBERS) for name, number in pairs]
    size, stride = [*sizes, *[1] * (names == ["window"]), None, None][:2]
    return {"size": size, "stride": stride}
