"""The fused batch norm is Keras' own, and its statistics can be measured for averaged weights."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from models.layers.fast_batch_norm import FastBatchNorm
from models.training.averaging import measure_batch_statistics

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the fused operation is TensorFlow's"
)


def values(seed: int = 1, count: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(2.0, 3.0, (count, 5, 6, 4)).astype(np.float32)


def trained_call(layer: keras.layers.Layer) -> list[np.ndarray]:
    """Output, gradients by input, gamma and beta, and both moving statistics."""
    layer.build((None, 5, 6, 4))
    layer.gamma.assign([0.5, 1.0, 1.5, 2.0])
    layer.beta.assign([0.0, 1.0, -1.0, 0.5])
    inputs, weights = tf.constant(values()), tf.constant(values(2))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
        loss = tf.reduce_sum(outputs * weights)
    gradients = tape.gradient(loss, [inputs, layer.gamma.value, layer.beta.value])
    found = [outputs, *gradients, layer.moving_mean.value, layer.moving_variance.value]
    return [np.asarray(one) for one in found]


def test_training_equals_keras() -> None:
    for ours, theirs in zip(
        trained_call(FastBatchNorm(momentum=0.9)),
        trained_call(keras.layers.BatchNormalization(momentum=0.9)),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_use_equals_keras() -> None:
    ours, theirs = FastBatchNorm(), keras.layers.BatchNormalization()
    for layer in (ours, theirs):
        trained_call(layer)
    np.testing.assert_allclose(ours(values()), theirs(values()), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_values_keep_their_type_and_weights_theirs(training: bool) -> None:
    layer = FastBatchNorm()
    assert layer(tf.cast(values(), tf.bfloat16), training=training).dtype == tf.bfloat16
    assert {variable.dtype for variable in layer.variables} == {"float32"}


def test_statistics_become_those_of_the_batches() -> None:
    model = keras.Sequential([keras.Input((5, 6, 4)), FastBatchNorm(momentum=0.9)])
    layer = model.layers[0]
    before = layer.gamma.value.numpy()
    batches = [values(seed) for seed in (1, 2, 3)]
    measure_batch_statistics(model, batches)
    means = np.mean([batch.mean(axis=(0, 1, 2)) for batch in batches], axis=0)
    variances = np.mean([batch.var(axis=(0, 1, 2)) for batch in batches], axis=0)
    np.testing.assert_allclose(layer.moving_mean.value, means, rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance.value, variances, rtol=1e-4)
    np.testing.assert_array_equal(layer.gamma.value, before)
    assert layer.momentum == 0.9


def test_a_network_without_batch_norm_is_left_alone() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])

    def never():
        raise AssertionError("no batch is needed")
        yield

    measure_batch_statistics(model, never())
