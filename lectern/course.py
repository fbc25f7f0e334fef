"""The course for notebooks: exercises that check an answer, and the pictures of the lessons' exhibits.

>>> from lectern.course import check
>>> check("tensors/rows", [3, 0, -4], seed=1).right  # doctest: +SKIP
False
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import numpy as np

from apps.course.answers import Number, Numbers, Shape, Words
from apps.course.catalogue import exercise
from apps.course.exercises import Problem, Verdict
from apps.course.lessons import step_named
from apps.course.pictures import picture
from data_prep.errors import InputError

__all__ = ["Exhibit", "check", "exhibit", "problem"]
_NONE_YET = Verdict(False, "There is no answer yet: put it in place of the three dots.")


@dataclass(frozen=True)
class Exhibit:
    """The stored picture of an exhibit, which draws itself in a notebook."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg


def check(name: str, answer: Any, *, seed: int = 0) -> Verdict:
    """Check an answer to an exercise.

    Args:
        name: Of the exercise, such as ``"tensors/rows"``.
        answer: As it would be typed on the page, or a number, an array, a shape, a list of words; three dots for none.
        seed: That drew its numbers.

    Returns:
        Whether it is right, what is said about it, and the name of a typical mistake that was recognised.

    Raises:
        InputError: There is no such exercise, or the answer cannot be read.
    """
    found = problem(name, seed=seed)
    return _NONE_YET if isinstance(answer, EllipsisType) else found.check(_typed(found, answer))


def problem(name: str, *, seed: int = 0) -> Problem:
    """Draw an exercise: its ``text``, ``hints`` and ``solution``, as :func:`check` takes them."""
    return exercise(name).sheet(seed)


def exhibit(step: str) -> Exhibit:
    """Give the picture of a step, such as ``"tensors/modes"``; an InputError says which steps there are."""
    return Exhibit(picture(step_named(step)))


def _typed(found: Problem, answer: Any) -> str:
    """Write an answer of Python as it would be typed."""
    if hasattr(answer, "__array__"):  # of NumPy, pandas or TensorFlow
        array = np.asarray(answer)
        answer = array.flat[0] if array.size == 1 and isinstance(found.kind, Number) else array.tolist()
    if isinstance(answer, Sequence) and not isinstance(answer, str):
        if isinstance(found.kind, Numbers):
            return found.kind.written(_numbers(found, answer))
        if isinstance(found.kind, Shape | Words):
            return found.kind.written([str(one) for one in answer])
    return str(answer)


def _numbers(found: Problem, answer: Sequence[Any]) -> np.ndarray:
    """Turn lists into a vector or matrix, float64; of more modes those of size 1 are left out."""
    try:
        values = np.asarray(answer, np.float64)
    except (TypeError, ValueError):
        raise InputError("The answer is no array of numbers", allowed=found.asked, received=answer) from None
    values = values.squeeze() if values.ndim > 2 else values
    if values.ndim > 2:
        raise InputError(f"The answer has {values.ndim} modes", allowed=found.asked, received=answer)
    return values
