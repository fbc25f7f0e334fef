"""Inside a recurrent language model: gates and states of its units, what units follow, and how far back they learn.

Hochreiter 1991 and Bengio, Simard and Frasconi 1994, "Learning long-term dependencies with gradient descent is
difficult".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from models.char_lm.config import CharLMConfig, embedding_name, recurrent_weights
from models.layers.cells import Values
from models.serving.cell_gradients import GradientNorms, layer_gradients, layer_values
from models.serving.operations import softmax


class UnitFit(NamedTuple):
    """How well a unit follows a property: the correlation over the steps, -1 to 1; ``layer`` counts from 0."""

    layer: int
    unit: int
    correlation: float


def gate_values(config: CharLMConfig, arrays: Mapping[str, np.ndarray], ids: np.ndarray) -> list[Values]:
    """Compute every gate and state while tokens, int (time,), are read from a state of zeros on.

    Returns:
        For each layer, those of the first member first, its values by name, (time, units), of the type of the arrays,
        as ``models.serving.cell_gradients.layer_values`` gives them.
    """
    found: list[Values] = []
    for number, weights in enumerate(recurrent_weights(config, arrays)):
        member, place = divmod(number, config.layers)
        below = found[-1]["hidden"] if place else arrays[f"{embedding_name(member + 1)}/embeddings"][ids]
        found.append(layer_values(config.cell, weights, below))
    return found


def rank_units(values: Sequence[Values], followed: np.ndarray, name: str = "hidden") -> tuple[UnitFit, ...]:
    """Order the units of all layers by how well a gate or state of theirs follows a property of the text.

    Args:
        values: Of each layer, as ``gate_values`` gives them.
        followed: The property at each step, number or bool (time,).
        name: Which gate or state of the units.

    Returns:
        All units, the highest absolute correlation first; 0 for a unit that never changes.

    Raises:
        InputError: If there is no such gate, or the property has the same value everywhere.
    """
    if name not in values[0]:
        raise InputError("The cell has no such gate or state", allowed=", ".join(values[0]), received=name)
    wanted = followed - np.mean(followed)
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
        fits += [UnitFit(layer, unit, float(value)) for unit, value in enumerate(correlations)]
    return tuple(sorted(fits, key=lambda fit: -abs(fit.correlation)))


def gradient_norms(
    config: CharLMConfig, arrays: Mapping[str, np.ndarray], ids: np.ndarray
) -> list[GradientNorms]:
    """Measure how far back the error of one prediction reaches: that of the last token, given all before it.

    Where its gradient has vanished, a step cannot learn from it. ``ids`` are int (time + 1,), 2 or more.

    Returns:
        For each layer the lengths of the gradient by step.
    """
    exact = {name: np.asarray(array, np.float64) for name, array in arrays.items() if array.dtype.kind == "f"}
    values = gate_values(config, exact, ids[:-1])
    last = np.concatenate([own["hidden"][-1] for own in values[config.layers - 1 :: config.layers]])
    error = softmax(last @ exact["logits/kernel"] + exact["logits/bias"])
    error[ids[-1]] -= 1.0
    by_outputs = np.split(exact["logits/kernel"] @ error, config.members)
    found = []
    for number, weights in reversed(list(enumerate(recurrent_weights(config, exact)))):
        member, place = divmod(number, config.layers)
        if place == config.layers - 1:  # the last layer of a member, which the logits read at the last step
            outside = np.zeros_like(values[number]["hidden"])
            outside[-1] = by_outputs[member]
        norms, outside = layer_gradients(config.cell, weights, values[number], outside)
        found.append(norms)
    return found[::-1]
