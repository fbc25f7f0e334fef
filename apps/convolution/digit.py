"""One kernel on one digit: the lecture network's trained kernels where its preset is shipped, else hand-made ones."""

from __future__ import annotations

import dataclasses

import numpy as np

from apps.convolution.numbers import MAX_VALUE, check_value, check_whole
from apps.convolution.sizes import ModeRule
from apps.convolution.tensors import convolve_full
from apps.digits.application import Digits
from apps.shared.results import Result
from data_prep.errors import InputError

PRESET = "digits_lecture"
Kernels = dict[str, tuple[np.ndarray, float]]  # name to float64 (k, k) and the bias
DIGITS_EACH = 20  # of a class that can be chosen
_EDGE = ((-1, -1, 0, 1, 1), (-2, -2, 0, 2, 2), (-3, -3, 0, 3, 3), (-2, -2, 0, 2, 2), (-1, -1, 0, 1, 1))
_HAND_MADE = {
    "left edges": np.array(_EDGE) / 9,
    "right edges": -np.array(_EDGE) / 9,
    "upper edges": np.array(_EDGE).T / 9,
    "lower edges": -np.array(_EDGE).T / 9,
    "blur": np.full((5, 5), 1 / 25),
    "one pixel": np.pad(np.ones((1, 1)), 2),
}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ConvolvedDigit(Result):
    """A digit and what a kernel makes of it."""

    image: np.ndarray  # float64 (28, 28), 0 for paper and 1 for ink
    kernel: np.ndarray  # float64 (k, k)
    bias: float  # added to each sum
    rule: ModeRule  # how the kernel slides along both modes
    output: np.ndarray  # float64 (outputs, outputs)


def digit_image(label: int, number: int = 0) -> np.ndarray:
    """Take one of the digits that the project carries, float64 (28, 28), 0 for paper and 1 for ink.

    Args:
        label: Its class, 0 to 9.
        number: Which of that class, 0 to 19.

    Raises:
        InputError: A number is out of range, or the file is missing or damaged.
    """
    check_whole(label, "The digit", 0, 9)
    check_whole(number, "The number of the picture", 0, DIGITS_EACH - 1)
    found = Digits.examples()
    return found.images[found.labels == label][number].astype(np.float64) / 255.0


def hand_made_kernels() -> Kernels:
    """Give kernels that were made by hand, without a bias: edges, a blur, and the kernel that changes nothing."""
    return {name: (kernel, 0.0) for name, kernel in _HAND_MADE.items()}


def trained_kernels(preset: str = PRESET) -> Kernels:
    """Take the kernels of the first convolution of a preset of digits, by its name or folder: one a head.

    Raises:
        InputError: The preset is missing or damaged, or its first convolution reads several channels.
    """
    arrays = Digits.from_preset(preset).arrays
    for name, array in arrays.items():
        if array.ndim == 4 and array.shape[2] == 1:
            heads = range(array.shape[3])
            biases = arrays.get(name.removesuffix("kernel") + "bias", np.zeros(len(heads)))
            kernels = array[:, :, 0].astype(np.float64)  # (k, k, heads)
            return {f"head {at + 1}": (kernels[..., at], float(biases[at])) for at in heads}
    raise InputError("The preset has no convolution of one channel", received=preset)


def convolve_digit(
    image: np.ndarray,
    kernel: np.ndarray,
    bias: float = 0.0,
    *,
    padding: int = 0,
    stride: int = 1,
    dilation: int = 1,
    relu: bool = False,
) -> ConvolvedDigit:
    """Slide a kernel over a picture as high as wide.

    Args:
        image: (side, side).
        kernel: (k, k).
        bias: Added to each sum.
        padding: Zeros on all sides.
        stride: Pixels between two positions.
        dilation: Pixels between two weights.
        relu: Whether what is negative becomes 0.

    Raises:
        InputError: A number is out of range, or the output would have size zero.
    """
    check_value(bias, "The bias")
    rule = ModeRule(image.shape[0], kernel.shape[0], padding, padding, stride, dilation)
    output = convolve_full(image, kernel, (rule, rule)) + bias
    if np.abs(output).max(initial=0.0) > MAX_VALUE:
        raise InputError("The output is out of range", allowed="-1,000,000 to 1,000,000")
    return ConvolvedDigit(image, kernel, float(bias), rule, np.maximum(output, 0.0) if relu else output)
