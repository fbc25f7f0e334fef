"""Documents that stand in two parts of a data set, or twice in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from data_prep.text.text_inputs import plain


class Duplicates(NamedTuple):
    """How many documents of the second part stand in the first one too, and where (their places in the second)."""

    count: int
    places: tuple[int, ...]


def shared_texts(first: Sequence[str], second: Sequence[str]) -> Duplicates:
    """Find documents that are the same without markup and spaces around them.

    Args:
        first: For example what a network learns from.
        second: For example what it is scored on.
    """
    known = {plain(text).strip() for text in first}
    places = tuple(at for at, text in enumerate(second) if plain(text).strip() in known)
    return Duplicates(len(places), places)
