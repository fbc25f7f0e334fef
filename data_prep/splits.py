"""Seeded splits for sets without an official one; no example is in two parts."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from data_prep.errors import InputError


def split(count: int, shares: Mapping[str, float], seed: int = 0) -> dict[str, np.ndarray]:
    """Split examples at random: sorted indices of each part, int64; every example is in exactly one part.

    Args:
        count: Number of examples.
        shares: Share of each part, for example ``{"train": 0.8, "dev": 0.1, "test": 0.1}``; they add up to 1.
        seed: The same seed gives the same split.

    Raises:
        InputError: If the shares are not positive or do not add up to 1, or a part would be empty.
    """
    _check_shares(shares)
    order = np.random.default_rng(seed).permutation(count)
    borders = np.round(np.cumsum([0.0, *shares.values()]) * count).astype(int)
    parts = (np.sort(order[first:last]) for first, last in pairwise(borders))
    return _checked(dict(zip(shares, parts, strict=True)), count)


def group_split(
    groups: Sequence[Hashable], shares: Mapping[str, float], seed: int = 0
) -> dict[str, np.ndarray]:
    """Split examples as :func:`split` does, so that no group (a word, a writer, a document) is in two parts.

    The shares are met as nearly as whole groups allow; ``groups`` has the group of each example.
    """
    _check_shares(shares)
    parts = _assign_groups(groups, list(shares.values()), seed)
    return _checked(dict(zip(shares, parts, strict=True)), len(groups))


def k_folds(
    count: int, folds: int, seed: int = 0, groups: Sequence[Hashable] | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Make the splits of a cross-validation: for each fold the sorted indices for training and for testing.

    Args:
        count: Number of examples; each is tested exactly once.
        folds: Number of splits, 2 or more.
        seed: The same seed gives the same folds.
        groups: The group of each example, if no group may be in two folds.

    Raises:
        InputError: If there are fewer examples or groups than folds, or fewer than 2 folds.
    """
    available = count if groups is None else len(set(groups))
    if folds < 2 or folds > available:
        raise InputError("The number of folds does not fit", allowed=f"2 to {available}", received=folds)
    if groups is not None and len(groups) != count:
        raise InputError("There are not as many groups as examples", allowed=str(count), received=len(groups))
    tests = _assign_groups(range(count) if groups is None else groups, [1 / folds] * folds, seed)
    return [(np.setdiff1d(np.arange(count), test, assume_unique=True), test) for test in tests]


def _assign_groups(groups: Sequence[Hashable], shares: Sequence[float], seed: int) -> list[np.ndarray]:
    """Give every group to the part that is furthest from its share, large groups first."""
    members: dict[Hashable, list[int]] = {}
    for at, group in enumerate(groups):
        members.setdefault(group, []).append(at)
    shuffled = list(members.values())
    np.random.default_rng(seed).shuffle(shuffled)
    wanted = np.array(shares) * len(groups)
    parts: list[list[int]] = [[] for _ in shares]
    for group_members in sorted(shuffled, key=len, reverse=True):
        part = int(np.argmax(wanted))
        parts[part].extend(group_members)
        wanted[part] -= len(group_members)
    return [np.array(sorted(part), np.int64) for part in parts]


def _check_shares(shares: Mapping[str, float]) -> None:
    values = list(shares.values())
    if not values or min(values) <= 0 or not np.isclose(sum(values), 1.0, rtol=0, atol=1e-9):
        raise InputError(
            "The shares of a split are wrong", allowed="positive, together 1", received=dict(shares)
        )


def _checked(parts: dict[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    if empty := next((name for name, part in parts.items() if not len(part)), None):
        raise InputError(
            f"The part {empty} would be empty", received=f"{count} examples", remedy="Give more data"
        )
    return parts
