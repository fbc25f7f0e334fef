"""Recipes and configs: frozen dataclasses to and from plain values, with checked ``key=value`` overrides."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import json
import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from data_prep.errors import InputError

Recipe = TypeVar("Recipe")


def to_dict(recipe: Any) -> dict[str, Any]:
    """Return a recipe as plain values that JSON gives back unchanged (tuples become lists).

    Args:
        recipe: Dataclass instance or mapping.

    Raises:
        ValueError: When a value is NaN or infinite.
        TypeError: When a value is not a number, string, boolean, None, list or mapping of these.
    """
    values = dataclasses.asdict(recipe) if dataclasses.is_dataclass(recipe) else dict(recipe)
    return json.loads(json.dumps(values, allow_nan=False))


def from_dict(recipe_class: type[Recipe], values: Mapping[str, Any]) -> Recipe:
    """Build a recipe or config from plain values, for example from a JSON file.

    Args:
        recipe_class: Dataclass whose fields are bool, int, float, str, None, Literal, tuples of these, unions
            with None, or dataclasses of the same kind.
        values: Every field by its name; nothing may be left to a default, because defaults change.

    Returns:
        The recipe.

    Raises:
        InputError: When a key is unknown or missing, or a value has the wrong type.
    """
    return _from_dict(recipe_class, values, "")


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


def differing_keys(first: Any, second: Any) -> list[str]:
    """Return the sorted dotted keys in which two recipes differ, or which only one of them has."""
    one, two = _flat(to_dict(first), ""), _flat(to_dict(second), "")
    absent = object()
    return sorted(key for key in one.keys() | two.keys() if one.get(key, absent) != two.get(key, absent))


def close_names(name: str, names: Sequence[str], *, kind: str) -> str:
    """Return a sentence that offers the names closest to ``name``, or lists them when none is close."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return "Did you mean " + " or ".join(repr(match) for match in close) + "?"
    return f"There is no {kind}" if not names else f"Choose one of: {', '.join(sorted(names))}"


