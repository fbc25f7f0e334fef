"""Sizes of a whole stack of layers, written one a line; the last mode of the input is the channels.

::

    conv 5x5x8 pad 2 stride 1 dilation 1     8 heads; the filter is as deep as its input
    depthwise 3x3 pad 1                      a filter for each channel
    pointwise 16                             1×1, 16 heads
    pool 2x2 stride 2                        the stride is the window's size unless it is named
    relu
    flatten
    dense 10
"""

from __future__ import annotations

import dataclasses
import math
import re

from apps.convolution.numbers import MAX_SIZE, read_sizes, read_whole
from apps.convolution.sizes import ModeRule, mode_size, size_formula
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_LAYERS = 200
MAX_TEXT = 10_000
_LANGUAGE = (
    "conv 5x5x8, depthwise 3x3, pointwise 16, pool 2x2, relu, flatten, dense 10; stride, pad, dilation behind"
)


@dataclasses.dataclass(frozen=True, slots=True)
class StackLayer(Result):
    """One layer of a stack.

    Attributes:
        text: As it is written.
        kind: ``"conv"``, ``"depthwise"``, ``"pool"``, ``"relu"``, ``"flatten"`` or ``"dense"``.
        kernel: Size of the filter or window in each mode without the channels.
        heads: Channels of the output.
        padding: Zeros on both sides of each mode.
        stride: One a mode.
        dilation: One a mode.
        output: Size of the output, the channels last.
        parameters: Weights and biases.
        multiply_adds: Of one input.
        receptive_field: What one output sees of the stack's input in each mode; empty behind a dense layer.
        jump: How far apart in the stack's input two neighbouring outputs look; empty behind a dense layer.
        formula: How the sizes and the parameters come about, with numbers.
    """

    text: str
    kind: str
    kernel: tuple[int, ...]
    heads: int
    padding: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int
    receptive_field: tuple[int, ...]
    jump: tuple[int, ...]
    formula: str


