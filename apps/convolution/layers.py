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
from typing import ClassVar

from apps.convolution.numbers import MAX_NUMBERS, check_value, check_whole, exact, read_number, read_whole
from data_prep.errors import InputError

MAX_LAYERS = 8
MAX_TEXT = 2_000
PADDINGS = ("valid", "zero", "cyclic")
POOLINGS = ("max", "sum", "average")


@dataclasses.dataclass(frozen=True)
class Convolution:
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

    weights: tuple[float, ...]
    flip: bool = False
    padding: str = "valid"
    before: int = 0
    after: int = 0
    stride: int = 1
    dilation: int = 1
    bias: float = 0.0

    def __post_init__(self) -> None:
        """Check the arguments."""
        if not 1 <= len(self.weights) <= MAX_NUMBERS:
            raise InputError(f"The kernel has {len(self.weights)} weights", allowed=f"1 to {MAX_NUMBERS}")
        for weight in self.weights:
            check_value(weight, "A weight")
        if self.padding not in PADDINGS:
            raise InputError("Unknown padding", allowed=", ".join(PADDINGS), received=self.padding)
        check_whole(self.before, "The padding before the signal", 0, MAX_NUMBERS)
        check_whole(self.after, "The padding behind the signal", 0, MAX_NUMBERS)
        if self.padding != "zero" and (self.before or self.after):
            raise InputError("Numbers of zeros go with zero padding only", received=self.padding)
        check_whole(self.stride, "The stride", 1, MAX_NUMBERS)
        check_whole(self.dilation, "The dilation", 1, MAX_NUMBERS)
        check_value(self.bias, "The bias")

    @property
    def extent(self) -> int:
        """How many values of the signal the kernel spans."""
        return (len(self.weights) - 1) * self.dilation + 1

    def __str__(self) -> str:
        """Write the layer as :func:`read_layers` reads it."""
        zeros = f" {self.before} {self.after}" if self.padding == "zero" else ""
        text = f"{'convolve' if self.flip else 'correlate'} {' '.join(map(exact, self.weights))} "
        text += self.padding + zeros
        text += f" stride {self.stride}" * (self.stride != 1) + f" dilation {self.dilation}" * (
            self.dilation != 1
        )
        return text + f" bias {exact(self.bias)}" * (self.bias != 0)


@dataclasses.dataclass(frozen=True)
class Bias:
    """A number that is added to every value."""

    value: float

    def __post_init__(self) -> None:
        """Check the number."""
        check_value(self.value, "The bias")

    def __str__(self) -> str:
        """Write the layer as :func:`read_layers` reads it."""
        return f"bias {exact(self.value)}"


@dataclasses.dataclass(frozen=True)
class Relu:
    """The pointwise nonlinearity ``[z]+``: what is negative becomes 0."""

    def __str__(self) -> str:
        """Write the layer as :func:`read_layers` reads it."""
        return "relu"


@dataclasses.dataclass(frozen=True)
class Pool:
    """One value for a group of values.

    Args:
        kind: ``"max"``, ``"sum"`` or ``"average"``.
        size: Values of a group; None for the whole signal.
        stride: Steps between two groups; None for blocks side by side.

    Raises:
        InputError: The kind is unknown, or a number is out of range.
    """

    kind: str
    size: int | None = None
    stride: int | None = None

    FUNCTIONS: ClassVar[dict[str, Callable[[Sequence[float]], float]]] = {
        "max": max,
        "sum": sum,
        "average": lambda values: sum(values) / len(values),
    }

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.kind not in POOLINGS:
            raise InputError("Unknown pooling", allowed=", ".join(POOLINGS), received=self.kind)
        if self.size is None:
            if self.stride is not None:
                raise InputError("A stride goes with a window, not with pooling the whole signal")
            return
        check_whole(self.size, "The size of the groups", 1, MAX_NUMBERS)
        check_whole(self.step, "The stride", 1, MAX_NUMBERS)

    @property
    def step(self) -> int:
        """Steps between two groups."""
        return self.stride if self.stride is not None else self.size or 1

    def __str__(self) -> str:
        """Write the layer as :func:`read_layers` reads it."""
        if self.size is None:
            return self.kind
        if self.stride is None or self.stride == self.size:
            return f"{self.kind} blocks {self.size}"
        return f"{self.kind} window {self.size} stride {self.stride}"


