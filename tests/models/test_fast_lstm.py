"""The LSTM with the hand-written gradient, held against Keras' own."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from models.layers.fast_lstm import FastLSTM, chosen_products

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="other backends use Keras' own layer"
)
RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(3, 7, 5)).astype(np.float32)
WANTED = RNG.normal(size=(3, 7, 8)).astype(np.float32)


def layers(**settings) -> tuple[keras.layers.LSTM, FastLSTM]:
    plain = keras.layers.LSTM(8, return_sequences=True)
    fast = FastLSTM(8, return_sequences=True, **settings)
    for layer in (plain, fast):
        layer.build(INPUTS.shape)
    plain.set_weights([*plain.get_weights()[:2], RNG.normal(size=32).astype(np.float32)])
    fast.set_weights(plain.get_weights())
    return plain, fast


def gradients(layer: keras.layers.LSTM, inputs: np.ndarray = INPUTS, **call):
    """Return outputs, and the gradients of the inputs, first states and weights."""
    import tensorflow as tf

    inputs = tf.constant(inputs)
    states = [tf.constant(RNG_STATES[part]) for part in (0, 1)]
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        outputs = layer(inputs, initial_state=states, training=True, **call)
        loss = tf.reduce_sum(outputs * WANTED)
    watched = [inputs, *states, *(weight.value for weight in layer.trainable_variables)]
    return outputs.numpy(), [gradient.numpy() for gradient in tape.gradient(loss, watched)]


RNG_STATES = RNG.normal(size=(2, 3, 8)).astype(np.float32)


def test_outputs_and_gradients_are_those_of_keras() -> None:
    (plain, plain_gradients), (fast, fast_gradients) = map(gradients, layers())
    np.testing.assert_allclose(fast, plain, atol=1e-6)
    assert len(fast_gradients) == 6
    for one, two in zip(fast_gradients, plain_gradients, strict=True):
        assert np.abs(two).max() > 0.1
        np.testing.assert_allclose(one, two, atol=2e-5)


def test_gradient_of_the_last_state_alone() -> None:
    import tensorflow as tf

    found = []
    for layer in layers():
        layer.return_state = True
        with tf.GradientTape() as tape:
            _, hidden, cell = layer(tf.constant(INPUTS), training=True)
            loss = tf.reduce_sum(hidden * WANTED[:, 0]) + tf.reduce_sum(cell**2)
        found.append(tape.gradient(loss, [weight.value for weight in layer.trainable_variables]))
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one, two, atol=2e-5)


def test_rounded_products_are_near() -> None:
    (plain, plain_gradients), (fast, fast_gradients) = map(gradients, layers(products="bfloat16"))
    assert 0.0 < np.abs(fast - plain).max() < 0.05
    for one, two in zip(fast_gradients, plain_gradients, strict=True):
        assert np.abs(one - two).max() < 0.05 * np.abs(two).max() + 0.02


def test_nothing_is_rounded_outside_of_training() -> None:
    plain, fast = layers(products="bfloat16", weight_dropout=0.5)
    np.testing.assert_array_equal(plain(INPUTS), fast(INPUTS))


def test_a_mask_is_heeded() -> None:
    plain, fast = layers()
    mask = np.arange(7) < np.array([[7], [4], [2]])
    expected = gradients(plain, mask=ops.convert_to_tensor(mask))
    found = gradients(fast, mask=ops.convert_to_tensor(mask))
    np.testing.assert_allclose(found[0], expected[0], atol=1e-6)
    for one, two in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(one, two, atol=2e-5)


def test_states_are_carried_from_batch_to_batch() -> None:
    inputs = keras.Input((None, 5), batch_size=3)
    model = keras.Model(inputs, FastLSTM(8, return_sequences=True, stateful=True)(inputs))
    whole = np.asarray(model(INPUTS, training=True))
    model.layers[-1].reset_state()
    parts = [np.asarray(model(INPUTS[:, part], training=True)) for part in (slice(0, 3), slice(3, 7))]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)


def test_weight_dropout_leaves_out_recurrent_weights() -> None:
    _, fast = layers(weight_dropout=0.5)
    first, second = (np.asarray(fast(INPUTS, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    # The first step has no recurrent part.
    np.testing.assert_allclose(first[:, 0], second[:, 0], atol=1e-6)


def test_arguments_survive_and_weights_keep_their_names() -> None:
    plain, fast = layers(products="bfloat16", weight_dropout=0.25)
    again = FastLSTM.from_config(fast.get_config())
    assert (again.products, again.weight_dropout, again.units) == ("bfloat16", 0.25, 8)
    names = [
        [weight.path.split("/", 1)[1] for weight in layer.trainable_variables] for layer in (plain, fast)
    ]
    assert names[0] == names[1]


def test_the_processor_decides(tmp_path, monkeypatch) -> None:
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr("models.layers.fast_lstm._CPU_INFO", info)
    assert chosen_products() == "float32"
    info.write_text("flags : avx512f amx_bf16", encoding="utf-8")
    assert chosen_products() == "bfloat16"
    info.write_text("flags : avx512f", encoding="utf-8")
    assert chosen_products() == "float32"
