"""The variables of a Keras model as named arrays, under names that do not depend on what was built before.

Keras is imported inside the functions: the vectors of a preset open without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from data_prep.array_files import differences, specs_of

_NUMBERED = re.compile(r"(.+?)(?:_(\d+))?\Z", re.DOTALL)


def stable_paths(variables: Sequence[Any]) -> list[str]:
    """Return one name for each variable of a model that is the same for every instance of one network.

    Keras numbers unnamed layers through the whole process: the second model built has ``dense_7/kernel`` where the
    first had ``dense_3/kernel``. Here the layers of one base name inside one parent are numbered from nothing, in
    the order of their numbers: ``dense/kernel``, ``dense_1/kernel``.

    Raises:
        ValueError: When two variables would have one name; name the layers or weights then.
    """
    parts = [tuple(variable.path.split("/")) for variable in variables]
    renamed: dict[tuple[str, ...], str] = {}
    for depth in range(1, max(map(len, parts), default=0) + 1):
        siblings: dict[tuple[tuple[str, ...], str], set[tuple[int, str]]] = {}
        for part in parts:
            if len(part) >= depth:
                base, number = _NUMBERED.fullmatch(part[depth - 1]).groups()
                siblings.setdefault((part[: depth - 1], base), set()).add((int(number or 0), part[depth - 1]))
        for (parent, base), names in siblings.items():
            for index, (_, name) in enumerate(sorted(names)):
                renamed[(*parent, name)] = f"{base}_{index}" if index else base
    paths = ["/".join(renamed[part[: i + 1]] for i in range(len(part))) for part in parts]
    repeated = {path for path in paths if paths.count(path) > 1} if len(set(paths)) < len(paths) else set()
    if repeated:
        raise ValueError(f"Variables share one name: {sorted(repeated)}. Give their layers or weights names.")
    return paths


def variable_arrays(variables: Sequence[Any]) -> dict[str, np.ndarray]:
    """Return stable path to a copy of the value (later training steps do not change it)."""
    return dict(zip(stable_paths(variables), copy_values(variables), strict=True))


def assign_arrays(variables: Sequence[Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Set every variable from the array of its stable path.

    Raises:
        ValueError: When names, a shape or a dtype differ; nothing is assigned then.
    """
    expected = specs_of(variable_arrays(variables))
    problems = differences(expected, specs_of(arrays))
    if problems:
        raise ValueError("Arrays do not fit the variables: " + "; ".join(problems))
    for path, variable in zip(expected, variables, strict=True):
        variable.assign(arrays[path])


def fitting_arrays(own: Mapping[str, np.ndarray], arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return those of some arrays that have name and shape of ``own``, as :func:`variable_arrays` gives these."""
    return {name: one for name, one in arrays.items() if name in own and own[name].shape == one.shape}


def copy_values(variables: Iterable[Any]) -> list[np.ndarray]:
    """Return copies of the values, in order."""
    # Not keras.ops.convert_to_numpy: it goes through __array__, about which NumPy 2 warns for each variable.
    values = (variable.value for variable in variables)
    return [np.array(value.numpy() if hasattr(value, "numpy") else value, copy=True) for value in values]