Layer = Convolution | Bias | Relu | Pool


def read_layers(text: str) -> tuple[Layer, ...]:
    """Read layers, one a line or separated by semicolons; the module's docstring has the language.

    Args:
        text: At most 2,000 characters and 8 layers.

    Returns:
        The layers in order.

    Raises:
        InputError: The text is too long, or a layer cannot be read; the message names it.
    """
    if len(text) > MAX_TEXT:
        raise InputError(f"The layers have {len(text):,} characters", allowed=f"at most {MAX_TEXT:,}")
    lines = [line.strip() for line in re.split(r"[\n;]", text) if line.strip()]
    if len(lines) > MAX_LAYERS:
        raise InputError(f"There are {len(lines)} layers", allowed=f"at most {MAX_LAYERS}")
    return tuple(_layer(line) for line in lines)


def _layer(line: str) -> Layer:
    kind, *words = re.split(r"[\s,]+", line.lower())
    if kind in ("correlate", "convolve"):
        return _convolution(kind == "convolve", words, line)
    if kind == "bias" and len(words) == 1:
        return Bias(read_number(words[0], "The bias"))
    if kind == "relu" and not words:
        return Relu()
    if kind in POOLINGS:
        return _pool(kind, words, line)
    raise InputError(
        "A layer cannot be read",
        allowed="correlate, convolve, bias, relu, max, sum, average, as in “correlate -1 1 cyclic”",
        received=line,
    )


def _convolution(flip: bool, words: list[str], line: str) -> Convolution:
    weights, rest = [], list(words)
    while rest and not rest[0].isalpha():
        weights.append(read_number(rest.pop(0), "A weight"))
    options: dict[str, object] = {}
    while rest:
        word = rest.pop(0)
        if word in PADDINGS and "padding" not in options:
            options["padding"] = word
            zeros = [rest.pop(0) for _ in range(2) if rest and not rest[0].isalpha()]
            if word == "zero":
                options |= _zeros(zeros, len(weights), rest)
            elif zeros:
                raise InputError("Numbers of zeros go with zero padding only", received=line)
        elif word in ("stride", "dilation") and word not in options and rest:
            options[word] = read_whole(rest.pop(0), f"The {word}", 1, MAX_NUMBERS)
        elif word == "bias" and word not in options and rest:
            options["bias"] = read_number(rest.pop(0), "The bias")
        else:
            raise InputError(
                f"The layer cannot be read at “{word}”",
                allowed="valid, zero BEFORE AFTER, cyclic, stride N, dilation N, bias B, each once",
                received=line,
            )
    return Convolution(tuple(weights), flip, **options)  # type: ignore[arg-type]


def _zeros(given: list[str], weights: int, rest: list[str]) -> dict[str, int]:
    """Take the number of zeros; without numbers as many as keep the size of the signal at stride 1."""
    if given:
        counts = [read_whole(word, "The padding", 0, MAX_NUMBERS) for word in given]
        return {"before": counts[0], "after": counts[-1]}
    dilation = 1
    if "dilation" in rest[:-1]:
        dilation = read_whole(rest[rest.index("dilation") + 1], "The dilation", 1, MAX_NUMBERS)
    total = max(weights - 1, 0) * dilation
    return {"before": min(total // 2, MAX_NUMBERS), "after": min(total - total // 2, MAX_NUMBERS)}


def _pool(kind: str, words: list[str], line: str) -> Pool:
    match words:
        case []:
            return Pool(kind)
        case ["blocks", size]:
            return Pool(kind, read_whole(size, "The size of the blocks", 1, MAX_NUMBERS))
        case ["window", size]:
            return Pool(kind, read_whole(size, "The window", 1, MAX_NUMBERS), 1)
        case ["window", size, "stride", stride]:
            return Pool(
                kind,
                read_whole(size, "The window", 1, MAX_NUMBERS),
                read_whole(stride, "The stride", 1, MAX_NUMBERS),
            )
    raise InputError(
        "A pooling layer cannot be read",
        allowed=f"{kind}, {kind} blocks 2, or {kind} window 3 stride 1",
        received=line,
    )
