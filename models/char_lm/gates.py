"""Inside a recurrent language model: all gates and states of its units at every step, and what units follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from models.char_lm.config import CharLMConfig, embedding_name, recurrent_weights
from models.layers.cells import Values
from models.serving.cell_gradients import layer_values

MAX_STEPS = 10_000


class UnitFit(NamedTuple):
    """How well a unit follows a property: the correlation over the steps, -1 to 1; ``layer`` counts from 0."""

    layer: int
    name: str
    unit: int
    correlation: float


def gate_values(config: CharLMConfig, arrays: Mapping[str, np.ndarray], ids: Sequence[int]) -> list[Values]:
    """Compute every gate and state, from a state of zeros on.

    Args:
        config: Of the network.
        arrays: Its weights by path, as ``models.storage.variables.variable_arrays`` names them.
        ids: The tokens that it reads, int (time,), 1 to 10,000.

    Returns:
        For each layer, those of the first member first, its values by name, float32 (time, units), as
        ``models.serving.cell_gradients.layer_values`` gives them.

    Raises:
        InputError: If there are no ids, too many, or one is outside the vocabulary.
    """
    return network_values(config, arrays, checked_ids(ids, config.tokens))


def network_values(config: CharLMConfig, arrays: Mapping[str, np.ndarray], ids: np.ndarray) -> list[Values]:
    """Return the values of all layers, of the type of the arrays."""
    found: list[Values] = []
    for number, weights in enumerate(recurrent_weights(config, arrays)):
        member, place = divmod(number, config.layers)
        below = found[-1]["hidden"] if place else arrays[f"{embedding_name(member + 1)}/embeddings"][ids]
        found.append(layer_values(config.cell, weights, below))
    return found


def checked_ids(ids: Sequence[int], tokens: int) -> np.ndarray:
    """Return ids as an array, int (time,); refuse none at all, more than 10,000, and those outside the vocabulary."""
    array = np.asarray(ids)
    if not 1 <= len(array) <= MAX_STEPS:
        raise InputError(
            "The number of tokens does not fit", allowed=f"1 to {MAX_STEPS:,}", received=len(array)
        )
    if array.min() < 0 or array.max() >= tokens:
        raise InputError(
            "An id is outside the vocabulary", allowed=f"0 to {tokens - 1}", received=array.tolist()
        )
    return array


def rank_units(values: Sequence[Values], followed: np.ndarray, name: str = "hidden") -> tuple[UnitFit, ...]:
    """Order the units of all layers by how well they follow a property of the text.

    Args:
        values: Of each layer, as ``gate_values`` gives them.
        followed: The property at each step, number or bool (time,).
        name: Which gate or state of the units.

    Returns:
        All units, the highest absolute correlation first; 0 for a unit that never changes.

    Raises:
        InputError: If there is no such gate, or the property has another length or the same value everywhere.
    """
    wanted = np.asarray(followed, np.float64)
    if name not in values[0]:
        raise InputError("The cell has no such gate or state", allowed=", ".join(values[0]), received=name)
    if wanted.shape != (len(values[0][name]),):
        raise InputError(
            "The property does not have one value for each step",
            allowed=str(len(values[0][name])),
            received=wanted.shape,
        )
    wanted = wanted - wanted.mean()
    if not wanted.any():
        raise InputError(
            "The property is the same at every step, so no unit can follow it",
            remedy="Give a text in which it changes",
        )
    fits = []
    for layer, own in enumerate(values):
        centred = own[name] - own[name].mean(axis=0, dtype=np.float64)
        lengths = np.linalg.norm(centred, axis=0) * np.linalg.norm(wanted)
        correlations = np.divide(wanted @ centred, lengths, out=np.zeros(len(lengths)), where=lengths > 1e-9)
        fits += [UnitFit(layer, name, unit, float(value)) for unit, value in enumerate(correlations)]
    return tuple(sorted(fits, key=lambda fit: -abs(fit.correlation)))
