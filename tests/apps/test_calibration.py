from __future__ import annotations

import numpy as np
import pytest

from apps.shared.measures import (
    ReliabilityBin,
    calibration_by_chance,
    calibration_error,
    calibration_measure,
    chosen_temperature,
    likelihood_loss,
    reliability,
)
from models.serving.operations import softened, softmax


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


def test_few_answers_lie_off_by_chance() -> None:
    coins = ReliabilityBin(0.4, 0.6, 2, 0.5, 1.0)  # a share of 0, 1/2 or 1, so 1/4 off in the mean
    assert calibration_by_chance([coins]) == pytest.approx(0.25)
    sure = ReliabilityBin(0.8, 1.0, 6, 1.0, 1.0)
    assert calibration_by_chance([coins, sure]) == pytest.approx(2 * 0.25 / 8)
    assert calibration_by_chance(()) == 0.0


def test_answers_as_sure_as_right_are_off_by_chance_alone() -> None:
    rng = np.random.default_rng(3)
    shares = rng.uniform(0.5, 1.0, (200, 3000))
    found = [reliability(own, rng.random(3000) < own) for own in shares]
    assert np.mean(list(map(calibration_error, found))) == pytest.approx(
        np.mean(list(map(calibration_by_chance, found))), rel=0.03
    )


def test_the_temperature_makes_a_network_as_sure_as_it_is_right() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(0.0, 2.0, (20_000, 4))
    shares = softmax(logits)
    right = (shares.cumsum(axis=1) < rng.random((len(logits), 1))).sum(axis=1)
    for factor in (0.5, 2.0):
        temperature = chosen_temperature(likelihood_loss(factor * logits, right))
        assert temperature == pytest.approx(factor, rel=0.03)
    answers, sure = logits.argmax(axis=1), softmax(2.0 * logits / temperature).max(axis=1)
    measured = calibration_measure(reliability(sure, answers == right), "drawn answers")
    assert measured["score"] < 1.0 and measured["n"] == len(logits)
    assert 0.0 < measured["by_chance"] < 1.0
    arrays = {"logits/kernel": np.ones((2, 2), np.float32), "logits/bias": np.ones(2, np.float32)}
    halved = softened({**arrays, "other": np.ones(1)}, 2.0)
    assert halved["logits/kernel"][0, 0] == halved["logits/bias"][0] == 0.5 and halved["other"][0] == 1.0
