"""Inside a recurrent layer, in NumPy: its gates and states at every step, and gradients back in time.

Back-propagation through time is written out for each cell of ``models.layers.cells``; tests compare it with automatic
differentiation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from models.layers.cells import CELLS, LayerWeights, Values
from models.serving.recurrent import NUMPY


class GradientNorms(NamedTuple):
    """Lengths of the gradient of the loss at the last step T, for one layer, float64 (time, ...) each.

    ``sums``: by all the weighted sums z(t) of step t, before their sigmoids and tanhs. ``hidden``: by the output h(t).
    ``state``: by all that step t hands on, of an LSTM its cell c(t) too.
    """

    sums: np.ndarray
    hidden: np.ndarray
    state: np.ndarray


def layer_values(cell: str, weights: LayerWeights, inputs: np.ndarray) -> Values:
    """Run one layer over a sequence, from a state of zeros on.

    Args:
        cell: ``"rnn"``, ``"lstm"``, ``"gru"`` or ``"mgu"``.
        weights: Of the layer.
        inputs: Float (time, ..., inputs); dimensions between these are sequences of their own.

    Returns:
        Its gates and states by name, (time, ..., units) each, of the type of the inputs: ``hidden``, the output, for
        all cells; for the LSTM ``input``, ``forget``, ``candidate``, ``output`` and ``cell``; for the GRU ``update``,
        ``reset`` and ``candidate``; for the MGU ``forget`` and ``candidate``.

    Raises:
        InputError: If there is no such cell.
    """
    if cell not in CELLS:
        raise InputError("There is no such recurrent cell", allowed=", ".join(CELLS), received=cell)
    bias, state_bias = weights.bias if weights.bias.ndim == 2 else (weights.bias, None)
    values = dict.fromkeys(CELLS[cell].states, np.zeros(len(weights.recurrent), inputs.dtype))
    steps = []
    for sums in inputs @ weights.kernel + bias:
        values = CELLS[cell].step(NUMPY, sums, values, weights.recurrent, state_bias)
        steps.append(values)
    return {name: np.stack([values[name] for values in steps]) for name in steps[0]}


def layer_gradients(
    cell: str, weights: LayerWeights, values: Values, outside: np.ndarray
) -> tuple[GradientNorms, np.ndarray]:
    """Go back through a layer in time.

    Args:
        cell: Its kind.
        weights: Of the layer.
        values: Of the layer, as :func:`layer_values` gives them, float64.
        outside: Gradient by the layer's output as far as the layer above asks for it, (time, ..., units).

    Returns:
        The lengths, and the gradient by the layer's inputs, (time, ..., inputs).
    """
    nothing = np.zeros(outside.shape[1:])
    start = dict.fromkeys(values, nothing)
    hidden = memory = nothing
    sums = np.empty((*outside.shape[:-1], weights.kernel.shape[1]))
    lengths, states = np.empty(outside.shape[:-1]), np.empty(outside.shape[:-1])
    for step in reversed(range(len(outside))):
        own = {name: array[step] for name, array in values.items()}
        before = {name: array[step - 1] for name, array in values.items()} if step else start
        hidden = hidden + outside[step]
        lengths[step] = np.linalg.norm(hidden, axis=-1)
        states[step] = np.hypot(lengths[step], np.linalg.norm(memory, axis=-1))
        sums[step], hidden, memory = _BACKS[cell](own, before, weights, hidden, memory)
    return GradientNorms(np.linalg.norm(sums, axis=-1), lengths, states), sums @ weights.kernel.T


Array = np.ndarray
# Gradients of one step: by its weighted sums (..., blocks * units), and by hidden and cell before it (..., units).
_Back = tuple[Array, Array, Array]


def _rnn_back(own: Values, before: Values, weights: LayerWeights, hidden: Array, cell: Array) -> _Back:
    sums = hidden * (1.0 - own["hidden"] ** 2)
    return sums, sums @ weights.recurrent.T, cell


def _lstm_back(own: Values, before: Values, weights: LayerWeights, hidden: Array, cell: Array) -> _Back:
    first, forget, output, candidate = (own[name] for name in ("input", "forget", "output", "candidate"))
    squashed = np.tanh(own["cell"])
    cell = cell + hidden * output * (1.0 - squashed**2)
    by_sums = [
        cell * candidate * first * (1.0 - first),
        cell * before["cell"] * forget * (1.0 - forget),
        cell * first * (1.0 - candidate**2),
        hidden * squashed * output * (1.0 - output),
    ]
    sums = np.concatenate(by_sums, axis=-1)
    return sums, sums @ weights.recurrent.T, cell * forget


def _gru_back(own: Values, before: Values, weights: LayerWeights, hidden: Array, cell: Array) -> _Back:
    units = hidden.shape[-1]
    update, reset, candidate = own["update"], own["reset"], own["candidate"]
    by_candidate = hidden * (1.0 - update) * (1.0 - candidate**2)
    from_state = before["hidden"] @ weights.recurrent[:, 2 * units :] + weights.bias[1, 2 * units :]
    by_update = hidden * (before["hidden"] - candidate) * update * (1.0 - update)
    by_reset = by_candidate * from_state * reset * (1.0 - reset)
    by_products = np.concatenate([by_update, by_reset, by_candidate * reset], axis=-1)
    sums = np.concatenate([by_update, by_reset, by_candidate], axis=-1)
    return sums, hidden * update + by_products @ weights.recurrent.T, cell


def _mgu_back(own: Values, before: Values, weights: LayerWeights, hidden: Array, cell: Array) -> _Back:
    units = hidden.shape[-1]
    forget, candidate = own["forget"], own["candidate"]
    by_candidate = hidden * forget * (1.0 - candidate**2)
    by_kept = by_candidate @ weights.recurrent[:, units:].T  # by forget * hidden
    by_forget = hidden * (candidate - before["hidden"]) + by_kept * before["hidden"]
    by_forget = by_forget * forget * (1.0 - forget)
    before_hidden = hidden * (1.0 - forget) + by_kept * forget + by_forget @ weights.recurrent[:, :units].T
    return np.concatenate([by_forget, by_candidate], axis=-1), before_hidden, cell


_BACKS: dict[str, Callable[[Values, Values, LayerWeights, Array, Array], _Back]] = {
    "rnn": _rnn_back,
    "lstm": _lstm_back,
    "gru": _gru_back,
    "mgu": _mgu_back,
}
