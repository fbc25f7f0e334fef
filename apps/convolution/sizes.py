"""Sizes of convolutions with any number of modes: output, parameters, multiply-adds, receptive field, formula."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from apps.convolution.numbers import MAX_SIZE, check_whole, read_sizes, read_whole
from apps.shared.results import Result
from data_prep.errors import InputError

FORMULA = "⌊(n + before + after − d·(k − 1) − 1) / s⌋ + 1"


@dataclasses.dataclass(frozen=True, slots=True)
class ModeRule(Result):
    """How a filter slides along one mode.

    Args:
        size: Of the input in this mode, n.
        kernel: Of the filter, k.
        before: Zeros before the input.
        after: Zeros behind it.
        stride: Steps between two positions of the filter, s.
        dilation: Steps between two weights, d.

    Raises:
        InputError: A number is out of range.
    """

    size: int
    kernel: int
    before: int = 0
    after: int = 0
    stride: int = 1
    dilation: int = 1

    def __post_init__(self) -> None:
        """Check the arguments."""
        for name, label, lowest in (
            ("size", "The size of the input", 1),
            ("kernel", "The size of the filter", 1),
            ("before", "The padding before the input", 0),
            ("after", "The padding behind the input", 0),
            ("stride", "The stride", 1),
            ("dilation", "The dilation", 1),
        ):
            check_whole(getattr(self, name), label, lowest, MAX_SIZE)

    @property
    def extent(self) -> int:
        """How much of the input the filter spans: its receptive field."""
        return self.dilation * (self.kernel - 1) + 1


@dataclasses.dataclass(frozen=True, slots=True)
class ModeSize(Result):
    """Size of one mode of the output.

    Attributes:
        rule: How the filter slides along it.
        output: Size of the output.
        formula: The formula with its numbers and result.
        unused: Values at the end of the padded input that no position of the filter reaches.
    """

    rule: ModeRule
    output: int
    formula: str
    unused: int


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes(Result):
    """Sizes of one full convolution.

    Attributes:
        modes: One a mode.
        heads: Filters side by side.
        parameters: Weights and one bias a head.
        multiply_adds: Products of the whole output.
    """

    modes: tuple[ModeSize, ...]
    heads: int
    parameters: int
    multiply_adds: int

    @property
    def output(self) -> tuple[int, ...]:
        """Size of each mode of the output; several heads add one more mode at the end."""
        sizes = tuple(mode.output for mode in self.modes)
        return sizes if self.heads == 1 else (*sizes, self.heads)

    @property
    def receptive_field(self) -> tuple[int, ...]:
        """What one output sees of the input in each mode."""
        return tuple(mode.rule.extent for mode in self.modes)


def mode_size(rule: ModeRule) -> int:
    """Compute the size of the output along one mode.

    Args:
        rule: How the filter slides.

    Returns:
        The number of positions.

    Raises:
        InputError: There is none: the output would have size zero.
    """
    room = rule.size + rule.before + rule.after - rule.extent
    if room < 0:
        raise InputError(
            f"The filter spans {rule.extent}, the padded input {rule.size + rule.before + rule.after}: the output "
            "would have size zero",
            allowed="a filter that fits the padded input",
            remedy="Take a smaller filter or dilation, or more padding",
        )
    return room // rule.stride + 1


def convolution_sizes(rules: Sequence[ModeRule], heads: int = 1) -> Sizes:
    """Compute the sizes of a full convolution.

    Args:
        rules: One a mode.
        heads: Filters side by side.

    Returns:
        Output, parameters, multiply-adds, receptive field and the formulas.

    Raises:
        InputError: A number is out of range, or the output would have size zero; the message names the mode.
    """
    check_whole(heads, "The number of heads", 1, MAX_SIZE)
    modes = []
    for at, rule in enumerate(rules, start=1):
        try:
            output = mode_size(rule)
        except InputError as error:
            raise InputError(
                f"Mode {at}: {error.problem}", allowed=error.allowed, remedy=error.remedy
            ) from None
        padded = rule.size + rule.before + rule.after
        unused = padded - ((output - 1) * rule.stride + rule.extent)
        modes.append(ModeSize(rule, output, size_formula(rule, output), unused))
    weights = math.prod(rule.kernel for rule in rules)
    positions = math.prod(mode.output for mode in modes)
    return Sizes(tuple(modes), heads, heads * (weights + 1), heads * weights * positions)


def read_rules(
    sizes: str, kernel: str, padding: str = "0", stride: str = "1", dilation: str = "1"
) -> tuple[ModeRule, ...]:
    """Read the rules of all modes.

    Args:
        sizes: Of the input, such as ``"4x4x3"``.
        kernel: Of the filter, such as ``"2x2x2"``.
        padding: One a mode or one for all, ``"1"`` on both sides or ``"0+1"`` before and behind.
        stride: One a mode or one for all, such as ``"2,2,1"``.
        dilation: The same.

    Returns:
        One rule a mode.

    Raises:
        InputError: Something cannot be read, is out of range, or differs in the number of modes.
    """
    inputs = read_sizes(sizes, "The input")
    count = len(inputs)
    filters = read_sizes(kernel, "The filter")
    if len(filters) != count:
        raise InputError(
            f"The filter has {len(filters)} modes and the input {count}",
            allowed="as many modes, for a full convolution",
            received=kernel,
        )
    zeros = _paddings(padding, count)
    strides = read_sizes(stride, "The stride", modes=count)
    dilations = read_sizes(dilation, "The dilation", modes=count)
    return tuple(
        ModeRule(n, k, before, after, s, d)
        for n, k, (before, after), s, d in zip(inputs, filters, zeros, strides, dilations, strict=True)
    )


def _paddings(text: str, count: int) -> list[tuple[int, int]]:
    words = [word for word in text.replace(",", " ").split() if word] or ["0"]
    found = []
    for at, word in enumerate(words, start=1):
        sides = word.split("+") if not word.startswith("+") else [word]
        if len(sides) > 2:
            raise InputError("The padding cannot be read", allowed="such as 1 or 0+1", received=word)
        counts = [read_whole(side, f"The padding of mode {at}", 0, MAX_SIZE) for side in sides]
        found.append((counts[0], counts[-1]))
    if len(found) == 1:
        return found * count
    if len(found) != count:
        raise InputError(
            f"The padding has {len(found)} modes", allowed=f"{count}, or one for all", received=text
        )
    return found


def size_formula(rule: ModeRule, output: int) -> str:
    """Write :data:`FORMULA` with numbers.

    Args:
        rule: How the filter slides along the mode.
        output: Its result.

    Returns:
        Such as ``"⌊(4 + 0 + 1 − 1·(2 − 1) − 1) / 1⌋ + 1 = 4"``.
    """
    return (
        f"⌊({rule.size} + {rule.before} + {rule.after} − {rule.dilation}·({rule.kernel} − 1) − 1) / {rule.stride}⌋ + 1 "
        f"= {output}"
    )
