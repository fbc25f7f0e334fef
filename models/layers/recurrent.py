"""Recurrent layers by name: the simple one, LSTM, GRU, and the minimal gated unit, which Keras has not.

Sources: see ``models.layers.cells``; MGU: Zhou, Wu, Zhang and Zhou 2016, "Minimal gated unit for recurrent neural
networks".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from models.layers.arguments import KeepsArguments, registered
from models.layers.cells import CELLS, CellName, Functions
from models.layers.fast_lstm import FastLSTM, Products
from models.layers.sequences import ReverseSequence


@registered
class MGUCell(KeepsArguments, keras.layers.Layer):
    """One step of the minimal gated unit: a single gate ``f`` both forgets and lets in.

    ``f = sigmoid(x W_f + h U_f + b_f)``, ``c = tanh(x W_c + (f * h) U_c + b_c)``, ``h' = (1 - f) * h + f * c``.
    ``kernel`` holds W_f and W_c side by side, ``recurrent_kernel`` U_f and U_c, ``bias`` b_f and b_c.

    Args:
        units: Length of the state.
        **kwargs: As for every layer.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights for inputs of shape (batch, features)."""
        self.kernel = self.add_weight((input_shape[-1], 2 * self.units), "glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.units, 2 * self.units), "orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight((2 * self.units,), "zeros", name="bias")
        self.built = True

    def call(self, inputs: Any, states: Any, training: bool = False) -> tuple[Any, list[Any]]:
        """Go one step: inputs (batch, features) and [state (batch, units)] to the new state, twice."""
        before = {"hidden": states[0] if isinstance(states, list | tuple) else states}
        sums = ops.matmul(inputs, self.kernel) + self.bias
        functions = Functions(ops.sigmoid, ops.tanh)
        after = CELLS["mgu"].step(functions, sums, before, self.recurrent_kernel, None)["hidden"]
        return after, [after]


def bidirectional(
    units: int, values: Any, mask: Any, *, products: Products | None, number: int | str = ""
) -> Any:
    """Read padded sequences (batch, time, values) from both ends with an LSTM each: (batch, time, 2 * units).

    The backward one reads each sequence from its own end, as the mask says. ``number`` stands behind the names of the
    layers: ``forward1``, ``backward1``.
    """
    ahead = recurrent_layer("lstm", units, products=products, name=f"forward{number}")(values)
    turned = ReverseSequence(name=f"reverse{number}")(values, mask)
    back = recurrent_layer("lstm", units, products=products, name=f"backward{number}")(turned)
    back = ReverseSequence(name=f"restore{number}")(back, mask)
    return keras.layers.Concatenate(name=f"bilstm{number}")([ahead, back])


_LAYERS: dict[str, Callable[..., keras.layers.RNN]] = {
    "rnn": keras.layers.SimpleRNN,
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "mgu": lambda units, **settings: keras.layers.RNN(MGUCell(units, name="mgu_cell"), **settings),
}


def recurrent_layer(
    cell: CellName,
    units: int,
    *,
    stateful: bool = False,
    name: str | None = None,
    weight_dropout: float = 0.0,
    products: Products | None = None,
) -> Any:
    """Make a recurrent layer that returns its output at every step.

    Args:
        cell: ``"rnn"``, ``"lstm"``, ``"gru"`` or ``"mgu"``.
        units: Length of its state.
        stateful: Whether the state after one batch is that before the next; the batch size is then fixed.
        name: Name of the layer.
        weight_dropout: Share of an LSTM's recurrent kernel left out in training.
        products: For the training of an LSTM, what the factors of its products are rounded to; None for the layer of
            Keras. Weights and answers are the same.

    Returns:
        A Keras layer from (batch, time, features) to (batch, time, units).
    """
    arguments = {"return_sequences": True, "stateful": stateful, "name": name}
    if cell == "lstm" and (products is not None or weight_dropout > 0.0):
        return FastLSTM(units, products=products or "float32", weight_dropout=weight_dropout, **arguments)
    return _LAYERS[cell](units, **arguments)


def reset_states(model: keras.Model) -> None:
    """Set the carried state of every stateful layer of a network to zero."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            layer.reset_state()


class FreshState(keras.callbacks.Callback):
    """Set the carried state to zero before every epoch, whose first window follows on nothing."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set it to zero."""
        reset_states(self.model)
