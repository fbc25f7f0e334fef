"""Scores as a preset stores them: one form for all measures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.files import sha256_of


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
    """Count for each class (row) how often each class (column) was the answer.

    Args:
        right: Numbers of the right classes, int (n,).
        answers: Those of the answers, int (n,).
        classes: How many there are.
    """
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (right, answers), 1)
    return tuple(tuple(row) for row in counts.tolist())


def checksums_of(*paths: Path) -> dict[str, str]:
    """Return name and checksum of files that something learned from."""
    return {path.name: f"sha256 {sha256_of(path)}" for path in paths}
