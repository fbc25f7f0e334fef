"""Exercises of the part "Convolution": the layer, its gradient, and the detector of a block of ones."""

from __future__ import annotations

import numpy as np

from apps.course.answers import Number, Numbers
from apps.course.draws import Random, block, different, one_of, spaced, through, whole
from apps.course.exercises import Drawn, Exercises

CONVOLUTION = Exercises("convolution", "convolution")
_NETWORKS, _DETECTOR = "Convolutional neural networks", "Detect a block of three ones"
_HIDDEN, _LENGTH = 200, 24  # signals that a kernel is tried on, and their length


@CONVOLUTION.exercise("layer", _NETWORKS, section="Signal")
def layer(random: Random) -> Drawn:
    """Compute a layer with a kernel and a bias."""
    a, b, c = whole(random, 6), whole(random, 3, -3, 3), float(whole(random, (), -3, 3, zero=False))
    slid = through(a, f"correlate {spaced(b)} valid")
    first = slid.copy()
    first[0] += c
    mistakes = {"flipped": through(a, f"convolve {spaced(b)} valid") + c, "bias": slid, "once": first}
    layers = f"correlate {spaced(b)} valid bias {c:g}"
    query = {"x": spaced(a), "layers": layers, "layer": 1, "at": 0}
    values = {"a": a, "b": b, "c": c, "window": a[:3], "first": slid[0] + c}
    return Drawn(Numbers((4,)), through(a, layers), mistakes, values, query)


@CONVOLUTION.exercise("cyclic", _NETWORKS, section="Signal")
def cyclic(random: Random) -> Drawn:
    """Correlate around the end of a signal."""
    a, b = whole(random, 5), whole(random, 3, -2, 3)
    layers = f"correlate {spaced(b)} cyclic"
    found = through(a, layers)
    mistakes = {
        "zeros": through(a, f"correlate {spaced(b)} zero 0 2"),
        "both": through(a, f"correlate {spaced(b)} zero 1 1"),
        "flipped": through(a, f"correlate {spaced(b[::-1])} cyclic"),
    }
    query = {"x": spaced(a), "layers": layers, "layer": 1, "at": 4}
    return Drawn(Numbers((5,)), found, mistakes, {"a": a, "b": b, "last": np.roll(a, -4)[:3]}, query)


@CONVOLUTION.exercise("true-convolution", _NETWORKS, section="Signal")
def true_convolution(random: Random) -> Drawn:
    """Tell a convolution from a cross-correlation."""
    a, b = whole(random, 5), whole(random, 3, -3, 4)
    layers = f"convolve {spaced(b)} valid"
    mistakes = {
        "correlation": through(a, f"correlate {spaced(b)} valid"),
        "signal": through(a[::-1], layers),
        "sums": through(a, "sum window 3 stride 1"),
    }
    query = {"x": spaced(a), "layers": layers, "layer": 1, "at": 0}
    return Drawn(Numbers((3,)), through(a, layers), mistakes, {"a": a, "b": b, "turned": b[::-1]}, query)


@CONVOLUTION.exercise("grouped", _DETECTOR, section="Signal")
def grouped(random: Random) -> Drawn:
    """Make one kernel of two."""
    first, second = whole(random, 2, -3, 3, zero=False), whole(random, 3, -3, 3)
    found = np.convolve(first, second)
    mistakes = {
        "flipped": np.convolve(first[::-1], second),
        "added": np.pad(first, (0, 2)) + np.pad(second, (0, 1)),
        "apart": np.pad(first * second[:2], (0, 2)),
    }
    layers = f"correlate {spaced(first)} cyclic; correlate {spaced(second)} cyclic"
    query = {"x": spaced(block(10, 4, 1)), "layers": layers, "layer": 2}
    values = {"u": first, "v": second, "u0": first[0], "u1": first[1]}
    return Drawn(Numbers((4,)), found, mistakes, values, query)


@CONVOLUTION.exercise("two-kernels", _DETECTOR, section="Signal")
def two_kernels(random: Random) -> Drawn:
    """Follow a block through both kernels of the detector."""
    wanted, ones = int(random.integers(2, 5)), int(random.integers(1, 6))
    x = block(10, int(random.integers(1, 5)), ones)
    second = np.array([1.0, *[0.0] * (wanted - 1), -1.0])
    layers = f"correlate -1 1 cyclic; correlate {spaced(second)} cyclic"
    found, early = through(x, layers), through(x, "correlate -1 1 cyclic")
    mistakes = {
        "early": early,
        "flipped": through(early, f"correlate {spaced(-second)} cyclic"),
        "cut": np.maximum(found - 1, 0),
        "direct": through(x, f"correlate {spaced(second)} cyclic"),
    }
    query = {"x": spaced(x), "layers": layers, "layer": 2}
    return Drawn(Numbers((10,)), found, mistakes, {"x": x, "w": second, "z": early, "n": wanted}, query)


def hidden_signals(seed: int, gap: int) -> np.ndarray:
    """Make signals of 0s and 1s (200, 24): blocks of one to six ones, at least ``gap`` zeros apart."""
    random = np.random.default_rng([seed, 17])
    signals = np.zeros((_HIDDEN, _LENGTH))
    for row in signals:
        at = int(random.integers(gap, gap + 3))
        while at + (size := int(random.integers(1, 7))) <= _LENGTH - 2:
            row[at : at + size] = 1.0
            at += size + int(random.integers(gap, gap + 3))
    return signals


