"""Exercises of the part "Channels and shapes": kinds of convolution, padding and stride, sizes, receptive fields."""

from __future__ import annotations

from typing import Any

import numpy as np

from apps.convolution.application import convolution_sizes, read_rules, run_kind, stack_sizes
from apps.course.answers import Number, Numbers, Shape
from apps.course.answers_computed import Layers
from apps.course.draws import Random, different, one_of, whole
from apps.course.exercises import Drawn, Exercises, Said

SHAPES = Exercises("shapes", "convolution")
_FULL, _VALID = "Full convolution", "Full convolution (no padding)"


@SHAPES.exercise("heads", "Channels", section="Kinds", kind="Channels and heads")
def heads(random: Random) -> Drawn:
    """Give the shape after several heads."""
    high, wide = different(random, 2, 5, 12)
    channels, filters, side = different(random, 3, 2, 5)
    size = f"{high}x{wide}x{channels}"
    found = run_kind("heads", size, f"{side}x{side}", heads=filters).output.shape
    mistakes = {
        "padded": (high, wide, filters),
        "each": (*found[:2], filters * channels),
        "channels": (*found[:2], channels),
        "one": (found[0] - 1, found[1] - 1, filters),
    }
    values = {"size": (high, wide, channels), "k": side, "h": filters, "high": high, "c": channels}
    return Drawn(
        Shape(), found, mistakes, values, {"input": size, "filter": f"{side}x{side}", "heads": filters}
    )


@SHAPES.exercise("parameters", "Channels", section="Sizes")
def parameters(random: Random) -> Drawn:
    """Count the parameters of a layer with several heads."""
    side, channels, filters = (
        int(one_of(random, (3, 5, 7))),
        int(random.integers(2, 17)),
        int(random.integers(4, 33)),
    )
    stack = f"conv {side}x{side}x{filters}"
    weights = side * side * channels * filters
    mistakes = {
        "bias": weights,
        "depth": side * side * filters + filters,
        "one-bias": weights + 1,
        "side": side * channels * filters + filters,
    }
    values = {"k": side, "c": channels, "h": filters, "one": side * side * channels + 1}
    query = {"stack_input": f"32x32x{channels}", "stack": stack}
    return Drawn(Number(), stack_sizes(f"32x32x{channels}", stack).parameters, mistakes, values, query)


@SHAPES.exercise("full-cyclic", _FULL, section="Kinds", kind="Full", boundary="cyclic")
def full_cyclic(random: Random) -> Drawn:
    """Slide a filter over both modes of a matrix, around its ends."""
    a, b = whole(random, (3, 3), -2, 4), whole(random, (2, 2), -2, 2)

    def slid(wide: np.ndarray) -> np.ndarray:
        return sum(b[i, j] * wide[i : i + 3, j : j + 3] for i in (0, 1) for j in (0, 1))

    before = np.pad(a, ((1, 0), (1, 0)), mode="wrap")
    mistakes = {
        "zeros": slid(np.pad(a, ((0, 1), (0, 1)))),
        "before": slid(before),
        "flipped": sum(b[1 - i, 1 - j] * np.roll(a, (-i, -j), (0, 1)) for i in (0, 1) for j in (0, 1)),
    }
    right = slid(np.pad(a, ((0, 1), (0, 1)), mode="wrap"))
    values = {"a": a, "b": b, "first": right[0, 0], "corner": a[np.ix_([2, 0], [2, 0])]}
    return Drawn(Numbers((3, 3)), right, mistakes, values, {"input": "3x3", "filter": "2"})


@SHAPES.exercise("full-valid", _VALID, section="Kinds", kind="Full")
def full_valid(random: Random) -> Drawn:
    """Give the shape of a full convolution without padding."""
    high, wide, deep = different(random, 3, 5, 12)
    taps = tuple(different(random, 3, 2, 4))
    size, kernel = f"{high}x{wide}x{deep}", "x".join(map(str, taps))
    found = run_kind("full", size, kernel).output.shape
    mistakes = {
        "dropped": found[:2],
        "one": tuple(number - 1 for number in found),
        "same": (high, wide, deep),
        "summed": (*found[:2], 1),
    }
    values = {"size": (high, wide, deep), "k": taps, "n": high, "k0": taps[0]}
    return Drawn(Shape(), found, mistakes, values, {"input": size, "filter": kernel})


