"""How honest probabilities are: right answers by probability, and the expected calibration error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apps.shared.results import Result

BINS = 15  # as in Guo et al. 2017


@dataclass(frozen=True, slots=True)
class ReliabilityBin(Result):
    """Answers whose probability lies in one interval.

    Attributes:
        low: Start of the interval.
        high: Its end, which belongs to it.
        n: How many answers.
        confidence: Their mean probability, 0 to 1; None without answers.
        accuracy: Share of them that is right, 0 to 1; None without answers.
    """

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


def reliability(probability: np.ndarray, right: np.ndarray, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Group answers by their probability, in intervals of one width.

    Args:
        probability: Of each answer, float (n,), 0 to 1.
        right: Whether it is right, bool (n,).
        bins: Number of intervals.

    Returns:
        One entry an interval, the least probable first.
    """
    edges = np.linspace(0.0, 1.0, bins + 1).tolist()
    place = np.clip(np.ceil(np.asarray(probability, np.float64) * bins).astype(int) - 1, 0, bins - 1)
    found = []
    for at in range(bins):
        inside = place == at
        chosen = [values[inside] for values in (probability, right)]
        means = [float(np.mean(values, dtype=np.float64)) if len(values) else None for values in chosen]
        found.append(ReliabilityBin(edges[at], edges[at + 1], int(inside.sum()), *means))
    return tuple(found)


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Expected calibration error: mean distance of probability and share right, weighted by answers.

    Args:
        bins: As :func:`reliability` gives them.

    Returns:
        From 0 to 1; 0 without answers. Source: Guo et al. 2017, equation 3.
    """
    error = sum(one.n * abs(one.confidence - one.accuracy) for one in bins if one.n)
    return error / max(1, sum(one.n for one in bins))
