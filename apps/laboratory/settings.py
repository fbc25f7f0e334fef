"""The settings of a recipe as a page shows them: what each says, what it allows, and a change as ``key=value``."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from data_prep.fields import adapters

_ENDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
_TYPES = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "a text"}


@dataclass(frozen=True)
class Setting:
    """One setting of a recipe.

    Args:
        key: As ``--set`` takes it.
        value: Of the recipe.
        help: What it is.
        schema: JSON schema of its type.
    """

    key: str
    value: Any
    help: str
    schema: Mapping[str, Any]

    @property
    def choices(self) -> tuple[str, ...]:
        """What it can be, as texts; nothing where there are too many."""
        if self.schema.get("type") == "boolean":
            return ("true", "false")
        return tuple(map(as_text, self.schema.get("enum", ())))

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return any(kind.get("type") == "integer" for kind in self.schema.get("anyOf", (self.schema,)))

    @property
    def free_text(self) -> bool:
        """Whether it can be any text, so also the path of a file."""
        kinds = self.schema.get("anyOf", (self.schema,))
        return any(kind.get("type") == "string" and "enum" not in kind for kind in kinds)

    @property
    def allowed(self) -> str:
        """What it allows, in words."""
        return _said(self.schema)


def as_text(value: Any) -> str:
    """Return a value as ``--set`` takes it."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(as_text, value)) if isinstance(value, list | tuple) else str(value)


def settings_of(recipe: Any, prefix: str = "") -> dict[str, Setting]:
    """Return all settings of a recipe by their keys, those of the dataclasses in it too."""
    found: dict[str, Setting] = {}
    helps, kinds = _helps(type(recipe)), adapters(type(recipe))
    for field in dataclasses.fields(recipe):
        value, key = getattr(recipe, field.name), prefix + field.name
        if dataclasses.is_dataclass(value):
            found |= settings_of(value, f"{key}.")
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            for number, one in enumerate(value, start=1):
                found |= settings_of(one, f"{prefix}{field.name.removesuffix('s')}{number}.")
        else:
            schema = kinds[field.name].json_schema()
            found[key] = Setting(key, value, helps.get(field.name, ""), schema)
    return found


@cache
def _helps(recipe_class: type) -> dict[str, str]:
    """Return what the docstrings of a recipe and of what it is made of say of its fields."""
    found: dict[str, str] = {}
    for one in reversed(recipe_class.__mro__):
        _, _, listed = (inspect.cleandoc(one.__doc__ or "")).partition("Args:\n")
        for name, text in re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", listed, re.MULTILINE):
            found[name] = " ".join(text.split())
    return found


def _said(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join("none" if one.get("type") == "null" else _said(one) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(map(as_text, schema.get("enum", [schema.get("const")])))
    if schema.get("type") == "array":
        return (
            f"{_said(schema['items'])}, several with commas" if "items" in schema else "several with commas"
        )
    ends = " and ".join(f"{word} {schema[end]:g}" for end, word in _ENDS.items() if end in schema)
    return f"{_TYPES.get(schema.get('type', ''), 'a value')} {ends}".strip()
