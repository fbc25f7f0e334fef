"""Exercises of the part "A whole network": parameters, shapes, residual connections, Keras."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from apps.convolution.application import stack_sizes
from apps.course.answers import Number, Numbers, Shape
from apps.course.answers_computed import Layers, PastedLayer, Summary
from apps.course.draws import Random, different, one_of, whole
from apps.course.exercises import Drawn, Exercises, Said
from apps.course.texts import Thousands

NETWORK = Exercises("network", "digits")
_TOGETHER, _MNIST, _FAMOUS = "Putting it together", "A CNN for MNIST", "LeNet and ResNet"


def _lecture(random: Random) -> tuple[str, str, dict[str, int]]:
    """Draw a network like the lecture's: input, layers, numbers."""
    side, first, second = (
        int(one_of(random, (24, 36, 48))),
        int(random.integers(4, 13)),
        int(random.integers(10, 25)),
    )
    layers = f"conv 5x5x{first} pad 2; relu; pool 2x2; conv 5x5x{second} pad 2; relu; pool 3x3; dense 10"
    return f"{side}x{side}x1", layers, {"n": side, "a": first, "b": second, "m": side // 6}


@NETWORK.exercise("flatten", _TOGETHER, page="convolution", section="Sizes")
def flatten(random: Random) -> Drawn:
    """Give the shape in front of the last layer."""
    size, layers, n = _lecture(random)
    found = stack_sizes(size, layers).layers[-2].output
    mistakes = {
        "pools": (n["n"] // 2, n["n"] // 2, n["b"]),
        "shrunk": (*[((n["n"] - 4) // 2 - 4) // 3] * 2, n["b"]),
        "all": (n["m"], n["m"], n["a"] * n["b"]),
        "first": (n["m"], n["m"], n["a"]),
    }
    return Drawn(Shape(), found, mistakes, {**n, "half": n["n"] // 2}, {"stack_input": size, "stack": layers})


@NETWORK.exercise("all-parameters", _MNIST, page="convolution", section="Sizes")
def all_parameters(random: Random) -> Drawn:
    """Count the parameters of the lecture's network."""
    size, layers, n = _lecture(random)
    first, second = 25 * n["a"] + n["a"], 25 * n["a"] * n["b"] + n["b"]
    inputs = n["m"] ** 2 * n["b"]
    right = stack_sizes(size, layers).parameters
    mistakes = {
        "depth": right - second + 25 * n["b"] + n["b"],
        "bias": right - n["a"] - n["b"] - 10,
        "dense": first + second,
        "unpooled": first + second + (n["n"] // 2) ** 2 * n["b"] * 10 + 10,
    }
    values = {**n, "first": first, "second": second, "inputs": inputs, "last": inputs * 10 + 10}
    return Drawn(Number(), right, mistakes, values, {"stack_input": size, "stack": layers})


@NETWORK.exercise("softmax-gradient", _MNIST, section="Layers", preset="digits_lecture", source="Example")
def softmax_gradient(random: Random) -> Drawn:
    """Differentiate the loss by the logits."""
    shares = random.choice(np.arange(1, 10), 4, replace=False) * 1.0
    p = np.round(shares / shares.sum(), 2)
    p[0] = round(1 - p[1:].sum(), 2)
    k = int(random.integers(4))
    one = np.eye(4)[k]
    mistakes = {"sign": one - p, "only": (p - 1) * one, "log": np.where(one > 0, -np.log(p), 0.0), "same": p}
    return Drawn(Numbers((4,), 0.005), p - one, mistakes, {"p": p, "k": k, "pk": p[k]})


@NETWORK.exercise("residual-gradient", _TOGETHER, section="Depth")
def residual_gradient(random: Random) -> Drawn:
    """Send a gradient through residual blocks."""
    depth, w = int(random.integers(4, 12)), float(one_of(random, (-0.2, -0.1, 0.1, 0.2, 0.3)))
    mistakes = {"plain": w**depth, "sum": 1 + depth * w, "one": 1 + w, "blocks": (1 + w) * depth}
    values = {"L": depth, "w": w, "slope": 1 + w, "plain": w**depth}
    return Drawn(Number(0.005), (1 + w) ** depth, mistakes, values)


@NETWORK.exercise("vanishing", _TOGETHER, section="Depth")
def vanishing(random: Random) -> Drawn:
    """Find the depth at which a gradient has vanished."""
    w, parts = float(one_of(random, (0.3, 0.4, 0.5, 0.6, 0.7, 0.8))), int(one_of(random, (100, 1000, 10_000)))
    right = math.floor(math.log(1 / parts) / math.log(w)) + 1
    mistakes = {"before": right - 1, "divided": math.ceil(parts * w), "linear": math.ceil(1 / (1 - w))}
    values = {"w": w, "parts": Thousands(parts), "bound": parts, "last": right - 1}
    return Drawn(Number(), right, mistakes, values)


@NETWORK.exercise("residual-block", _FAMOUS, page="convolution", section="Sizes")
def residual_block(random: Random) -> Drawn:
    """Count the weights of a residual block whose shortcut changes the number of channels."""
    inputs = 8 * int(random.integers(2, 17))
    outputs = 2 * inputs
    first, second, short = 9 * inputs * outputs, 9 * outputs * outputs, inputs * outputs
    mistakes = {
        "shortcut": first + second,
        "equal": 2 * first + short,
        "big": first + second + 9 * short,
        "wide": 2 * second + short,
    }
    values = {"c": inputs, "d": outputs, "first": first, "second": second, "short": short}
    query = {
        "stack_input": f"32x32x{inputs}",
        "stack": f"conv 3x3x{outputs} pad 1; relu; conv 3x3x{outputs} pad 1",
    }
    return Drawn(Number(), first + second + short, mistakes, values, query)


@NETWORK.exercise("double-channels", _TOGETHER, page="convolution", section="Sizes")
def double_channels(random: Random) -> Drawn:
    """Follow the number of activations through downsampling."""
    side, channels, times = (
        16 * int(random.integers(2, 7)),
        int(random.integers(3, 20)),
        int(random.integers(2, 4)),
    )
    start = side * side * channels
    mistakes = {
        "kept": start // 4**times,
        "same": start,
        "one": start // 2,
        "side": start // 2 ** (2 * times) * 2,
    }
    values = {"n": side, "c": channels, "t": times, "start": start, "end": side // 2**times}
    values["channels"] = channels * 2**times
    return Drawn(Number(), start // 2**times, mistakes, values, {"stack_input": f"{side}x{side}x{channels}"})


@NETWORK.exercise("batch-norm", _FAMOUS, section="Depth")
def batch_norm(random: Random) -> Drawn:
    """Normalise a batch of activations."""
    spread, middle = float(random.integers(1, 5)), float(random.integers(-4, 8))
    x = random.permutation(middle + spread * np.array([-1.0, -1.0, 1.0, 1.0]))
    gamma, beta = float(random.integers(2, 5)), float(whole(random, (), -3, 3, zero=False))
    unit = (x - x.mean()) / x.std()
    mistakes = {
        "variance": gamma * (x - x.mean()) / x.var() + beta,
        "scale": unit,
        "mean": gamma * x / x.std() + beta,
        "shift": gamma * unit,
    }
    values = {"x": x, "g": gamma, "b": beta, "mean": x.mean(), "sd": x.std()}
    return Drawn(Numbers((4,), 0.01), gamma * unit + beta, mistakes, values)


@NETWORK.exercise("budget", _FAMOUS, page="convolution", section="Sizes")
def budget(random: Random) -> Drawn:
    """Build a network for digits with few parameters."""
    most = 500 * int(random.integers(5, 21))
    kind = Layers("28x28x1")

    def job(stack: Any) -> Said | None:
        kinds = [layer.kind for layer in stack.layers]
        if kinds.count("conv") < 2 or "pool" not in kinds:
            return "parts"
        if kinds[-1] != "dense" or stack.output != (10,):
            return "output"
        return None if stack.parameters <= most else ("parameters", {"found": stack.parameters})

    right = kind.read("conv 3x3x6; relu; pool 3x3; conv 3x3x8; relu; pool 2x2; dense 10")
    mistakes = {
        "parameters": kind.read("conv 3x3x32; relu; conv 3x3x64; relu; pool 2x2; dense 10"),
        "parts": kind.read("conv 5x5x6; relu; pool 4x4; dense 10"),
        "output": kind.read("conv 3x3x6; pool 3x3; conv 3x3x8; pool 2x2"),
    }
    query = {"stack_input": "28x28x1", "stack": kind.written(right)}
    return Drawn(kind, right, mistakes, {"n": Thousands(most), "used": right.parameters}, query, job)


def _printed(
    first: int, second: int, side: int, padding: str, units: int, *, bias: bool = True
) -> tuple[PastedLayer, ...]:
    """What Keras prints for two convolutions, each with max-pooling, and a dense layer on 28 x 28 x 1."""
    pad = side // 2 if padding == "same" else 0
    layers = (
        f"conv {side}x{side}x{first} pad {pad}; pool 2x2; conv {side}x{side}x{second} pad {pad}; pool 2x2"
    )
    stack = stack_sizes("28x28x1", f"{layers}; flatten; dense {units}").layers
    names = ("Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense")
    found = []
    for name, layer in zip(names, stack, strict=True):
        unused = layer.output[-1] if layer.parameters and not bias else 0
        found.append(PastedLayer(name, layer.output, layer.parameters - unused))
    return tuple(found)


@NETWORK.exercise("keras-summary", _MNIST, _TOGETHER, page="digits", section="Draw")
def keras_summary(random: Random) -> Drawn:
    """Build a network in Keras and paste its summary."""
    first, second = different(random, 2, 4, 24)
    side, units = int(one_of(random, (3, 5))), int(random.integers(5, 30))
    padding, other = random.permutation(["same", "valid"]).tolist()
    right = _printed(first, second, side, padding, units)
    pools = [layer for layer in right if layer.kind != "MaxPooling2D"]
    mistakes = {
        "padding": _printed(first, second, side, other, units),
        "bias": _printed(first, second, side, padding, units, bias=False),
        "swapped": _printed(second, first, side, padding, units),
        "pooling": tuple(pools),
    }
    values = {
        "a": first,
        "b": second,
        "k": side,
        "padding": padding,
        "units": units,
        "last": right[-1].parameters,
    }
    values["flat"] = right[-2].shape[0]
    return Drawn(Summary(), right, mistakes, values)