@SHAPES.exercise("last-mode", _VALID, section="Kinds", kind="Full")
def last_mode(random: Random) -> Drawn:
    """Choose the filter that leaves a last mode of length one."""
    high, wide, deep, side = *different(random, 3, 5, 12), int(random.integers(2, 5))
    mistakes = {
        "pointwise": (1, 1, deep),
        "one": (side, side, 1),
        "left": (high - side + 1, wide - side + 1, 1),
        "short": (side, side, deep - 1),
    }
    values = {"size": (high, wide, deep), "after": (high - side + 1, wide - side + 1, 1), "deep": deep}
    query = {"input": f"{high}x{wide}x{deep}", "filter": f"{side}x{side}x{deep}"}
    return Drawn(Shape(), (side, side, deep), mistakes, values, query)


@SHAPES.exercise("pointwise", "Pointwise convolution", section="Kinds", kind="Pointwise", heads="1")
def pointwise(random: Random) -> Drawn:
    """Weigh the channels of a picture."""
    red, green, blue = (whole(random, (2, 2), 0, 9) for _ in range(3))
    w = whole(random, 3, -2, 3, zero=False)
    right = w[0] * red + w[1] * green + w[2] * blue
    mistakes = {
        "plain": red + green + blue,
        "mean": right / 3,
        "summed": np.full((2, 2), right.sum()),
        "order": w[2] * red + w[1] * green + w[0] * blue,
    }
    values = {"r": red, "g": green, "b": blue, "w": w, "first": right[0, 0]}
    return Drawn(Numbers((2, 2), 0.01), right, mistakes, values, {"input": "2x2x3"})


@SHAPES.exercise(
    "same-filter", "Same filter on each channel", section="Kinds", kind="Same filter on each channel"
)
def same_filter(random: Random) -> Drawn:
    """Give the shape after one filter that slides over every channel by itself."""
    high, wide = different(random, 2, 6, 14)
    channels, side = different(random, 2, 2, 5)
    found = run_kind("same", f"{high}x{wide}x{channels}", f"{side}x{side}").output.shape
    mistakes = {"summed": (*found[:2], 1), "same": (high, wide, channels), "slid": (*found[:2], channels - 1)}
    values = {"size": (high, wide, channels), "k": side, "c": channels, "high": found[0]}
    query = {"input": f"{high}x{wide}x{channels}", "filter": f"{side}x{side}"}
    return Drawn(Shape(), found, mistakes, values, query)


@SHAPES.exercise("layerwise", "Layerwise convolution", section="Kinds", kind="Layerwise (depthwise)")
def layerwise(random: Random) -> Drawn:
    """Filter each of two channels by its own filter."""
    a, b = whole(random, (4, 2), -3, 4), whole(random, (2, 2), -3, 3, zero=False)
    right = a[:3] * b[0] + a[1:] * b[1]
    mistakes = {
        "summed": np.repeat(right.sum(axis=1, keepdims=True), 2, axis=1),
        "same": a[:3] * b[0, 0] + a[1:] * b[1, 0],
        "flipped": a[:3] * b[1] + a[1:] * b[0],
    }
    values = {"a": a, "b": b, "column": a[:, 0], "filter": b[:, 0]}
    return Drawn(Numbers((3, 2)), right, mistakes, values, {"input": "4x2", "filter": "2"})


@SHAPES.exercise("separable", "Layerwise convolution", "Pointwise convolution", section="Sizes")
def separable(random: Random) -> Drawn:
    """Count the parameters of a depthwise and a pointwise layer."""
    side, channels = int(one_of(random, (3, 5))), int(random.integers(4, 33))
    filters = int(random.integers(4, 65))
    stack = f"depthwise {side}x{side}; pointwise {filters}"
    right = stack_sizes(f"32x32x{channels}", stack).parameters
    mistakes = {
        "full": side * side * channels * filters + filters,
        "bias": side * side * channels + channels * filters,
        "one": side * side + 1 + channels * filters + filters,
        "first": side * side * channels + channels,
    }
    values = {"k": side, "c": channels, "h": filters, "deep": channels * (side * side + 1)}
    values |= {"point": filters * (channels + 1), "whole": mistakes["full"]}
    return Drawn(Number(), right, mistakes, values, {"stack_input": f"32x32x{channels}", "stack": stack})