def _flat(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


@functools.cache
def _field_types(recipe_class: type) -> dict[str, Any]:
    if not dataclasses.is_dataclass(recipe_class):
        raise TypeError(f"{recipe_class!r} is not a dataclass")
    hints = typing.get_type_hints(recipe_class)
    return {field.name: hints[field.name] for field in dataclasses.fields(recipe_class) if field.init}


def _make(recipe_class: type[Recipe], values: dict[str, Any]) -> Recipe:
    try:
        return recipe_class(**values)
    except InputError:
        raise
    except ValueError as error:  # a dataclass may check its values in __post_init__
        raise InputError(f"{recipe_class.__name__} refuses its values: {error}") from error


def _from_dict(recipe_class: type[Recipe], values: Any, prefix: str) -> Recipe:
    fields = _field_types(recipe_class)
    if not isinstance(values, Mapping):
        raise InputError(f"{prefix or recipe_class.__name__} is not a mapping of keys", received=values)
    for key in values:
        if key not in fields:
            raise _unknown_key(f"{prefix}{key}", str(key), list(fields))
    for key in fields:
        if key not in values:
            raise InputError(f"The key {prefix + key!r} is missing", allowed=", ".join(sorted(fields)))
    built = {key: _value(fields[key], value, f"{prefix}{key}") for key, value in values.items()}
    return _make(recipe_class, built)


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
        new = _parse(fields[keys[0]], text, full_key)
    values = {name: getattr(recipe, name) for name in fields}
    return _make(type(recipe), {**values, keys[0]: new})


def _unknown_key(full_key: str, key: str, names: list[str]) -> InputError:
    return InputError(
        f"The key {full_key!r} is unknown",
        allowed=", ".join(sorted(names)),
        remedy=close_names(key, names, kind="key"),
    )


def _wrong(key: str, kind: Any, received: object) -> InputError:
    return InputError(f"The value of {key!r} does not fit", allowed=_type_words(kind), received=received)


def _type_words(kind: Any) -> str:
    origin = typing.get_origin(kind)
    if origin is Literal:
        return " or ".join(repr(choice) for choice in typing.get_args(kind))
    if _is_union(kind):
        return " or ".join(_type_words(option) for option in typing.get_args(kind))
    if origin is tuple:
        inside = ", ".join("..." if arg is Ellipsis else _type_words(arg) for arg in typing.get_args(kind))
        return f"a list ({inside})"
    words = {bool: "true or false", int: "a whole number", float: "a finite number", str: "a text"}
    return words.get(kind, "none" if kind is type(None) else str(getattr(kind, "__name__", kind)))


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _value(kind: Any, value: Any, key: str) -> Any:
    """Check a plain value (from JSON) against a field's type; lists become tuples."""
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        return _from_dict(kind, value, f"{key}.")
    if _is_union(kind):
        for option in typing.get_args(kind):
            try:
                return _value(option, value, key)
            except InputError:
                continue
        raise _wrong(key, kind, value)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise _wrong(key, kind, value)
        return tuple(_value(k, v, key) for k, v in zip(_item_types(kind, value, key), value, strict=True))
    if origin is Literal:
        if not any(type(value) is type(choice) and value == choice for choice in typing.get_args(kind)):
            raise _wrong(key, kind, value)
        return value
    return _scalar(kind, value, key)


def _scalar(kind: Any, value: Any, key: str) -> Any:
    if kind is type(None) and value is None:
        return None
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if kind in (bool, int, str) and type(value) is kind:  # a bool is no int here
        return value
    if kind not in (bool, int, float, str, type(None)):
        raise TypeError(f"Field {key!r} has the type {kind!r}, which recipes do not support")
    raise _wrong(key, kind, value)


def _item_types(kind: Any, items: Sequence[Any], key: str) -> list[Any]:
    arguments = typing.get_args(kind)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return [arguments[0]] * len(items)
    if len(arguments) != len(items):
        raise _wrong(key, kind, list(items))
    return list(arguments)


def _parse(kind: Any, text: str, key: str) -> Any:
    """Read a field's value from the text of an override."""
    if _is_union(kind):
        for option in sorted(typing.get_args(kind), key=lambda o: o is str):  # text last: it takes everything
            try:
                return _parse(option, text, key)
            except InputError:
                continue
        raise _wrong(key, kind, text)
    if typing.get_origin(kind) is tuple:
        inside = text.strip("()[] ")
        items = [item.strip() for item in inside.split(",") if item.strip()] if inside else []
        return tuple(_parse(k, t, key) for k, t in zip(_item_types(kind, items, key), items, strict=True))
    if typing.get_origin(kind) is Literal:
        for choice in typing.get_args(kind):
            if text == str(choice):
                return choice
        raise _wrong(key, kind, text)
    return _parse_scalar(kind, text, key)


def _parse_scalar(kind: Any, text: str, key: str) -> Any:
    lowered = text.lower()
    if kind is bool and lowered in ("true", "false"):
        return lowered == "true"
    if kind is type(None) and lowered in ("none", "null"):
        return None
    if kind is str:
        return text
    if kind in (int, float):
        try:
            return _scalar(kind, kind(text), key)
        except ValueError as error:
            raise _wrong(key, kind, text) from error
    if kind in (bool, type(None)):
        raise _wrong(key, kind, text)
    raise TypeError(f"Field {key!r} has the type {kind!r}, which recipes do not support")


def fields_of(recipe: Any, config_class: type[Recipe], **more: Any) -> Recipe:
    """Make a config of the fields that a recipe has under the same names.

    Args:
        recipe: Dataclass instance.
        config_class: Dataclass of the config.
        more: Its other fields, or fields that are not to be taken from the recipe.
    """
    names = {field.name for field in dataclasses.fields(config_class)} - more.keys()
    return config_class(**{name: getattr(recipe, name) for name in names if hasattr(recipe, name)}, **more)
