"""Exercises of the part "Pooling": from localise to detect, blocks and windows, the detector of flexible length."""

from __future__ import annotations

import numpy as np

from apps.convolution.application import convolution_sizes, read_rules
from apps.course.answers import Choice, Number, Numbers
from apps.course.draws import Random, block, one_of, spaced, through, whole
from apps.course.exercises import Drawn, Exercises

POOLING = Exercises("pooling", "convolution")
_DETECTOR = "correlate -1 1 cyclic; correlate 1 0 0 -1 cyclic bias -1; relu"


@POOLING.exercise("blocks", "Local pooling", section="Signal")
def blocks(random: Random) -> Drawn:
    """Take the maximum of blocks side by side."""
    x = whole(random, 8, -9, 9)
    mistakes = {
        "sliding": through(x, "max window 2 stride 1")[:4],
        "sum": through(x, "sum blocks 2"),
        "average": through(x, "average blocks 2"),
        "size": np.maximum(x[:4], x[4:]),
    }
    query = {"x": spaced(x), "layers": "max blocks 2"}
    return Drawn(Numbers((4,)), through(x, "max blocks 2"), mistakes, {"x": x, "pair": x[:2]}, query)


@POOLING.exercise("sliding", "Local pooling", section="Signal")
def sliding(random: Random) -> Drawn:
    """Slide a window and take its average."""
    x = 3 * whole(random, 6, -4, 4)
    found = through(x, "average window 3 stride 1")
    mistakes = {
        "sum": 3 * found,
        "max": through(x, "max window 3 stride 1"),
        "middle": np.sort(np.stack([x[:4], x[1:5], x[2:]]), axis=0)[1],
    }
    query = {"x": spaced(x), "layers": "average window 3 stride 1"}
    return Drawn(Numbers((4,), 0.01), found, mistakes, {"x": x, "window": x[:3], "first": found[0]}, query)


@POOLING.exercise("count-blocks", "Pooling in action", section="Signal", layer="4")
def count_blocks(random: Random) -> Drawn:
    """Sum-pool what a detector has localised."""
    sizes = random.choice([1, 2, 3, 3, 3, 4, 5], 6)
    x = np.concatenate([[0.0], *[[*[1.0] * size, 0.0, 0.0] for size in sizes]])
    right, longer = int((sizes == 3).sum()), int((sizes >= 3).sum())
    mistakes = {"max": min(right, 1), "all": len(sizes), "ones": int(x.sum()), "longer": longer}
    query = {"x": spaced(x), "layers": f"{_DETECTOR}; sum"}
    return Drawn(Number(), right, mistakes, {"x": x, "sizes": sizes + 0.0}, query)


@POOLING.exercise("detect", "Pooling in action", section="Signal", layer="4")
def detect(random: Random) -> Drawn:
    """Max-pool after bias and nonlinearity."""
    z, c = whole(random, 8, -5, 6), -float(random.integers(1, 4))
    right = max(z.max() + c, 0.0)
    mistakes = {
        "bias": max(z.max(), 0.0),
        "sum": np.maximum(z + c, 0.0).sum(),
        "place": float(z.argmax()),
        "sign": z.max() - c,
    }
    query = {"x": spaced(z), "layers": f"bias {c:g}; relu; max"}
    return Drawn(Number(), right, mistakes, {"z": z, "c": c, "after": np.maximum(z + c, 0.0)}, query)


@POOLING.exercise("small-shift", "Local pooling", section="Signal")
def small_shift(random: Random) -> Drawn:
    """Count which outputs a shift of one place changes, before and after pooling."""
    x = whole(random, 8, 0, 3)
    pooled, moved = (through(one, "max blocks 2") for one in (x, np.roll(x, 1)))
    right, plain = int((pooled != moved).sum()), int((x != np.roll(x, 1)).sum())
    mistakes = {"plain": plain, "same": 4 - right}
    query = {"x": spaced(np.roll(x, 1)), "layers": "max blocks 2"}
    values = {"x": x, "shifted": np.roll(x, 1), "pooled": pooled, "moved": moved, "plain": plain}
    return Drawn(Number(), right, mistakes, values, query)


