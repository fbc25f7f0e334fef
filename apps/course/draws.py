"""What the exercises of several parts draw and compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from apps.convolution.application import read_layers, run_signal
from apps.course.answers_computed import Contraction, Einsum

Random = np.random.Generator


def whole(
    random: Random, shape: int | Sequence[int], low: int = -4, high: int = 4, *, zero: bool = True
) -> np.ndarray:
    """Draw whole numbers from ``low`` to ``high``, float64 of a shape, without 0 where it is not wanted."""
    numbers = [number for number in range(low, high + 1) if zero or number]
    return random.choice(numbers, shape).astype(np.float64)


def different(random: Random, count: int, low: int, high: int) -> list[int]:
    """Draw whole numbers from ``low`` to ``high``, no two the same."""
    return [int(number) for number in random.choice(np.arange(low, high + 1), count, replace=False)]


def one_of(random: Random, options: Sequence) -> object:
    """Draw one of several options."""
    return options[int(random.integers(len(options)))]


def typed(array: np.ndarray | Sequence[float]) -> str:
    """Write a tensor as the bench reads it: ``((1, 2), (3, 4))``."""
    if np.ndim(array) == 0:
        return f"{float(array):g}"
    return f"({', '.join(map(typed, array))})"


def spaced(values: Sequence[float]) -> str:
    """Write numbers with spaces between them, as the bench reads a signal."""
    return " ".join(f"{value:.6g}" for value in values)


def through(signal: Sequence[float], layers: str) -> np.ndarray:
    """Send a signal through layers of the bench, such as ``"correlate -1 1 cyclic; relu"``."""
    return np.array(run_signal(tuple(map(float, signal)), read_layers(layers)).output)


def contractions(shapes: Mapping[str, Sequence[int]], *texts: str) -> tuple[Einsum, list[Contraction]]:
    """Make the kind of answer that contracts tensors of these shapes, and read expressions as answers."""
    kind = Einsum(tuple((name, tuple(shape)) for name, shape in shapes.items()))
    return kind, [kind.read(text) for text in texts]


def block(length: int, start: int, ones: int) -> np.ndarray:
    """Make a signal of zeros with a block of ones that begins at a place."""
    signal = np.zeros(length)
    signal[start : start + ones] = 1.0
    return signal
