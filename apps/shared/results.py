"""What the applications return: frozen dataclasses that turn into plain dictionaries."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np


class Result:
    """Base of all results: gives them ``to_dict``; one that a command prints says how its table looks.

    Attributes:
        table_columns: Headers of the table; those that end in ``>`` are right-aligned.
    """

    table_columns: ClassVar[tuple[str, ...]] = ("measure", "value>")

    def table_rows(self) -> list[tuple[str, ...]]:
        """The cells of the table, as text."""
        return [(name.replace("_", " "), str(value)) for name, value in self.to_dict().items()]

    def notes(self) -> list[str]:
        """What is said beside the table, on standard error."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: results inside become dictionaries, tuples and arrays lists."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
