"""An exhibit: a section of a page, with a fixed input that the visitor can change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Exhibit:
    """Where the suite shows something.

    Attributes:
        page: Key of the page.
        values: By the names of its widgets, which are also its query parameters; among them its ``section`` and,
            where it is not the default one, its ``preset``.
    """

    page: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        """Query parameters of the page that open it."""
        return {name: _written(value) for name, value in self.values.items()}


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
