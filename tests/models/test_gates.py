"""Gates and states against Keras, gradients against automatic differentiation, units by what they follow."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from data_prep.errors import InputError
from models.char_lm.config import CharLMConfig, recurrent_weights
from models.char_lm.gates import gate_values, gradient_norms, rank_units
from models.char_lm.network import build_char_lm
from models.layers import cells
from models.serving.cell_gradients import layer_values
from models.storage.variables import variable_arrays
from tests.models.recurrent_shapes import each_recurrent

CELLS = {
    "rnn": {"hidden"},
    "lstm": {"input", "forget", "candidate", "output", "cell", "hidden"},
    "gru": {"update", "reset", "candidate", "hidden"},
    "mgu": {"forget", "candidate", "hidden"},
}
IDS = np.random.default_rng(3).integers(2, 11, 40)


def network(
    cell: str, layers: int = 2, members: int = 1
) -> tuple[CharLMConfig, keras.Model, dict[str, np.ndarray]]:
    """A network with large weights, biases too, so that gates open and close."""
    config = CharLMConfig(tokens=11, cell=cell, layers=layers, members=members, units=7, embedding=5)
    keras.utils.set_random_seed(1)
    model = build_char_lm(config)
    rng = np.random.default_rng(2)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.6, variable.shape))
    return config, model, variable_arrays(model.weights)


def outputs_of(model: keras.Model, ids: np.ndarray) -> list[np.ndarray]:
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.RNN)]
    layers.sort(key=lambda layer: layer.name)
    inside = keras.Model(model.input, [layer.output for layer in layers])
    found = inside(ids[None])
    return [np.asarray(output)[0] for output in (found if isinstance(found, list) else [found])]


@each_recurrent
def test_hidden_states_are_the_layers_outputs(cell: str, layers: int, members: int) -> None:
    config, model, arrays = network(cell, layers, members)
    values = gate_values(config, arrays, IDS)
    assert len(values) == layers * members
    for own, output in zip(values, outputs_of(model, IDS), strict=True):
        assert set(own) == CELLS[cell]
        assert {array.shape for array in own.values()} == {(len(IDS), config.units)}
        assert {array.dtype for array in own.values()} == {np.dtype(np.float32)}
        assert np.abs(own["hidden"] - output).max() < 1e-5


def test_an_lstms_cell_is_the_one_that_keras_carries() -> None:
    config, model, arrays = network("lstm", 1)
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.LSTM))
    lone = keras.layers.LSTM(config.units, return_state=True)
    vectors = arrays["embedding/embeddings"][IDS][None]
    lone.build(vectors.shape)
    lone.set_weights(layer.get_weights())
    _, _, cell = lone(vectors)
    assert np.abs(gate_values(config, arrays, IDS)[0]["cell"][-1] - np.asarray(cell)[0]).max() < 1e-5


@pytest.mark.parametrize("cell", CELLS)
def test_gates_and_states_fulfil_the_equations(cell: str) -> None:
    config, _, arrays = network(cell, 1)
    own = gate_values(config, arrays, IDS)[0]
    before = {name: np.concatenate([np.zeros((1, 7)), array[:-1]]) for name, array in own.items()}
    if cell == "lstm":
        assert np.allclose(
            own["cell"], own["forget"] * before["cell"] + own["input"] * own["candidate"], atol=1e-6
        )
        assert np.allclose(own["hidden"], own["output"] * np.tanh(own["cell"]), atol=1e-6)
    elif cell == "gru":
        mixed = own["update"] * before["hidden"] + (1 - own["update"]) * own["candidate"]
        assert np.allclose(own["hidden"], mixed, atol=1e-6)
    elif cell == "mgu":
        mixed = (1 - own["forget"]) * before["hidden"] + own["forget"] * own["candidate"]
        assert np.allclose(own["hidden"], mixed, atol=1e-6)
    for name in set(own) & {"input", "forget", "output", "update", "reset"}:
        assert own[name].min() > 0.0 and own[name].max() < 1.0


def summed_gradients(
    config: CharLMConfig, model: keras.Model, ids: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """By automatic differentiation: lengths of the loss's gradient by each step's output, and by all that it hands on.

    A perturbation is added to every state by hand, so the network is unrolled step by step.
    """
    cell = next(layer for layer in model.layers if isinstance(layer, keras.layers.RNN)).cell
    vectors = tf.gather(model.get_layer("embedding").embeddings.value, ids[:-1])
    carried = 2 if config.cell == "lstm" else 1
    extras = tf.Variable(tf.zeros((len(ids) - 1, carried, config.units)))
    with tf.GradientTape() as tape:
        states = [tf.zeros((1, config.units))] * carried
        for step in range(len(ids) - 1):
            _, states = cell(vectors[step][None], states)
            states = [state + extras[step][at][None] for at, state in enumerate(states)]
        logits = model.get_layer("logits")(states[0])
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=ids[-1:], logits=logits)
    found = np.asarray(tape.gradient(loss, extras))
    return np.linalg.norm(found[:, 0], axis=1), np.linalg.norm(found, axis=(1, 2))


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_by_the_outputs_are_those_of_automatic_differentiation(cell: str) -> None:
    config, model, arrays = network(cell, 1)
    found = gradient_norms(config, arrays, IDS[:12])
    assert len(found) == 1 and found[0].hidden.shape == found[0].sums.shape == (11,)
    by_outputs, by_states = summed_gradients(config, model, IDS[:12])
    assert np.allclose(found[0].hidden, by_outputs, rtol=1e-4, atol=1e-9)
    assert np.allclose(found[0].state, by_states, rtol=1e-4, atol=1e-9)
    assert (found[0].state > found[0].hidden)[:-1].all() == (cell == "lstm")


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_by_the_weighted_sums_are_those_of_small_changes(
    cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, _, arrays = network(cell, 2)
    exact = {name: array.astype(np.float64) for name, array in arrays.items() if array.dtype.kind == "f"}
    ids, changed_step, small = IDS[:9], 3, 1e-5
    found = gradient_norms(config, arrays, ids)
    plain = cells.CELLS[cell]
    blocks = exact["logits/kernel"].shape[0] * {"rnn": 1, "lstm": 4, "gru": 3, "mgu": 2}[cell]
    for layer in range(2):

        def changed_loss(at: int, change: float, layer: int = layer) -> float:
            steps = iter(range(2 * (len(ids) - 1)))

            def step(functions, sums, *rest):
                if next(steps) == layer * (len(ids) - 1) + changed_step:
                    sums = sums.copy()
                    sums[at] += change
                return plain.step(functions, sums, *rest)

            with monkeypatch.context() as patch:
                patch.setitem(cells.CELLS, cell, replace(plain, step=step))
                values, inputs = [], exact["embedding/embeddings"][ids[:-1]]
                for weights in recurrent_weights(config, exact):
                    values.append(layer_values(cell, weights, inputs))
                    inputs = values[-1]["hidden"]
            logits = inputs[-1] @ exact["logits/kernel"] + exact["logits/bias"]
            return float(np.log(np.exp(logits).sum()) - logits[ids[-1]])

        slopes = [(changed_loss(at, small) - changed_loss(at, -small)) / (2 * small) for at in range(blocks)]
        assert np.linalg.norm(slopes) == pytest.approx(found[layer].sums[changed_step], rel=1e-5)


def test_gradients_of_members_side_by_side_are_their_own() -> None:
    """Logits that read one member alone leave the other one without a gradient, and its own as if it were alone."""
    config, _, arrays = network("lstm", 2, members=2)
    alone = CharLMConfig(tokens=11, cell="lstm", layers=2, units=7, embedding=5)
    for member in (0, 1):
        kernel = np.zeros_like(arrays["logits/kernel"])
        kernel[member * 7 : (member + 1) * 7] = arrays["logits/kernel"][member * 7 : (member + 1) * 7]
        found = gradient_norms(config, {**arrays, "logits/kernel": kernel}, IDS[:12])
        single = {
            "embedding/embeddings": arrays[
                "embedding/embeddings" if member == 0 else "embedding2/embeddings"
            ],
            "logits/kernel": kernel[member * 7 : (member + 1) * 7],
            "logits/bias": arrays["logits/bias"],
        }
        for name, array in arrays.items():
            for number in (1, 2):
                if name.startswith(f"recurrent{2 * member + number}/"):
                    single[name.replace(f"recurrent{2 * member + number}/", f"recurrent{number}/")] = array
        expected = gradient_norms(alone, single, IDS[:12])
        for own, one in zip(found[2 * member : 2 * member + 2], expected, strict=True):
            np.testing.assert_allclose(own.sums, one.sums)
        assert all((other.sums == 0).all() for other in found[2 - 2 * member : 4 - 2 * member])


def test_a_simple_network_forgets_and_an_open_lstm_does_not() -> None:
    lengths = {}
    for cell in ("rnn", "lstm"):
        config = CharLMConfig(tokens=11, cell=cell, layers=1, units=16, embedding=5)
        keras.utils.set_random_seed(1)
        arrays = dict(variable_arrays(build_char_lm(config).weights))
        kernel, bias = (
            next(name for name in arrays if name.endswith(end)) for end in ("recurrent_kernel", "cell/bias")
        )
        arrays[kernel] = 0.5 * arrays[kernel]
        if cell == "lstm":
            arrays[bias] = arrays[bias].copy()
            arrays[bias][16:32] = 6.0  # forget gates wide open
        lengths[cell] = gradient_norms(config, arrays, IDS)[0].hidden
    assert lengths["rnn"][0] < 1e-8 * lengths["rnn"][-1]
    assert lengths["lstm"][0] > 1e-3 * lengths["lstm"][-1]


def test_the_unit_that_follows_a_property_comes_first() -> None:
    rng = np.random.default_rng(1)
    followed = rng.random(200) < 0.3
    values = [{"hidden": rng.normal(size=(200, 4)).astype(np.float32)} for _ in range(2)]
    values[1]["hidden"][:, 2] = np.where(followed, -0.9, 0.4)
    values[0]["hidden"][:, 1] = 0.25  # never changes
    ranked = rank_units(values, followed)
    assert (ranked[0].layer, ranked[0].unit) == (1, 2)
    assert ranked[0].correlation == pytest.approx(-1.0)
    assert len(ranked) == 8 and ranked[-1].correlation == 0.0 and ranked[-1].unit == 1
    expected = np.corrcoef(values[0]["hidden"][:, 3], followed)[0, 1]
    assert next(f for f in ranked if (f.layer, f.unit) == (0, 3)).correlation == pytest.approx(expected)


def test_what_makes_no_sense_is_refused() -> None:
    config, _, arrays = network("mgu", 1)
    values = gate_values(config, arrays, IDS)
    with pytest.raises(InputError, match="same at every step"):
        rank_units(values, np.ones(len(IDS)))
    with pytest.raises(InputError, match="no such gate"):
        rank_units(values, np.arange(len(IDS)), "cell")