@POOLING.exercise("flexible", "A detector of flexible length", section="Signal", layer="3")
def flexible(random: Random) -> Drawn:
    """Convolve, sum-pool in blocks of two, convolve."""
    x = block(12, int(random.integers(1, 6)), int(random.integers(2, 6)))
    early = through(x, "correlate -1 1 cyclic")
    layers = "correlate -1 1 cyclic; sum blocks 2; correlate 1 -1 cyclic"
    mistakes = {
        "early": through(early, "sum blocks 2"),
        "max": through(early, "max blocks 2; correlate 1 -1 cyclic"),
        "flipped": through(early, "sum blocks 2; correlate -1 1 cyclic"),
        "direct": through(x, "sum blocks 2; correlate 1 -1 cyclic"),
    }
    values = {"x": x, "z1": early, "z2": through(early, "sum blocks 2")}
    return Drawn(Numbers((6,)), through(x, layers), mistakes, values, {"x": spaced(x), "layers": layers})


@POOLING.exercise("pooled-size", "Local pooling", section="Sizes")
def pooled_size(random: Random) -> Drawn:
    """Count the outputs of a pooling layer."""
    window, stride = int(random.integers(2, 6)), int(random.integers(2, 5))
    length = int(random.integers(20, 90))
    right = convolution_sizes(read_rules(str(length), str(window), stride=str(stride))).output[0]
    mistakes = {
        "one": (length - window) // stride,
        "window": length // stride,
        "up": -(-(length - window) // stride) + 1,
    }
    values = {"n": length, "k": window, "s": stride, "room": length - window}
    query = {"stack_input": f"{length}x1", "stack": f"pool {window} stride {stride}"}
    return Drawn(Number(), right, mistakes, values, query)


@POOLING.exercise("gradient", "Pooling", section="Signal")
def gradient(random: Random) -> Drawn:
    """Send a gradient back through max-pooling."""
    x = random.permutation(np.arange(-4, 9))[:6].astype(np.float64)
    e = whole(random, 3, -6, 6, zero=False)
    pairs = x.reshape(3, 2)
    best = (pairs == pairs.max(axis=1, keepdims=True)) * 1.0
    mistakes = {
        "shared": np.repeat(e / 2, 2),
        "both": np.repeat(e, 2),
        "times": (best * e[:, None] * pairs).ravel(),
        "other": ((1 - best) * e[:, None]).ravel(),
    }
    query = {"x": spaced(x), "layers": "max blocks 2"}
    return Drawn(Numbers((6,)), (best * e[:, None]).ravel(), mistakes, {"x": x, "e": e}, query)


@POOLING.exercise("as-kernel", "Pooling", section="Signal", layers="average")
def as_kernel(random: Random) -> Drawn:
    """Write average-pooling of the whole signal as one kernel."""
    count, times = int(random.integers(3, 9)), int(random.integers(2, 6))
    mistakes = {
        "sum": np.full(count, float(times)),
        "once": np.full(count, 1.0 / count),
        "first": np.array([float(times), *[0.0] * (count - 1)]),
    }
    values = {"n": count, "t": times}
    return Drawn(Numbers((count,), 0.005), np.full(count, times / count), mistakes, values)


@POOLING.exercise("invariant", "Pooling", "Pooling in action", section="Signal")
def invariant(random: Random) -> Drawn:
    """Tell invariance from equivariance."""
    right = str(one_of(random, ("max", "sum", "pooled")))
    wrong = ["correlate", "relu", "blocks", "position"]
    options = [right, *random.permutation(wrong)[:3].tolist()]
    order = tuple(random.permutation(options).tolist())
    return Drawn(Choice(order), right, {name: name for name in order if name != right})
