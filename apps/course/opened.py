"""The shipped models that exercises ask, each opened once a process and only when it is asked."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.reviews.application import Reviews
    from apps.vectors.application import Vectors
    from apps.writer.application import Writer


@cache
def vectors() -> Vectors:
    """The word vectors."""
    from apps.vectors.application import Vectors

    return Vectors.from_preset()


@cache
def reviews(preset: str = "reviews_imdb") -> Reviews:
    """The classifier of reviews, or that of articles."""
    from apps.reviews.application import Reviews

    return Reviews.from_preset(preset)


@cache
def writer() -> Writer:
    """The writer."""
    from apps.writer.application import Writer

    return Writer.from_preset()
