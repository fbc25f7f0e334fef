"""Bounds of settings, written where a field is declared (``epochs: Count = 12``) and checked in one place."""

from __future__ import annotations

import dataclasses
import functools
import typing
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from pydantic import ConfigDict, TypeAdapter, ValidationError

from data_prep.errors import InputError

Count = Annotated[int, Ge(1)]  # how many of something that there must be
Natural = Annotated[int, Ge(0)]  # how many, none allowed
Share = Annotated[float, Ge(0.0), Lt(1.0)]
Portion = Annotated[float, Ge(0.0), Le(1.0)]  # of something, all of it allowed
StrokeChange = Annotated[float, Ge(0.0), Le(0.45)]  # of the level at which grey becomes ink
Rate = Annotated[float, Gt(0.0), Lt(1.0)]  # a learning rate
WarmupShare = Annotated[float, Ge(0.0), Le(0.5)]  # of all steps
Positive = Annotated[float, Gt(0.0)]
NonNegative = Annotated[float, Ge(0.0)]


class Checked:
    """Base of frozen dataclasses of settings: refuses values that do not fit the types and bounds of the fields.

    A class with rules between fields calls ``super().__post_init__()`` and then checks these.
    """

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            InputError: A value has another type than its field, or lies outside its bounds.
        """
        for name, adapter in adapters(type(self)).items():
            value = getattr(self, name)
            if isinstance(value, np.generic):  # a number of NumPy is the same number of Python
                value = value.item()
                object.__setattr__(self, name, value)
            check(adapter, value, name)


def check(adapter: TypeAdapter[Any], value: Any, name: str) -> Any:
    """Return a value that fits a field's type and bounds; an InputError says what would."""
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError as error:
        allowed = " or ".join(dict.fromkeys(in_words(one["msg"]) for one in error.errors()))
        raise InputError(f"{name} does not fit", allowed=allowed, received=value) from None


@functools.cache
def adapters(kind: type) -> dict[str, TypeAdapter[Any]]:
    """Return what checks each field of a dataclass but those that are dataclasses themselves."""
    hints = typing.get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind)]
    # A dataclass inside was checked when it was made; others are checked by pydantic.
    return {
        name: TypeAdapter(hints[name], config=ConfigDict(arbitrary_types_allowed=True, allow_inf_nan=False))
        for name in names
        if not dataclasses.is_dataclass(hints[name])
    }


_TERMS = {
    "valid integer": "whole number",
    ", unable to interpret input": "",
    "a valid boolean": "true or false",
    "a valid dictionary or object to extract fields from": "an object",
    "a valid array": "a list",
    "a valid ": "a ",
    "Field required": "more values",
}


def in_words(message: str) -> str:
    """Make "Input should be a valid integer" an answer to "Allowed:"."""
    for term, words in _TERMS.items():
        message = message.replace(term, words)
    return message.removeprefix("Input should be ")
