"""Tests that say the same of many things: a few of these are enough to be quick."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pytest


def slow_but(quick: Collection[object], every: Iterable[object]) -> list[object]:
    """All cases for ``parametrize``; a tuple is a case of several arguments, and what is not quick is slow."""
    return [
        pytest.param(
            *(one if isinstance(one, tuple) else [one]), marks=[] if one in quick else [pytest.mark.slow]
        )
        for one in every
    ]
