"""The recurrent layers against their equations."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from models.layers.cells import CELLS, layer_weights
from models.layers.recurrent import MGUCell, recurrent_layer, reset_states
from models.serving.recurrent import NumpyRecurrent
from models.storage.variables import variable_arrays

UNITS, FEATURES = 6, 4
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(3, 5, FEATURES)).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def made(cell: str, **settings) -> keras.Model:
    """A network of one layer whose every weight, biases too, is a random number."""
    stateful = settings.get("stateful", False)
    inputs = keras.Input((None, FEATURES), batch_size=3 if stateful else None)
    model = keras.Model(inputs, recurrent_layer(cell, UNITS, name="layer", **settings)(inputs))
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.6, size=weight.shape))
    return model


def outputs(model: keras.Model, inputs: np.ndarray = INPUTS) -> np.ndarray:
    return ops.convert_to_numpy(model(ops.convert_to_tensor(inputs)))


def equations(cell: str, weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The published equations, gate by gate and step by step, in float64."""
    blocks = len(CELLS[cell].blocks)
    w, u, b = (
        np.split(weights[f"layer/{CELLS[cell].path}/{name}"].astype(np.float64), blocks, axis=-1)
        for name in ("kernel", "recurrent_kernel", "bias")
    )
    h, c, found = np.zeros((len(x), UNITS)), np.zeros((len(x), UNITS)), []
    for t in range(x.shape[1]):
        s = [x[:, t] @ w[k] for k in range(blocks)]
        if cell == "rnn":
            h = np.tanh(s[0] + h @ u[0] + b[0])
        elif cell == "lstm":
            i, f = sigmoid(s[0] + h @ u[0] + b[0]), sigmoid(s[1] + h @ u[1] + b[1])
            c = f * c + i * np.tanh(s[2] + h @ u[2] + b[2])
            h = sigmoid(s[3] + h @ u[3] + b[3]) * np.tanh(c)
        elif cell == "gru":
            z, r = (sigmoid(s[k] + b[k][0] + h @ u[k] + b[k][1]) for k in (0, 1))
            h = z * h + (1 - z) * np.tanh(s[2] + b[2][0] + r * (h @ u[2] + b[2][1]))
        else:
            f = sigmoid(s[0] + h @ u[0] + b[0])
            h = (1 - f) * h + f * np.tanh(s[1] + (f * h) @ u[1] + b[1])
        found.append(h)
    return np.stack(found, axis=1)


@pytest.mark.parametrize("cell", CELLS)
def test_layers_follow_their_equations(cell: str) -> None:
    model = made(cell)
    expected = equations(cell, variable_arrays(model.weights), INPUTS)
    assert np.abs(expected).max() > 0.3
    np.testing.assert_allclose(outputs(model), expected, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_numpy_steps_are_the_layers(cell: str) -> None:
    model = made(cell)
    layer = NumpyRecurrent(cell, *layer_weights(cell, "layer", variable_arrays(model.weights)))
    projected = layer.project(INPUTS.transpose(1, 0, 2))
    found, state = layer.run(lambda steps: projected[steps], 5, layer.zeros(3))
    np.testing.assert_allclose(found.transpose(1, 0, 2), outputs(model), atol=1e-5)
    assert state.shape == (len(CELLS[cell].states), 3, UNITS)
    np.testing.assert_array_equal(state[0], found[-1])


@pytest.mark.parametrize("cell", CELLS)
def test_carried_state_goes_on_and_is_reset(cell: str) -> None:
    whole, carried = made(cell), made(cell, stateful=True)
    assert list(variable_arrays(whole.weights)) == list(variable_arrays(carried.weights))
    expected = outputs(whole)
    for _ in range(2):
        halves = [outputs(carried, INPUTS[:, :2]), outputs(carried, INPUTS[:, 2:])]
        np.testing.assert_allclose(np.concatenate(halves, axis=1), expected, atol=1e-6)
        reset_states(carried)


def test_mgu_survives_its_config() -> None:
    layer = recurrent_layer("mgu", UNITS, stateful=True, name="mine")
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.cell.units, again.return_sequences, again.stateful) == (UNITS, True, True)
    assert MGUCell.from_config(MGUCell(5).get_config()).units == 5


def test_mgu_remembers_with_a_closed_gate_and_copies_with_an_open_one() -> None:
    cell = MGUCell(2)
    cell.build((None, 1))
    for bias, expected in ((-50.0, [0.3, -0.2]), (50.0, [np.tanh(0.5)] * 2)):
        cell.kernel.assign(np.zeros((1, 4)))
        cell.recurrent_kernel.assign(np.zeros((2, 4)))
        cell.bias.assign([bias, bias, 0.5, 0.5])
        after, _ = cell(ops.zeros((1, 1)), [ops.convert_to_tensor(np.array([[0.3, -0.2]], np.float32))])
        np.testing.assert_allclose(ops.convert_to_numpy(after)[0], expected, atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_a_gradient_reaches_the_first_step(cell: str) -> None:
    tf = pytest.importorskip("tensorflow")
    model, inputs = made(cell), tf.constant(INPUTS)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(model(inputs)[:, -1])
    assert np.abs(tape.gradient(loss, inputs).numpy()[:, 0]).min() > 0.0
