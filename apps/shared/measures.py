"""Scores as a preset stores them, in one form for all measures; and how honest probabilities are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apps.shared.results import Result
from data_prep.files import sha256_of

BINS = 15  # of a reliability diagram, as in Guo et al. 2017
_TEMPERATURES = (0.2, 3.0)  # the least and the highest that is looked for


def measure(
    score: float | None,
    n: int,
    protocol: str,
    *,
    unit: str = "%",
    standard_error: float | None = None,
    published: Mapping[str, float] | None = None,
    lower_is_better: bool = False,
    **details: Any,
) -> dict[str, Any]:
    """Make one measure of a preset's ``metrics.json``.

    Args:
        score: Its value, None where nothing could be scored.
        n: Examples that were counted.
        protocol: How it was measured, in a sentence.
        unit: Of score, error and baseline.
        standard_error: Of the score.
        published: What the authors of other systems give for the same measure; the best is the baseline.
        lower_is_better: Of the measure.
        details: More, as JSON can hold it.
    """
    published = dict(published or {})
    return {
        "score": score,
        "unit": unit,
        "n": n,
        "standard_error": standard_error,
        "baseline": (min if lower_is_better else max)(published.values(), default=None),
        "published": published,
        "protocol": protocol,
        **details,
    }


def percent_right(right: int, n: int) -> tuple[float, float]:
    """Return the share of right answers and its standard error, both in percent."""
    share = right / n
    return 100.0 * share, 100.0 * float(np.sqrt(share * (1.0 - share) / n))


def confusion_matrix(right: np.ndarray, answers: np.ndarray, classes: int) -> tuple[tuple[int, ...], ...]:
    """Count for each class (row) how often each class (column) was the answer; classes by number, int (n,)."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (right, answers), 1)
    return tuple(tuple(row) for row in counts.tolist())


def checksums_of(*paths: Path) -> dict[str, str]:
    """Return name and checksum of files that something learned from; of one name, the later ones get a number."""
    names = [path.name for path in paths]
    more = [names[:at].count(name) for at, name in enumerate(names)]
    named = (f"{name} ({n + 1})" if n else name for name, n in zip(names, more, strict=True))
    return {name: f"sha256 {sha256_of(path)}" for name, path in zip(named, paths, strict=True)}


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
    """Group answers by their probability, in intervals of one width, the least probable first.

    Args:
        probability: Of each answer, float (n,), 0 to 1.
        right: Whether it is right, bool (n,).
        bins: Number of intervals.
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
    """Expected calibration error, 0 to 1: mean distance of probability and share right, weighted by answers.

    Source: Guo et al. 2017, equation 3; 0 without answers.
    """
    error = sum(one.n * abs(one.confidence - one.accuracy) for one in bins if one.n)
    return error / max(1, sum(one.n for one in bins))


def calibration_by_chance(bins: Sequence[ReliabilityBin]) -> float:
    """Expected :func:`calibration_error` of as many answers that are right exactly as often as they say, 0 to 1.

    Above 0, for answers are few: the mean distance of a binomial share from its probability (de Moivre 1730).
    """
    from scipy.stats import binom

    def distance(n: int, p: float) -> float:  # times n
        above = int(n * p) + 1
        return 2.0 * above * (1.0 - p) * float(binom.pmf(above, n, p))

    full = [one for one in bins if one.n]
    return sum(distance(one.n, min(one.confidence, 1.0)) for one in full) / max(1, sum(one.n for one in full))


def calibration_measure(bins: Sequence[ReliabilityBin], what: str) -> dict[str, Any]:
    """Make the measure of :func:`calibration_error`, in percent; ``what`` names what was answered."""
    return measure(
        100.0 * calibration_error(bins),
        sum(one.n for one in bins),
        f"expected calibration error over {len(bins)} equal intervals, {what}",
        by_chance=100.0 * calibration_by_chance(bins),
        bins=[one.to_dict() for one in bins],
    )


def chosen_temperature(loss: Callable[[float], float]) -> float:
    """Choose what logits are divided by, so that a loss of what was not learned is smallest (Guo et al. 2017).

    Args:
        loss: Temperature to mean negative log-likelihood of the right answers.
    """
    from scipy.optimize import minimize_scalar

    bounds = tuple(np.log(_TEMPERATURES))
    best = minimize_scalar(
        lambda log: loss(float(np.exp(log))), bounds=bounds, method="bounded", options={"maxiter": 15}
    )
    return float(np.exp(best.x))


def likelihood_loss(logits: np.ndarray, right: np.ndarray) -> Callable[[float], float]:
    """Return the loss of :func:`chosen_temperature` for logits float (n, classes) and right classes int (n,)."""

    def loss(temperature: float) -> float:
        scaled = logits.astype(np.float64) / temperature
        return float((np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(right)), right]).mean())

    return loss
