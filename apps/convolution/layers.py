"""Layers of one signal and how they are written, one a line, as the slides of the lecture name them.

::

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
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from annotated_types import Ge, Le

from apps.convolution.numbers import (
    MAX_NUMBERS,
    MAX_VALUE,
    exact,
    read_lines,
    read_number,
    read_whole,
    written,
    written_factor,
    written_row,
)
from apps.convolution.sizes import BOUNDARIES, ModeRule
from data_prep.errors import InputError
from data_prep.fields import Checked

MAX_LAYERS = 8
MAX_TEXT = 2_000
Value = Annotated[float, Ge(-MAX_VALUE), Le(MAX_VALUE)]
Steps = Annotated[int, Ge(1), Le(MAX_NUMBERS)]
Zeros = Annotated[int, Ge(0), Le(MAX_NUMBERS)]
_POOLINGS: dict[str, Callable[[Sequence[float]], float]] = {
    "max": max,
    "sum": sum,
    "average": lambda values: sum(values) / len(values),
}


class Layer(Checked):
    """What slides over a signal: a window that reads some of its values, and one output made of them.

    Attributes:
        name: What it does, for people.
        weights: What the values of the window are multiplied by; none for 1.
        flip: Whether the first weight meets the window's last value.
    """

    name: str
    weights: tuple[float, ...] = ()
    flip = False

    def rule(self, length: int) -> ModeRule:
        """Say how the window slides over a signal of a length: value by value, unless the layer says more."""
        return ModeRule(length, 1)

    def output(self, read: Sequence[float]) -> tuple[float, str]:
        """Make an output of the values that the window reads, and write how it comes about."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Convolution(Layer):
    """A kernel that slides over the signal.

    Args:
        weights: Of the kernel, 1 to 64.
        flip: True for the convolution of mathematics, False for cross-correlation.
        padding: ``"valid"``, ``"zero"`` or ``"cyclic"`` (as many outputs as inputs, at stride 1).
        before: Zeros before the signal, for ``"zero"``.
        after: Zeros behind it.
        stride: Steps between two outputs.
        dilation: Steps between two weights.
        bias: Added to each output.

    Raises:
        InputError: A number is out of range, or zeros are asked for with another padding.
    """

    weights: tuple[Value, ...]
    flip: bool = False
    padding: Literal["valid", "zero", "cyclic"] = "valid"
    before: Zeros = 0
    after: Zeros = 0
    stride: Steps = 1
    dilation: Steps = 1
    bias: Value = 0.0

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        if not 1 <= len(self.weights) <= MAX_NUMBERS:
            raise InputError(f"The kernel has {len(self.weights)} weights", allowed=f"1 to {MAX_NUMBERS}")
        if self.padding != "zero" and (self.before or self.after):
            raise InputError("Numbers of zeros go with zero padding only", received=self.padding)

    @property
    def name(self) -> str:
        """What it does, for people."""
        kind = "Convolution" if self.flip else "Cross-correlation"
        return f"{kind}, weights {written_row(self.weights)}, {self.padding}"

    def rule(self, length: int) -> ModeRule:
        """How the kernel slides; one that is flipped meets the signal backwards."""
        rule = ModeRule(length, len(self.weights), self.before, self.after, self.stride, self.dilation)
        return rule.bounded("cyclic", flip=self.flip) if self.padding == "cyclic" else rule

    def output(self, read: Sequence[float]) -> tuple[float, str]:
        """Sum up the products."""
        pairs = list(zip(self.weights, read, strict=True))
        text = " + ".join(f"{written_factor(weight)}·{written_factor(value)}" for weight, value in pairs)
        text += f" + {written_factor(self.bias)}" * (self.bias != 0)
        return sum(value * weight for weight, value in pairs) + self.bias + 0.0, text

    def __str__(self) -> str:
        """Write the layer as :func:`read_layers` reads it."""
        words = ["convolve" if self.flip else "correlate", *map(exact, self.weights), self.padding]
        words += [f"{self.before} {self.after}"] * (self.padding == "zero")
        words += [f"stride {self.stride}"] * (self.stride != 1)
        words += [f"dilation {self.dilation}"] * (self.dilation != 1)
        return " ".join(words + [f"bias {exact(self.bias)}"] * (self.bias != 0))