def block_lengths(signals: np.ndarray) -> np.ndarray:
    """Give, one place before the beginning of each block of ones, its length; else 0."""
    found = np.zeros(signals.shape)
    for ones in range(1, 7):
        fits = np.ones(signals.shape, bool)
        for offset, value in enumerate((0.0, *[1.0] * ones, 0.0)):
            fits &= np.roll(signals, -offset, axis=1) == value
        found[fits] = ones
    return found


@CONVOLUTION.exercise("find-kernel", _DETECTOR, section="Signal")
def find_kernel(random: Random) -> Drawn:
    """Find a kernel that marks blocks of exactly so many ones on hidden signals."""
    wanted, bias = int(random.integers(2, 6)), int(random.integers(1, 5))
    gap = max(2, wanted - 1)  # a beginning and an end as far apart as wanted then belong to one block
    signals = hidden_signals(int(random.integers(1000)), gap)
    lengths = block_lengths(signals)

    def job(kernel: np.ndarray) -> str | None:
        sums = sum(weight * np.roll(signals, -at, axis=1) for at, weight in enumerate(kernel))
        fires, right = sums - bias > 1e-9, lengths == wanted
        if not fires.any():
            return "silent"
        if (fires == right).all():
            return None
        if (right & ~fires).any():
            return "misses"
        return "elsewhere" if (fires & (lengths == 0)).any() else "every"

    kernel = bias * np.convolve([-1.0, 1.0], [1.0, *[0.0] * (wanted - 1), -1.0])
    longer = bias * np.convolve([-1.0, 1.0], [1.0, *[0.0] * wanted, -1.0])
    mistakes = {
        "silent": kernel / 2,
        "every": np.array([-2.0, 2.0]) * bias,
        "elsewhere": np.array([0.0, *[bias / (wanted - 0.5)] * wanted]),
        "misses": longer,
    }
    example = block(wanted + 4, 2, wanted)
    values = {"n": wanted, "bias": bias, "size": wanted + 2, "gap": gap, "example": example}
    query = {"x": spaced(example), "layers": f"correlate {spaced(kernel)} cyclic; bias -{bias}; relu"}
    return Drawn(Numbers(), kernel, mistakes, values, query, job)


@CONVOLUTION.exercise("kernel-gradient", _NETWORKS, section="Signal")
def kernel_gradient(random: Random) -> Drawn:
    """Differentiate a loss by the weights of a kernel."""
    a, e = whole(random, 4, -3, 4), whole(random, 3, -3, 3, zero=False)
    query = {"x": spaced(a), "layers": f"correlate {spaced(e)} valid"}
    found = through(a, f"correlate {spaced(e)} valid")
    mistakes = {
        "first": e[0] * a[:2],
        "flipped": through(a, f"convolve {spaced(e)} valid"),
        "mean": found / 3,
    }
    return Drawn(Numbers((2,), 0.01), found, mistakes, {"a": a, "e": e, "a0": a[:3], "a1": a[1:]}, query)


@CONVOLUTION.exercise("bias-step", _NETWORKS, section="Learned")
def bias_step(random: Random) -> Drawn:
    """Take one step of SGD for a bias."""
    e, c = whole(random, 4, -4, 4, zero=False), float(whole(random, (), -3, 3))
    rate = float(one_of(random, (0.1, 0.05, 0.2, 0.01)))
    mistakes = {
        "sign": c + rate * e.sum(),
        "one": c - rate * e[0],
        "mean": c - rate * e.mean(),
        "rate": c - e.sum(),
    }
    values = {"e": e, "c": c, "rate": rate, "sum": e.sum()}
    return Drawn(Number(1e-4), c - rate * e.sum(), mistakes, values)


@CONVOLUTION.exercise("parameters", _NETWORKS, section="Sizes")
def parameters(random: Random) -> Drawn:
    """Compare a convolution with a fully connected layer."""
    length, taps = int(random.integers(3, 20)) * 10, int(random.integers(3, 10))
    dense = length * length + length
    right = dense - (taps + 1)
    mistakes = {
        "dense-bias": length * length - (taps + 1),
        "bias": dense - taps,
        "no-bias": length * length - taps,
    }
    query = {"stack_input": f"{length}x1", "stack": f"conv {taps}x1"}
    return Drawn(Number(), right, mistakes, {"n": length, "k": taps, "dense": dense, "conv": taps + 1}, query)


@CONVOLUTION.exercise("shifted", _NETWORKS, section="Signal")
def shifted(random: Random) -> Drawn:
    """Use equivariance instead of computing again."""
    z = whole(random, 6, -9, 9)
    by = different(random, 1, 1, 2)[0]
    mistakes = {"invariant": z, "back": np.roll(z, -by), "zeros": np.concatenate([np.zeros(by), z[:-by]])}
    query = {"x": spaced(z), "layers": "correlate 1 2 -1 cyclic"}
    return Drawn(Numbers((6,)), np.roll(z, by), mistakes, {"z": z, "by": by}, query)
