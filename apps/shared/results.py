"""What the applications return: frozen dataclasses that turn into plain dictionaries."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from apps.shared import notebook

if TYPE_CHECKING:
    import pandas


class Result:
    """Base of all results: dictionary, table, data frame, and what a notebook shows.

    Attributes:
        table_columns: Headers of the table that a command prints; those that end in ``>`` are right-aligned.
        most_bars: How many of its shares a notebook draws; None for all.
    """

    table_columns: ClassVar[tuple[str, ...]] = ("measure", "value>")
    most_bars: ClassVar[int | None] = notebook.MOST_BARS

    def table_rows(self) -> list[tuple[str, ...]]:
        """The cells of the table, as text."""
        return [(name.replace("_", " "), str(value)) for name, value in self.to_dict().items()]

    def notes(self) -> list[str]:
        """What is said beside the table, on standard error."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: results inside become dictionaries, tuples and arrays lists."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def to_pandas(self) -> pandas.DataFrame:
        """Turn into a data frame: a row for each probability, or each result inside, or one row."""
        import pandas

        return pandas.DataFrame(self.records())

    def records(self) -> list[dict[str, Any]]:
        """The rows of the data frame."""
        if shares := self.shares():
            return [{"name": name, "value": value} for name, value in shares.items()]
        for value in (getattr(self, field.name) for field in dataclasses.fields(self)):
            if isinstance(value, tuple) and value and all(isinstance(one, Result) for one in value):
                return [one.to_dict() for one in value]
        return [self.to_dict()]

    def shares(self) -> Mapping[str, float]:
        """Probabilities or cosines by name, which a notebook draws as bars; empty for none."""
        return {}

    def pieces(self) -> Iterable[tuple[str, float, str]]:
        """Pieces of a text, each with a strength of -1 to 1 and a note, which a notebook draws as ground; or none."""
        return ()

    def drawn(self) -> str:
        """What a notebook shows, HTML; empty for the table that a command prints."""
        if pieces := list(self.pieces()):
            return notebook.tinted(pieces)
        return notebook.bars(shares, self.most_bars) if (shares := self.shares()) else ""

    def _repr_html_(self) -> str:
        if drawn := self.drawn():
            return f'<div style="{notebook.BOX}">{drawn}</div>'
        import pandas

        columns = [column.rstrip(">") for column in self.table_columns]
        return pandas.DataFrame(self.table_rows(), columns=columns).to_html()


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
