"""What serving several networks has in common, in NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits into probabilities along the last axis, float64 of the same shape."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    shares = np.exp(shifted)
    return shares / shares.sum(axis=-1, keepdims=True)


def softened(arrays: Mapping[str, np.ndarray], temperature: float) -> dict[str, np.ndarray]:
    """Divide the logits of a network by a temperature, so that it is as sure as it is right (Guo et al. 2017)."""
    last = {name: arrays[name] / np.float32(temperature) for name in ("logits/kernel", "logits/bias")}
    return {**arrays, **last}


def similar_lengths(lengths: Sequence[int], most: int) -> list[np.ndarray]:
    """Put sequences of similar length together: places of the sequences of each group, int (sequences,).

    The lengths in a group add up to ``most`` at most; a longer sequence is a group by itself.
    """
    parts, start, size = [], 0, 0
    order = np.argsort(lengths, kind="stable")
    for at in range(len(order)):
        size += lengths[order[at]]
        if size > most and at > start:
            parts.append(order[start:at])
            start, size = at, lengths[order[at]]
    return [*parts, order[start:]] if len(order) else []
