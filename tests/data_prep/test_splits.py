from __future__ import annotations

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.splits import group_split, k_folds, split

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}


def test_split_has_every_example_once_and_follows_the_seed():
    parts = split(1000, SHARES, seed=3)
    assert [len(part) for part in parts.values()] == [800, 100, 100]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(1000))
    assert all(np.array_equal(parts[name], again) for name, again in split(1000, SHARES, seed=3).items())
    assert not np.array_equal(parts["test"], split(1000, SHARES, seed=4)["test"])


def test_group_split_keeps_groups_together():
    groups = [f"word{number}" for number in np.random.default_rng(0).zipf(1.5, 2000) % 55]
    parts = group_split(groups, SHARES, seed=1)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(2000))
    assert not {groups[at] for at in parts["train"]} & {groups[at] for at in parts["test"]}
    assert np.array_equal(parts["test"], group_split(groups, SHARES, seed=1)["test"])


@pytest.mark.parametrize("grouped", [False, True])
def test_folds_test_every_example_once(grouped):
    groups = [at % 11 for at in range(103)] if grouped else None
    folds = k_folds(103, 5, seed=2, groups=groups)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(103))
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(103))
        assert 18 <= len(test) <= 30
        if groups:
            assert not {groups[at] for at in train} & {groups[at] for at in test}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: split(10, {"train": 0.5, "test": 0.4}), "shares of a split are wrong"),
        (lambda: split(10, {"train": 1.5, "test": -0.5}), "shares of a split are wrong"),
        (lambda: split(3, SHARES), "part test would be empty. Received: '3 examples'"),
        (lambda: group_split(["a"] * 10, SHARES), "would be empty"),
        (lambda: k_folds(10, 1), "number of folds does not fit"),
        (lambda: k_folds(3, 4), "number of folds does not fit"),
        (lambda: k_folds(10, 3, groups=["a", "b"] * 5), "number of folds does not fit"),
        (lambda: k_folds(9, 2, groups=["a", "b"] * 5), "not as many groups"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()
