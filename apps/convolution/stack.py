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

from apps.convolution.numbers import MAX_SIZE, located, read_lines, read_sizes, read_whole
from apps.convolution.sizes import ModeRule, convolution_sizes
from apps.shared.results import Result
from data_prep.errors import InputError

MAX_LAYERS = 200
MAX_TEXT = 10_000
_LANGUAGE = (
    "conv 5x5x8, depthwise 3x3, pointwise 16, pool 2x2, relu, flatten, dense 10; stride, pad, dilation behind"
)


@dataclasses.dataclass(frozen=True)
class StackLayer(Result):
    """One layer of a stack."""

    text: str  # as it is written
    kind: str  # "conv", "depthwise", "pool", "relu", "flatten" or "dense"
    output: tuple[int, ...]  # size of the output, the channels last
    formula: str  # how the sizes and the parameters come about, with numbers
    parameters: int = 0  # weights and biases
    multiply_adds: int = 0  # of one input
    receptive_field: tuple[int, ...] = ()  # of the stack's input; empty behind a dense layer
    jump: tuple[int, ...] = ()  # how far apart in it two neighbouring outputs look
    rules: tuple[ModeRule, ...] = ()  # one a mode without the channels; empty where nothing slides


@dataclasses.dataclass(frozen=True, slots=True)
class Stack(Result):
    """A stack of layers and its sizes."""

    input: tuple[int, ...]  # size of the input, the channels last
    layers: tuple[StackLayer, ...]  # in order

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

    Raises:
        InputError: Something cannot be read or is out of range, or an output would have size zero; names the layer.
    """
    lines = read_lines(layers, "The stack has", "layers", characters=MAX_TEXT, lines=MAX_LAYERS)
    start = read_sizes(sizes, "The input")
    if len(start) < 2:
        raise InputError(
            "The input needs a mode for its channels", allowed="such as 24x24x1, or 10x1", received=sizes
        )
    ones = (1,) * (len(start) - 1)
    found = [StackLayer("", "input", start, "", receptive_field=ones, jump=ones)]
    for at, line in enumerate(lines, start=1):
        with located(f"Layer {at} (“{line[:60]}”)"):
            found.append(_layer(line, found[-1]))
    return Stack(start, tuple(found[1:]))


def _layer(line: str, before: StackLayer) -> StackLayer:
    kind, *words = line.lower().split()
    inputs = math.prod(before.output)
    if kind == "relu" and not words:
        same = before.output, "the same size"
        return StackLayer(line, kind, *same, receptive_field=before.receptive_field, jump=before.jump)
    if kind == "flatten" and not words:
        return StackLayer(line, kind, (inputs,), f"{'·'.join(map(str, before.output))} = {inputs}")
    if kind == "dense" and len(words) == 1:
        units = read_whole(words[0], "The number of units", 1, MAX_SIZE)
        parameters = inputs * units + units
        formula = f"{inputs} inputs · {units} + {units} = {parameters} parameters"
        return StackLayer(line, kind, (units,), formula, parameters, inputs * units)
    if kind not in ("conv", "depthwise", "pointwise", "pool") or not words:
        raise InputError("It cannot be read", allowed=_LANGUAGE, received=line)
    if not before.receptive_field:
        raise InputError("Nothing slides over a flat input", allowed="dense or relu behind flatten or dense")
    if kind == "pointwise":
        heads = read_whole(words[0], "The number of heads", 1, MAX_SIZE)
        words[0], kind = "1x" * (len(before.output) - 1) + str(heads), "conv"
    return _sliding(line, kind, words, before)


def _sliding(line: str, kind: str, words: list[str], before: StackLayer) -> StackLayer:
    *inputs, channels = before.output
    modes = len(inputs)
    kernel = read_sizes(words[0], "The filter")
    kernel, heads = (kernel[:-1], kernel[-1]) if kind == "conv" else (kernel, channels)
    if len(kernel) != modes:
        wanted = "x".join(["5"] * modes) + ("x8, the last number is the heads" if kind == "conv" else "")
        raise InputError("The filter does not fit the input", allowed=f"such as {wanted}", received=words[0])
    options = _options(words[1:], modes)
    ones = (1,) * modes
    padding = options.get("pad", (0,) * modes)
    strides = options.get("stride", kernel if kind == "pool" else ones)
    dilations = options.get("dilation", ones)
    rules = tuple(map(ModeRule, inputs, kernel, padding, padding, strides, dilations))
    depth = channels if kind == "conv" else 1
    sizes = convolution_sizes((*rules, ModeRule(depth, depth)), heads)
    parameters, multiply_adds = (0, 0) if kind == "pool" else (sizes.parameters, sizes.multiply_adds)
    formulas = [rule.formula for rule in rules]
    if kind != "pool":
        formulas.append(f"{'·'.join(map(str, (heads, *kernel, depth)))} + {heads} = {parameters} parameters")
    formula = "; ".join(dict.fromkeys(formulas))
    seen = tuple(
        field + (rule.extent - 1) * jump
        for field, jump, rule in zip(before.receptive_field, before.jump, rules, strict=True)
    )
    jumps = tuple(jump * rule.stride for jump, rule in zip(before.jump, rules, strict=True))
    output = (*sizes.output[:modes], heads)
    return StackLayer(line, kind, output, formula, parameters, multiply_adds, seen, jumps, rules)


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