@dataclasses.dataclass(frozen=True)
class Bias(Layer):
    """A number that is added to every value."""

    number: Value

    @property
    def name(self) -> str:
        """What it does, for people."""
        return f"Bias {written(self.number)}"

    def output(self, read: Sequence[float]) -> tuple[float, str]:
        """Add the number."""
        return read[0] + self.number, f"{written(read[0])} + {written_factor(self.number)}"

    def __str__(self) -> str:
        """Write the layer as :func:`read_layers` reads it."""
        return f"bias {exact(self.number)}"


@dataclasses.dataclass(frozen=True)
class Relu(Layer):
    """The pointwise nonlinearity ``[z]+``: what is negative becomes 0."""

    name = "ReLU [z]₊"

    def output(self, read: Sequence[float]) -> tuple[float, str]:
        """Take what is positive."""
        return max(read[0], 0.0), f"max(0, {written(read[0])})"

    def __str__(self) -> str:
        """Write the layer as :func:`read_layers` reads it."""
        return "relu"


@dataclasses.dataclass(frozen=True)
class Pool(Layer):
    """One value for a group of values.

    Args:
        kind: ``"max"``, ``"sum"`` or ``"average"``.
        size: Values of a group; None for the whole signal.
        stride: Steps between two groups; None for blocks side by side.

    Raises:
        InputError: The kind is unknown, or a number is out of range.
    """

    kind: Literal["max", "sum", "average"]
    size: Steps | None = None
    stride: Steps | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        if self.size is None and self.stride is not None:
            raise InputError("A stride goes with a window, not with pooling the whole signal")

    @property
    def name(self) -> str:
        """What it does, for people."""
        scope = f"windows of {self.size}, stride {self.stride}"
        if self.stride in (None, self.size):
            scope = "the whole signal" if self.size is None else f"blocks of {self.size}"
        return f"{self.kind.capitalize()}-pool of {scope}"

    def rule(self, length: int) -> ModeRule:
        """Say how the group slides."""
        size = self.size or length
        return ModeRule(length, size, stride=self.stride or size)

    def output(self, read: Sequence[float]) -> tuple[float, str]:
        """Make one value of a group."""
        text = f"max({', '.join(map(written, read))})"
        if self.kind != "max":
            text = " + ".join(map(written_factor, read))
        if self.kind == "average":
            text = f"({text}) / {len(read)}"
        return float(_POOLINGS[self.kind](read)), text

    def __str__(self) -> str:
        """Write the layer as :func:`read_layers` reads it."""
        if self.stride in (None, self.size):
            return self.kind if self.size is None else f"{self.kind} blocks {self.size}"
        return f"{self.kind} window {self.size} stride {self.stride}"


def read_layers(text: str) -> tuple[Layer, ...]:
    """Read layers, one a line or separated by semicolons; the module's docstring has the language.

    Args:
        text: At most 2,000 characters and 8 layers.

    Returns:
        The layers in order.

    Raises:
        InputError: The text is too long, or a layer cannot be read; the message names it.
    """
    lines = read_lines(text, "The text of the layers has", "layers", characters=MAX_TEXT, lines=MAX_LAYERS)
    return tuple(map(_layer, lines))


def _layer(line: str) -> Layer:
    kind, *words = re.split(r"[\s,]+", line.lower())
    if kind in ("correlate", "convolve"):
        return _convolution(kind == "convolve", words, line)
    if kind == "bias" and len(words) == 1:
        return Bias(read_number(words[0], "The bias"))
    if kind == "relu" and not words:
        return Relu()
    if kind in _POOLINGS:
        return _pool(kind, words, line)
    raise InputError(
        "A layer cannot be read",
        allowed="correlate, convolve, bias, relu, max, sum, average, as in “correlate -1 1 cyclic”",
        received=line,
    )


def _convolution(flip: bool, words: list[str], line: str) -> Convolution:
    weights = []
    while words and not words[0].isalpha():
        weights.append(read_number(words.pop(0), "A weight"))
    options: dict[str, object] = {}
    zeros: list[int] = []
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
    layer = Convolution(tuple(weights), flip, **options)  # type: ignore[arg-type]
    if layer.padding == "zero" and not zeros:  # as many as keep the size of the signal at stride 1
        rule = layer.rule(MAX_NUMBERS).bounded("zero")
        zeros = [rule.before, rule.after]
    return dataclasses.replace(layer, before=zeros[0], after=zeros[-1]) if zeros else layer


def _pool(kind: str, words: list[str], line: str) -> Pool:
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
    return Pool(kind, *sizes, *[1] * (names == ["window"]))