@SHAPES.exercise("keep-size", "Visualizations", section="Digit")
def keep_size(random: Random) -> Drawn:
    """Find the padding that keeps the size."""
    side, spread = int(one_of(random, (3, 5, 7, 9))), int(random.integers(2, 5))
    right = spread * (side - 1) // 2
    mistakes = {"total": 2 * right, "dilation": (side - 1) // 2, "half": spread * side // 2}
    values = {"k": side, "d": spread, "extent": 2 * right + 1}
    return Drawn(Number(), right, mistakes, values, {"zeros": right, "gaps": spread})


@SHAPES.exercise("padding-stride", "Visualizations", section="Digit")
def padding_stride(random: Random) -> Drawn:
    """Compute a size with padding on both sides and a stride."""
    n, k = int(random.integers(12, 40)), int(one_of(random, (3, 4, 5, 6)))
    p, s = int(random.integers(1, 4)), int(random.integers(2, 5))

    def size(zeros: int, step: int = s) -> int:
        return convolution_sizes(read_rules(str(n), str(k), f"0+{zeros}", str(step))).output[0]

    mistakes = {"one-side": size(p), "step": size(2 * p) - 1, "stride": size(2 * p, 1), "none": size(0)}
    values = {"n": n, "k": k, "p": p, "s": s, "padded": n + 2 * p, "room": n + 2 * p - k}
    query = {"n": n, "k": k, "pad": p, "stride": s, "section": "Sizes"}
    return Drawn(Number(), size(2 * p), mistakes, values, query)


@SHAPES.exercise("one-end", "Calculating sizes", section="Sizes")
def one_end(random: Random) -> Drawn:
    """Pad the last mode at its end only, with a stride for each mode."""
    n = tuple(different(random, 3, 4, 10))
    k = tuple(int(number) for number in random.integers(2, 4, 3))
    s = (int(random.integers(2, 4)),) * 2 + (1,)
    sizes, taps = "x".join(map(str, n)), "x".join(map(str, k))
    steps = ",".join(map(str, s))

    def shape(padding: str, stride: str = steps) -> tuple[int, ...]:
        return convolution_sizes(read_rules(sizes, taps, padding, stride)).output

    right = shape("0 0 0+1")
    mistakes = {
        "both-ends": shape("0 0 1"),
        "none": shape("0"),
        "all": shape("0+1"),
        "stride": shape("0 0 0+1", "1"),
    }
    values = {"n": n, "k": k, "s": ", ".join(map(str, s)), "last": n[2] + 1, "s0": s[0]}
    return Drawn(
        Shape(), right, mistakes, values, {"n": sizes, "k": taps, "pad": "0, 0, 0+1", "stride": steps}
    )


@SHAPES.exercise("receptive-field", "Calculating sizes", section="Sizes")
def receptive_field(random: Random) -> Drawn:
    """Compute how much of a signal one output sees."""
    first, second, third = (int(number) for number in random.integers(2, 6, 3))
    step, spread = int(random.integers(2, 4)), int(random.integers(2, 4))
    stack = f"conv {first}x4 stride {step}; conv {second}x4 dilation {spread}; conv {third}x1"
    right = stack_sizes("200x1", stack).layers[-1].receptive_field[0]
    dilated = spread * (second - 1)
    mistakes = {
        "stride": first + dilated + third - 1,
        "dilation": first + step * (second - 1) + step * (third - 1),
        "sum": first + second + third,
        "last": first + dilated + step * (third - 1),
    }
    values = {"k1": first, "k2": second, "k3": third, "s": step, "d": spread, "grow2": step * dilated}
    values["grow3"] = step * (third - 1)
    return Drawn(Number(), right, mistakes, values, {"stack_input": "200x1", "stack": stack})


def seen(stack: Any) -> np.ndarray:
    """Which numbers of the signal one output of a stack of one-dimensional layers sees, bool (field,)."""
    mask, jump = np.ones(1), 1
    for layer in stack.layers:
        for rule in layer.rules:
            taps = np.zeros((rule.extent - 1) * jump + 1)
            taps[:: rule.dilation * jump] = 1.0
            mask, jump = np.convolve(mask, taps), jump * rule.stride
    return mask > 0


@SHAPES.exercise("design", "Calculating sizes", section="Sizes")
def design(random: Random) -> Drawn:
    """Find layers with a given receptive field and few parameters."""
    third, most = int(random.integers(2, 10)), int(random.integers(12, 14))
    field = 9 + 2 * third
    kind = Layers("64x1")

    def job(stack: Any) -> Said | None:
        if any(layer.kind not in ("conv", "relu") for layer in stack.layers):
            return "kind"
        found = stack.layers[-1].receptive_field[0]
        if found != field:
            return "field", {"found": found}
        if stack.parameters > most:
            return "parameters", {"found": stack.parameters}
        return None if seen(stack).all() else ("holes", {"found": int((~seen(stack)).sum())})

    right = kind.read(f"conv 3x1; conv 3x1 dilation 3; conv 3x1 dilation {third}")
    mistakes = {
        "parameters": kind.read(f"conv {field}x1"),
        "holes": kind.read(f"conv 3x1 dilation {(field - 1) // 2}"),
        "field": kind.read("conv 3x1; conv 3x1; conv 3x1"),
        "kind": kind.read(f"pool {field} stride 1"),
    }
    query = {"stack_input": "64x1", "stack": kind.written(right)}
    return Drawn(kind, right, mistakes, {"r": field, "n": most}, query, job)
