"""Inside a recurrent language model: every gate and state of every unit at every step.

Written out in NumPy from the equations of the cells, so that nothing is hidden: Elman 1990 (simple recurrent),
Hochreiter and Schmidhuber 1997 (LSTM), Cho et al. 2014 (GRU, with the reset gate behind the product), Zhou et al. 2016
(MGU). Tests compare the values with the Keras layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from models.char_lm.config import CharLMConfig, embedding_name

MAX_STEPS = 10_000

Values = dict[str, np.ndarray]


class LayerWeights(NamedTuple):
    """Weights of a recurrent layer: kernel (inputs, blocks * units), recurrent kernel, bias."""

    kernel: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True, slots=True)
class UnitFit:
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
        For each layer, those of the first member first, its values by name, float32 (time, units): ``hidden``, the
        output, for all cells; for the LSTM
        ``input``, ``forget``, ``candidate``, ``output`` and ``cell``; for the GRU ``update``, ``reset`` and
        ``candidate``; for the MGU ``forget`` and ``candidate``.

    Raises:
        InputError: If there are no ids, too many, or one is outside the vocabulary.
    """
    ids = checked_ids(ids, config.tokens)
    found: list[Values] = []
    for number, weights in enumerate(recurrent_weights(arrays)):
        member, place = divmod(number, config.layers)
        below = member_vectors(arrays, member)[ids] if place == 0 else found[-1]["hidden"]
        found.append(layer_values(config.cell, weights, np.asarray(below, np.float32)))
    return found


def member_vectors(arrays: Mapping[str, np.ndarray], member: int) -> np.ndarray:
    """Return the token vectors of a member of the network, counted from 0, (tokens, embedding)."""
    return arrays[f"{embedding_name(member + 1)}/embeddings"]


def recurrent_weights(arrays: Mapping[str, np.ndarray]) -> list[LayerWeights]:
    """Take the weights of the recurrent layers out of those of a network, the first layer first."""
    folders = [name.rpartition("/")[0] for name in arrays if name.endswith("/recurrent_kernel")]
    # The number of a layer stands at the end of its name; that of the first one may be left out.
    folders.sort(
        key=lambda folder: int("0" + folder.partition("/")[0].rpartition("_")[2].strip(ascii_letters))
    )
    parts = ("kernel", "recurrent_kernel", "bias")
    return [LayerWeights(*(arrays[f"{folder}/{part}"] for part in parts)) for folder in folders]


def layer_values(cell: str, weights: LayerWeights, inputs: np.ndarray) -> Values:
    """Run one layer over a sequence, from a state of zeros on.

    Args:
        cell: ``"rnn"``, ``"lstm"``, ``"gru"`` or ``"mgu"``.
        weights: Of the layer.
        inputs: Float (time, inputs).

    Returns:
        Values by name as in ``gate_values``, of the type of the inputs.

    Raises:
        InputError: If there is no such cell.
    """
    if cell not in _STEPS:
        raise InputError("There is no such recurrent cell", allowed=", ".join(_STEPS), received=cell)
    step = _STEPS[cell]
    # A GRU has a bias for the inputs and another one for the state.
    bias, state_bias = weights.bias if weights.bias.ndim == 2 else (weights.bias, None)
    sums = inputs @ weights.kernel + bias
    units = len(weights.recurrent)
    states = {"hidden": np.zeros(units, inputs.dtype), "cell": np.zeros(units, inputs.dtype)}
    steps = []
    for row in sums:
        values = step(row, states, weights.recurrent, state_bias)
        states = values
        steps.append(values)
    return {name: np.stack([values[name] for values in steps]) for name in steps[0]}


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


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 * np.tanh(0.5 * values) + 0.5


# A step takes what the inputs add to the weighted sums (blocks * units,), the values before, the recurrent kernel and
# its bias, and returns the values behind it.


def _rnn_step(sums: np.ndarray, before: Values, recurrent: np.ndarray, _: np.ndarray | None) -> Values:
    return {"hidden": np.tanh(sums + before["hidden"] @ recurrent)}


def _lstm_step(sums: np.ndarray, before: Values, recurrent: np.ndarray, _: np.ndarray | None) -> Values:
    first, forget, candidate, output = np.split(sums + before["hidden"] @ recurrent, 4)
    first, forget, output = _sigmoid(first), _sigmoid(forget), _sigmoid(output)
    candidate = np.tanh(candidate)
    cell = forget * before["cell"] + first * candidate
    return {
        "input": first,
        "forget": forget,
        "candidate": candidate,
        "output": output,
        "cell": cell,
        "hidden": output * np.tanh(cell),
    }


def _gru_step(sums: np.ndarray, before: Values, recurrent: np.ndarray, bias: np.ndarray | None) -> Values:
    from_inputs = np.split(sums, 3)
    from_state = np.split(before["hidden"] @ recurrent + bias, 3)
    update, reset = (_sigmoid(from_inputs[block] + from_state[block]) for block in (0, 1))
    candidate = np.tanh(from_inputs[2] + reset * from_state[2])
    hidden = update * before["hidden"] + (1.0 - update) * candidate
    return {"update": update, "reset": reset, "candidate": candidate, "hidden": hidden}


def _mgu_step(sums: np.ndarray, before: Values, recurrent: np.ndarray, _: np.ndarray | None) -> Values:
    units = len(recurrent)
    forget = _sigmoid(sums[:units] + before["hidden"] @ recurrent[:, :units])
    candidate = np.tanh(sums[units:] + (forget * before["hidden"]) @ recurrent[:, units:])
    hidden = (1.0 - forget) * before["hidden"] + forget * candidate
    return {"forget": forget, "candidate": candidate, "hidden": hidden}


_STEPS: dict[str, Callable[[np.ndarray, Values, np.ndarray, np.ndarray | None], Values]] = {
    "rnn": _rnn_step,
    "lstm": _lstm_step,
    "gru": _gru_step,
    "mgu": _mgu_step,
}
