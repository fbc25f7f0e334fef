"""The lecture's worked examples, as they are typed into the convolution bench."""

from __future__ import annotations

from dataclasses import dataclass

SIGNAL = "0 0 0 0 0 1 1 1 0 0"


@dataclass(frozen=True)
class SignalExample:
    """An example of one signal.

    Args:
        title: What it shows.
        signal: As it is typed.
        layers: As they are typed.
        about: What to look at.
    """

    title: str
    signal: str
    layers: str
    about: str


@dataclass(frozen=True)
class SizeExample:
    """A question about sizes.

    Args:
        title: What is asked.
        values: What is typed into each box.
    """

    title: str
    values: dict[str, str]


@dataclass(frozen=True)
class EinsteinExample:
    """An expression.

    Args:
        title: What it shows.
        expression: As it is typed.
        tensors: What is typed for each tensor.
        by: The tensor that it is differentiated by.
    """

    title: str
    expression: str
    tensors: dict[str, str]
    by: str


SIGNALS = {
    "detect": SignalExample(
        "Detect a block of three ones",
        SIGNAL,
        "correlate -1 1 cyclic\ncorrelate 1 0 0 -1 cyclic\nbias -1\nrelu",
        "The first kernel marks where ones begin and end, the second looks for a beginning three places before an end. "
        "Both are linear, so they could be grouped into one kernel.",
    ),
    "pool": SignalExample(
        "Pooling in action: detect instead of localise",
        SIGNAL,
        "correlate -1 1 cyclic\ncorrelate 1 0 0 -1 cyclic bias -1\nrelu\nmax",
        "Max-pooling the whole signal leaves one number: there is a block, wherever it is. Sum-pooling gives the same "
        "here.",
    ),
    "sum": SignalExample(
        "The same with sum-pooling",
        SIGNAL,
        "correlate -1 1 cyclic\ncorrelate 1 0 0 -1 cyclic bias -1\nrelu\nsum",
        "The sum counts the blocks; the max only says whether there is one.",
    ),
    "flexible": SignalExample(
        "Detector of flexible length",
        SIGNAL,
        "correlate -1 1 cyclic\nsum blocks 2\ncorrelate 1 -1 cyclic",
        "Sum-pooling in blocks of two lets the end of the block move by one place: blocks of a similar length give the "
        "same peak.",
    ),
    "average": SignalExample(
        "Moving average, then every second value",
        "1 4 2 8 5 7 1 4 2 8",
        "correlate 0.25 0.5 0.25 zero 1 1\naverage blocks 2",
        "A blur with one zero at both ends keeps the size; average-pooling halves it.",
    ),
    "stride": SignalExample(
        "Stride and dilation",
        "1 2 3 4 5 6 7 8 9 10",
        "correlate 1 0 -1 valid stride 2\nconvolve 1 2 zero 1 1 dilation 2",
        "A stride of two skips every second position; dilation spreads the weights. The second layer is a true "
        "convolution: its kernel is read backwards.",
    ),
}
SIZES = {
    "valid": SizeExample(
        "4×4×3 input, 2×2×2 filter", {"n": "4x4x3", "k": "2x2x2", "pad": "0", "stride": "1", "dilation": "1"}
    ),
    "pad": SizeExample(
        "… last mode zero-padded by 1 at its end",
        {"n": "4x4x3", "k": "2x2x2", "pad": "0, 0, 0+1", "stride": "1", "dilation": "1"},
    ),
    "stride": SizeExample(
        "… stride 2, 2, 1 without padding",
        {"n": "4x4x3", "k": "2x2x2", "pad": "0", "stride": "2, 2, 1", "dilation": "1"},
    ),
    "dilation": SizeExample(
        "… dilation 2 in the first two modes",
        {"n": "5x5x3", "k": "2x2x2", "pad": "0", "stride": "1", "dilation": "2, 2, 1"},
    ),
}
STACKS = {
    "lecture": SizeExample(
        "The lecture's CNN for MNIST",
        {
            "input": "24x24x1",
            "layers": "conv 5x5x8 pad 2; relu; pool 2x2; conv 5x5x16 pad 2; relu; pool 3x3; dense 10",
        },
    ),
    "lenet": SizeExample(
        "LeNet-5 (all maps connected)",
        {
            "input": "32x32x1",
            "layers": "conv 5x5x6; pool 2x2; conv 5x5x16; pool 2x2; conv 5x5x120; dense 84; dense 10",
        },
    ),
    "dilated": SizeExample(
        "Dilated convolutions of a signal",
        {
            "input": "64x1",
            "layers": "conv 2x8 dilation 1; conv 2x8 dilation 2; conv 2x8 dilation 4; pointwise 1",
        },
    ),
    "separable": SizeExample(
        "Depthwise, then pointwise",
        {
            "input": "32x32x64",
            "layers": "depthwise 3x3 pad 1; pointwise 128; relu; depthwise 3x3 pad 1 stride 2; pointwise 128",
        },
    ),
}
_MATRIX = "((1, 2), (3, 4))"
EINSTEIN = {
    "rows": EinsteinExample("a_i^j b_j", "a_i^j b_j", {"a": _MATRIX, "b": "(1, -1)"}, "b"),
    "columns": EinsteinExample("a_i^j c^i", "a_i^j c^i", {"a": _MATRIX, "c": "(1, 1)"}, "a"),
    "three": EinsteinExample(
        "Three tensors", "a_ij^k b_jk^l c_lm", {"a": "2x3x2", "b": "3x2x2", "c": "2x2"}, "b"
    ),
    "numpy": EinsteinExample("NumPy's notation", "ij,jk->ik", {"a": _MATRIX, "b": "((0, 1), (1, 0))"}, "a"),
    "pointwise": EinsteinExample(
        "Pointwise convolution", "xyc,c->xy", {"a": "3x3x3", "b": "(1, 1, 1)"}, "b"
    ),
    "square": EinsteinExample("Squared length", "x_i x^i", {"x": "(1, -2, 3)"}, "x"),
    "layer": EinsteinExample(
        "A layer with bias", "y_i = relu(w_i^j x_j + b_i)",
        {"w": "((1, -1), (2, 1), (-1, 1))", "x": "(2, 1)", "b": "(0, -1, 2)"}, "x",
    ),
    "network": EinsteinExample(
        "Two layers", "h_i = tanh(v_i^j x_j); y_k = w_k^i h_i",
        {"v": "((1, -1), (0.5, 0.5))", "x": "(0.3, -0.2)", "w": "((1, 2), (0, 1), (3, -1))"}, "x",
    ),
}  # fmt: skip
