"""How far back a recurrent network learns: the gradient of one prediction's loss, step by step back in time.

Hochreiter 1991 and Bengio, Simard and Frasconi 1994, "Learning long-term dependencies with gradient descent is
difficult". Back-propagation through time is written out for each cell of ``models.char_lm.gates``; tests compare
it with automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from data_prep.errors import InputError
from models.char_lm.gates import (
    LayerWeights,
    Values,
    checked_ids,
    layer_values,
    member_vectors,
    recurrent_weights,
)

if TYPE_CHECKING:
    from models.char_lm.config import CharLMConfig


class GradientNorms(NamedTuple):
    """Lengths of the gradient of the loss at the last step T, for one layer, float64 (time,) each.

    ``sums``: by all the weighted sums z(t) of step t, before their sigmoids and tanhs. ``hidden``: by the output h(t).
    """

    sums: np.ndarray
    hidden: np.ndarray


def gradient_norms(
    config: CharLMConfig, arrays: Mapping[str, np.ndarray], ids: Sequence[int]
) -> list[GradientNorms]:
    """Measure how far back the error of one prediction reaches.

    The loss is that of the last token, given all before it; where its gradient has vanished, a step cannot learn from
    it.

    Args:
        config: Of the network.
        arrays: Its weights by path.
        ids: Tokens, int (time + 1,), 2 to 10,001: what is read, and the one to predict.

    Returns:
        For each layer the lengths of the gradient by step.

    Raises:
        InputError: If there are fewer than two ids, too many, or one is outside the vocabulary.
    """
    if len(ids) < 2:
        raise InputError(
            "A prediction needs a token before it", allowed="2 tokens or more", received=len(ids)
        )
    exact = {name: np.asarray(array, np.float64) for name, array in arrays.items() if array.dtype.kind == "f"}
    read = checked_ids(ids[:-1], config.tokens)
    wanted = int(checked_ids(ids[-1:], config.tokens)[0])
    layers, values = recurrent_weights(exact), []
    for number, weights in enumerate(layers):
        member, place = divmod(number, config.layers)
        below = member_vectors(exact, member)[read] if place == 0 else values[-1]["hidden"]
        values.append(layer_values(config.cell, weights, below))
    last = np.concatenate([own["hidden"][-1] for own in values[config.layers - 1 :: config.layers]])
    logits = last @ exact["logits/kernel"] + exact["logits/bias"]
    error = np.exp(logits - logits.max())
    error /= error.sum()
    error[wanted] -= 1.0
    by_outputs = np.split(exact["logits/kernel"] @ error, config.members)
    found = []
    for number in reversed(range(len(layers))):
        member, place = divmod(number, config.layers)
        if place == config.layers - 1:  # the last layer of a member, which the logits read at the last step
            outside = np.zeros_like(values[number]["hidden"])
            outside[-1] = by_outputs[member]
        norms, outside = _back_through(config.cell, layers[number], values[number], outside)
        found.append(norms)
    return found[::-1]


def input_gradients(cell: str, weights: LayerWeights, values: Values, outside: np.ndarray) -> np.ndarray:
    """Go back through a layer in time, to what it read.

    Args:
        cell: Its kind.
        weights: Of the layer.
        values: Of the layer, as ``models.char_lm.gates.layer_values`` gives them.
        outside: Gradient by the layer's output, (time, units).

    Returns:
        The gradient by its inputs, (time, inputs).
    """
    return _back_through(cell, weights, values, outside)[1]


class _Back(NamedTuple):
    """Gradients of one step: by its weighted sums (blocks * units,), and by hidden and cell before it (units,)."""

    sums: np.ndarray
    hidden: np.ndarray
    cell: np.ndarray


def _back_through(
    cell: str, weights: LayerWeights, values: Values, outside: np.ndarray
) -> tuple[GradientNorms, np.ndarray]:
    """Go back through a layer in time.

    Args:
        cell: Its kind.
        weights: Of the layer.
        values: Of the layer, float64.
        outside: Gradient by the layer's output as far as the layer above asks for it, (time, units).

    Returns:
        The lengths, and the gradient by the layer's inputs, (time, inputs).
    """
    time, units = outside.shape
    back = _BACKS[cell]
    start = {name: np.zeros(units) for name in values}
    hidden, memory = np.zeros(units), np.zeros(units)
    sums = np.empty((time, weights.kernel.shape[1]))
    lengths = np.empty(time)
    for step in reversed(range(time)):
        own = {name: array[step] for name, array in values.items()}
        before = {name: array[step - 1] for name, array in values.items()} if step else start
        hidden = hidden + outside[step]
        lengths[step] = np.linalg.norm(hidden)
        sums[step], hidden, memory = back(own, before, weights, hidden, memory)
    return GradientNorms(np.linalg.norm(sums, axis=1), lengths), sums @ weights.kernel.T


def _rnn_back(
    own: Values, before: Values, weights: LayerWeights, hidden: np.ndarray, cell: np.ndarray
) -> _Back:
    sums = hidden * (1.0 - own["hidden"] ** 2)
    return _Back(sums, weights.recurrent @ sums, cell)


def _lstm_back(
    own: Values, before: Values, weights: LayerWeights, hidden: np.ndarray, cell: np.ndarray
) -> _Back:
    first, forget, output, candidate = (own[name] for name in ("input", "forget", "output", "candidate"))
    squashed = np.tanh(own["cell"])
    cell = cell + hidden * output * (1.0 - squashed**2)
    by_sums = [
        cell * candidate * first * (1.0 - first),
        cell * before["cell"] * forget * (1.0 - forget),
        cell * first * (1.0 - candidate**2),
        hidden * squashed * output * (1.0 - output),
    ]
    sums = np.concatenate(by_sums)
    return _Back(sums, weights.recurrent @ sums, cell * forget)


def _gru_back(
    own: Values, before: Values, weights: LayerWeights, hidden: np.ndarray, cell: np.ndarray
) -> _Back:
    units = len(hidden)
    update, reset, candidate = own["update"], own["reset"], own["candidate"]
    by_candidate = hidden * (1.0 - update) * (1.0 - candidate**2)
    from_state = before["hidden"] @ weights.recurrent[:, 2 * units :] + weights.bias[1, 2 * units :]
    by_update = hidden * (before["hidden"] - candidate) * update * (1.0 - update)
    by_reset = by_candidate * from_state * reset * (1.0 - reset)
    by_products = np.concatenate([by_update, by_reset, by_candidate * reset])
    sums = np.concatenate([by_update, by_reset, by_candidate])
    return _Back(sums, hidden * update + weights.recurrent @ by_products, cell)


def _mgu_back(
    own: Values, before: Values, weights: LayerWeights, hidden: np.ndarray, cell: np.ndarray
) -> _Back:
    units = len(hidden)
    forget, candidate = own["forget"], own["candidate"]
    by_candidate = hidden * forget * (1.0 - candidate**2)
    by_kept = weights.recurrent[:, units:] @ by_candidate  # by forget * hidden
    by_forget = hidden * (candidate - before["hidden"]) + by_kept * before["hidden"]
    by_forget = by_forget * forget * (1.0 - forget)
    before_hidden = hidden * (1.0 - forget) + by_kept * forget + weights.recurrent[:, :units] @ by_forget
    return _Back(np.concatenate([by_forget, by_candidate]), before_hidden, cell)


_BACKS: dict[str, Callable[[Values, Values, LayerWeights, np.ndarray, np.ndarray], _Back]] = {
    "rnn": _rnn_back,
    "lstm": _lstm_back,
    "gru": _gru_back,
    "mgu": _mgu_back,
}
