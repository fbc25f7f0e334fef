"""Recipes and configs: frozen dataclasses to and from plain values, with checked ``key=value`` overrides."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import json
import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter

from data_prep.errors import InputError
from data_prep.fields import adapters, check

Recipe = TypeVar("Recipe")


def to_dict(recipe: Any) -> dict[str, Any]:
    """Return a recipe, a dataclass or mapping, as plain values that JSON gives back unchanged (tuples become lists).

    Raises:
        ValueError: When a value is NaN or infinite.
        TypeError: When a value is not a number, string, boolean, None, list or mapping of these.
    """
    values = dataclasses.asdict(recipe) if dataclasses.is_dataclass(recipe) else dict(recipe)
    return json.loads(json.dumps(values, allow_nan=False))


def from_dict(recipe_class: type[Recipe], values: Mapping[str, Any], prefix: str = "") -> Recipe:
    """Build a recipe or config from plain values, for example from a JSON file.

    Args:
        recipe_class: Dataclass whose fields are bool, int, float, str, None, Literal, tuples of these, unions
            with None, or dataclasses of the same kind.
        values: Every field by its name; nothing may be left to a default, because defaults change, but
            for what the class lists in ``ADDED``: fields that older files lack, with what they were then.
        prefix: Of the keys in messages.

    Returns:
        The recipe.

    Raises:
        InputError: When a key is unknown or missing, or a value has the wrong type.
    """
    fields = _field_types(recipe_class)
    if not isinstance(values, Mapping):
        raise InputError(f"{prefix or recipe_class.__name__} is not a mapping of keys", received=values)
    values = {**getattr(recipe_class, "ADDED", {}), **values}
    for key in values:
        if key not in fields:
            raise _unknown_key(f"{prefix}{key}", str(key), list(fields))
    built = {}
    for key, kind in fields.items():
        if key not in values:
            raise InputError(f"The key {prefix + key!r} is missing", allowed=", ".join(sorted(fields)))
        value, item = values[key], (*typing.get_args(kind), None)[0]
        if dataclasses.is_dataclass(kind):
            built[key] = from_dict(kind, value, f"{prefix}{key}.")
        elif dataclasses.is_dataclass(item) and isinstance(value, list | tuple):
            built[key] = tuple(from_dict(item, one, f"{prefix}{key}.") for one in value)
        else:
            built[key] = check(adapters(recipe_class)[key], _tuples(value), f"{prefix}{key}")
    return recipe_class(**built)


def with_overrides(recipe: Recipe, overrides: Sequence[str]) -> Recipe:
    """Return the recipe with ``key=value`` texts applied in order, as ``--set`` gives them.

    Args:
        recipe: Frozen dataclass instance; it is not changed.
        overrides: For example ``["epochs=3", "model.units=64", "betas=0.9,0.99", "warmup=none"]``.

    Returns:
        A new recipe of the same class.

    Raises:
        InputError: When a text has no ``=``, a key is unknown (close names are offered), or a value does not
            fit the type of its field.
    """
    for text in overrides:
        key, separator, value = text.partition("=")
        if not separator or not key.strip():
            raise InputError("An override has no key or no value", allowed="key=value", received=text)
        recipe = _override(recipe, key.strip(), key.strip().split("."), value.strip())
    return recipe


def differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the dotted keys in which two recipes of plain values differ, as ``key (before -> now)``, sorted."""
    one, two = flat(before), flat(now)
    return [
        f"{key} ({one.get(key, 'absent')} -> {two.get(key, 'absent')})"
        for key in sorted(one.keys() | two.keys())
        if one.get(key) != two.get(key)
    ]


def close_names(name: str, names: Sequence[str], *, kind: str) -> str:
    """Return a sentence that offers the names closest to ``name``, or lists them when none is close."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return "Did you mean " + " or ".join(repr(match) for match in close) + "?"
    return f"There is no {kind}" if not names else f"Choose one of: {', '.join(sorted(names))}"


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return plain values as JSON under dotted keys."""
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found.update(flat(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = json.dumps(value)
    return found


@functools.cache
def _field_types(recipe_class: type) -> dict[str, Any]:
    hints = typing.get_type_hints(recipe_class)
    return {field.name: hints[field.name] for field in dataclasses.fields(recipe_class) if field.init}


def _override(recipe: Recipe, full_key: str, keys: list[str], text: str) -> Recipe:
    fields = _field_types(type(recipe))
    if keys[0] not in fields:
        raise _unknown_key(full_key, keys[0], list(fields))
    old = getattr(recipe, keys[0])
    if dataclasses.is_dataclass(old):
        if len(keys) == 1:
            inside = ", ".join(f"{full_key}.{name}=..." for name in _field_types(type(old)))
            raise InputError(f"The key {full_key!r} is a group of settings", allowed=inside)
        new = _override(old, full_key, keys[1:], text)
    elif len(keys) > 1:
        raise _unknown_key(full_key, full_key, list(fields))
    else:
        new = _parsed(adapters(type(recipe))[keys[0]], fields[keys[0]], text, full_key)
    return dataclasses.replace(recipe, **{keys[0]: new})


def _unknown_key(full_key: str, key: str, names: list[str]) -> InputError:
    return InputError(
        f"The key {full_key!r} is unknown",
        allowed=", ".join(sorted(names)),
        remedy=close_names(key, names, kind="key"),
    )


def _parsed(adapter: TypeAdapter[Any], kind: Any, text: str, key: str) -> Any:
    """Read a field's value from the text of an override: as a number or word of JSON, else as the text itself."""
    if typing.get_origin(kind) is tuple:
        items = [item.strip() for item in text.strip("()[] ").split(",") if item.strip()]
        readings: list[Any] = [tuple(map(_plain, items)), tuple(items)]
    else:
        readings = [_plain(text), text]
    for value in readings:
        with contextlib.suppress(InputError):
            return check(adapter, value, key)
    return check(adapter, readings[0], key)


def _plain(text: str) -> Any:
    words = {"none": None, "null": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    for number in (int, float):
        with contextlib.suppress(ValueError):
            return number(text)
    return text


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def fields_of(recipe: Any, config_class: type[Recipe], **more: Any) -> Recipe:
    """Make a config of the fields that a recipe has under the same names; ``more`` are others, and go before these."""
    names = {field.name for field in dataclasses.fields(config_class)} - more.keys()
    return config_class(**{name: getattr(recipe, name) for name in names if hasattr(recipe, name)}, **more)
