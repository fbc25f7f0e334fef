"""Sizes of convolutions with any number of modes: output, parameters, multiply-adds, receptive field, formula."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Le

from apps.convolution.numbers import MAX_SIZE, check_whole, located, one_a_mode, read_sizes, read_whole
from apps.shared.language import N_
from apps.shared.results import Result
from data_prep.errors import InputError
from data_prep.fields import Checked

FORMULA = N_("⌊(n + before + after − d·(k − 1) − 1) / s⌋ + 1")
BOUNDARIES = ("valid", "zero", "cyclic")
Size = Annotated[int, Ge(1), Le(MAX_SIZE)]
Zeros = Annotated[int, Ge(0), Le(MAX_SIZE)]


@dataclasses.dataclass(frozen=True)
class ModeRule(Result, Checked):
    """How a filter slides along one mode.

    Raises:
        InputError: A number is out of range, or a cyclic mode is shorter than the filter.
    """

    size: Size  # of the input in this mode, n
    kernel: Size  # of the filter, k
    before: Zeros = 0  # values of the padding before the input
    after: Zeros = 0  # values of the padding behind it
    stride: Size = 1  # steps between two positions of the filter, s
    dilation: Size = 1  # steps between two weights, d
    cyclic: bool = False  # whether the padding is the other end of the input; else it is zeros

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        if self.cyclic and self.extent > self.size:
            raise InputError(
                f"The filter ({self.extent}) is longer than the cyclic mode ({self.size})",
                allowed=f"a filter of at most {self.size}",
            )

    @property
    def extent(self) -> int:
        """How much of the input the filter spans: its receptive field."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def padded(self) -> int:
        """Size of the input with its padding."""
        return self.size + self.before + self.after

    @property
    def output(self) -> int:
        """Number of positions; raises InputError where there is none: the output would have size zero."""
        if self.extent > self.padded:
            raise InputError(
                f"The filter spans {self.extent}, the padded input {self.padded}: the output would have size zero",
                allowed="a filter that fits the padded input",
                remedy="Take a smaller filter or dilation, or more padding",
            )
        return (self.padded - self.extent) // self.stride + 1

    @property
    def unused(self) -> int:
        """Values at the end of the padded input that no position of the filter reaches."""
        return (self.padded - self.extent) % self.stride

    @property
    def formula(self) -> str:
        """:data:`FORMULA` with its numbers and result."""
        return (
            f"⌊({self.size} + {self.before} + {self.after} − {self.dilation}·({self.kernel} − 1) − 1) / {self.stride}⌋ "
            f"+ 1 = {self.output}"
        )

    def bounded(self, boundary: str, *, flip: bool = False) -> ModeRule:
        """Pad so that stride 1 keeps the size: ``"zero"`` or ``"cyclic"``; a flipped filter looks back."""
        total = 0 if boundary == "valid" else self.extent - 1
        before = total // 2 if boundary == "zero" else total * flip
        return dataclasses.replace(self, before=before, after=total - before, cyclic=boundary == "cyclic")


@dataclasses.dataclass(frozen=True)
class Sizes(Result):
    """Sizes of one full convolution."""

    rules: tuple[ModeRule, ...]  # one a mode
    output: tuple[int, ...]  # size of each mode of the output; several heads add one more mode at the end
    parameters: int  # weights and one bias a head
    multiply_adds: int  # products of the whole output

    @property
    def receptive_field(self) -> tuple[int, ...]:
        """What one output sees of the input in each mode."""
        return tuple(rule.extent for rule in self.rules)


def convolution_sizes(rules: Sequence[ModeRule], heads: int = 1) -> Sizes:
    """Compute the sizes of a full convolution of several filters side by side, the heads.

    Raises:
        InputError: A number is out of range, or the output would have size zero; the message names the mode.
    """
    check_whole(heads, "The number of heads", 1, MAX_SIZE)
    output = []
    for at, rule in enumerate(rules, start=1):
        with located(f"Mode {at}"):
            output.append(rule.output)
    weights = math.prod(rule.kernel for rule in rules)
    products = heads * weights * math.prod(output)
    output += [heads] * (heads > 1)
    return Sizes(tuple(rules), tuple(output), heads * (weights + 1), products)


def read_rules(
    sizes: str, kernel: str, padding: str = "0", stride: str = "1", dilation: str = "1"
) -> tuple[ModeRule, ...]:
    """Read the rules of all modes; padding, stride and dilation are one a mode or one for all.

    Args:
        sizes: Of the input, such as ``"4x4x3"``.
        kernel: Of the filter, such as ``"2x2x2"``.
        padding: ``"1"`` on both sides or ``"0+1"`` before and behind.
        stride: Such as ``"2,2,1"``.
        dilation: The same.

    Raises:
        InputError: Something cannot be read, is out of range, or differs in the number of modes.
    """
    inputs, filters = read_sizes(sizes, "The input"), read_sizes(kernel, "The filter")
    count = len(inputs)
    if len(filters) != count:
        raise InputError(
            f"The filter has {len(filters)} modes and the input {count}",
            allowed="as many modes, for a full convolution",
            received=kernel,
        )
    words = padding.replace(",", " ").split() or ["0"]
    zeros = one_a_mode([_zeros(word, at) for at, word in enumerate(words, 1)], count, "The padding", padding)
    strides = read_sizes(stride, "The stride", modes=count)
    dilations = read_sizes(dilation, "The dilation", modes=count)
    return tuple(
        ModeRule(n, k, before, after, s, d)
        for n, k, (before, after), s, d in zip(inputs, filters, zeros, strides, dilations, strict=True)
    )


def _zeros(word: str, at: int) -> tuple[int, int]:
    """Read ``"1"`` or ``"0+1"``."""
    sides = word.split("+") if not word.startswith("+") else [word]
    if len(sides) > 2:
        raise InputError("The padding cannot be read", allowed="such as 1 or 0+1", received=word)
    counts = [read_whole(side, f"The padding of mode {at}", 0, MAX_SIZE) for side in sides]
    return counts[0], counts[-1]