@dataclasses.dataclass(frozen=True, slots=True)
class Stack(Result):
    """A stack of layers and its sizes.

    Attributes:
        input: Size of the input, the channels last.
        layers: In order.
    """

    input: tuple[int, ...]
    layers: tuple[StackLayer, ...]

    @property
    def output(self) -> tuple[int, ...]:
        """Size of the last output."""
        return self.layers[-1].output if self.layers else self.input

    @property
    def parameters(self) -> int:
        """Of all layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def multiply_adds(self) -> int:
        """Of all layers, for one input."""
        return sum(layer.multiply_adds for layer in self.layers)


def stack_sizes(sizes: str, layers: str) -> Stack:
    """Compute the sizes of a stack.

    Args:
        sizes: Of the input, the channels last: ``"24x24x1"``.
        layers: One a line or separated by semicolons; the module's docstring has the language.

    Returns:
        The stack.

    Raises:
        InputError: Something cannot be read or is out of range, or an output would have size zero; names the layer.
    """
    if len(layers) > MAX_TEXT:
        raise InputError(f"The stack has {len(layers):,} characters", allowed=f"at most {MAX_TEXT:,}")
    lines = [line.strip() for line in re.split(r"[\n;]", layers) if line.strip()]
    if len(lines) > MAX_LAYERS:
        raise InputError(f"The stack has {len(lines)} layers", allowed=f"at most {MAX_LAYERS}")
    start = read_sizes(sizes, "The input")
    if len(start) < 2:
        raise InputError(
            "The input needs a mode for its channels", allowed="such as 24x24x1, or 10x1", received=sizes
        )
    found: list[StackLayer] = []
    shape, seen, jump = start, (1,) * (len(start) - 1), (1,) * (len(start) - 1)
    for at, line in enumerate(lines, start=1):
        try:
            layer = _layer(line, shape, seen, jump)
        except InputError as error:
            raise InputError(
                f"Layer {at} (“{line[:60]}”): {error.problem}",
                allowed=error.allowed,
                received=error.received,
                remedy=error.remedy,
            ) from None
        found.append(layer)
        shape, seen, jump = layer.output, layer.receptive_field, layer.jump
    return Stack(start, tuple(found))


def _layer(line: str, shape: tuple[int, ...], seen: tuple[int, ...], jump: tuple[int, ...]) -> StackLayer:
    kind, *words = line.lower().split()
    if kind in ("relu", "flatten") and not words:
        output = shape if kind == "relu" else (math.prod(shape),)
        formula = "the same size" if kind == "relu" else f"{'·'.join(map(str, shape))} = {output[0]}"
        return _pointlike(line, kind, output, 0, 0, seen, jump, formula)
    if kind == "dense" and len(words) == 1:
        units, inputs = read_whole(words[0], "The number of units", 1, MAX_SIZE), math.prod(shape)
        formula = f"{inputs} inputs · {units} + {units} = {inputs * units + units} parameters"
        return _pointlike(line, kind, (units,), inputs * units + units, inputs * units, (), (), formula)
    if kind not in ("conv", "depthwise", "pointwise", "pool") or not words:
        raise InputError("It cannot be read", allowed=_LANGUAGE, received=line)
    modes = len(shape) - 1
    if modes < 1 or not seen:
        raise InputError("Nothing slides over a flat input", allowed="dense or relu behind flatten or dense")
    if kind == "pointwise":
        heads = read_whole(words[0], "The number of heads", 1, MAX_SIZE)
        words[0], kind = "x".join(["1"] * modes + [str(heads)]), "conv"
    return _sliding(line, kind, words, shape, seen, jump)


def _sliding(
    line: str,
    kind: str,
    words: list[str],
    shape: tuple[int, ...],
    seen: tuple[int, ...],
    jump: tuple[int, ...],
) -> StackLayer:
    modes, channels = len(shape) - 1, shape[-1]
    sizes = read_sizes(words[0], "The filter")
    kernel, heads = (sizes[:-1], sizes[-1]) if kind == "conv" else (sizes, channels)
    if len(kernel) != modes:
        wanted = "x".join(["5"] * modes) + ("x8, the last number is the heads" if kind == "conv" else "")
        raise InputError("The filter does not fit the input", allowed=f"such as {wanted}", received=words[0])
    options = _options(words[1:], modes)
    stride = options.get("stride", kernel if kind == "pool" else (1,) * modes)
    padding, dilation = options.get("pad", (0,) * modes), options.get("dilation", (1,) * modes)
    rules = [
        ModeRule(n, k, p, p, s, d)
        for n, k, p, s, d in zip(shape, kernel, padding, stride, dilation, strict=False)
    ]
    output = (*(mode_size(rule) for rule in rules), heads)
    depth = channels if kind == "conv" else 1
    weights = 0 if kind == "pool" else math.prod(kernel) * depth * heads
    parameters = weights + heads if weights else 0
    formulas = [size_formula(rule, size) for rule, size in zip(rules, output, strict=False)]
    if weights:
        factors = "·".join(map(str, (heads, *kernel, depth)))
        formulas.append(f"{factors} + {heads} = {parameters} parameters")
    formula = "; ".join(dict.fromkeys(formulas))
    after = tuple(field + (rule.extent - 1) * j for field, rule, j in zip(seen, rules, jump, strict=True))
    return StackLayer(
        line, kind, kernel, heads, padding, stride, dilation, output, parameters,
        math.prod(output[:-1]) * weights, after,
        tuple(j * s for j, s in zip(jump, stride, strict=True)), formula,
    )  # fmt: skip


def _options(words: list[str], modes: int) -> dict[str, tuple[int, ...]]:
    if len(words) % 2:
        raise InputError("It cannot be read", allowed=_LANGUAGE, received=" ".join(words))
    found: dict[str, tuple[int, ...]] = {}
    for name, value in zip(words[::2], words[1::2], strict=True):
        if name not in ("stride", "pad", "dilation") or name in found:
            raise InputError(
                "It cannot be read", allowed="stride, pad and dilation, each once", received=name
            )
        found[name] = read_sizes(value, f"The {name}", lowest=0 if name == "pad" else 1, modes=modes)
    return found


def _pointlike(
    line: str,
    kind: str,
    output: tuple[int, ...],
    parameters: int,
    multiply_adds: int,
    seen: tuple[int, ...],
    jump: tuple[int, ...],
    formula: str,
) -> StackLayer:
    flat = kind == "flatten"
    return StackLayer(
        line, kind, (), output[-1], (), (), (), output, parameters, multiply_adds,
        () if flat else seen, () if flat else jump, formula,
    )  # fmt: skip
