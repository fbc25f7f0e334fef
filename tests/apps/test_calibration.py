from __future__ import annotations

import numpy as np
import pytest

from apps.shared.measures import calibration_error, reliability


def test_calibration_error_by_hand() -> None:
    bins = reliability(np.array([0.1, 0.2, 0.55, 0.95, 1.0]), np.array([0, 1, 1, 1, 0], bool), bins=2)
    assert [one.n for one in bins] == [2, 3]
    low = abs(0.15 - 0.5)
    high = abs((0.55 + 0.95 + 1.0) / 3 - 2 / 3)
    assert calibration_error(bins) == pytest.approx((2 * low + 3 * high) / 5)
    assert calibration_error(()) == 0.0


def test_the_end_of_an_interval_belongs_to_it() -> None:
    bins = reliability(np.array([0.0, 0.5, 0.500001, 1.0]), np.ones(4, bool), bins=2)
    assert [one.n for one in bins] == [2, 2]
    empty = reliability(np.array([0.9]), np.array([True]), bins=2)[0]
    assert (empty.n, empty.confidence, empty.accuracy) == (0, None, None)
