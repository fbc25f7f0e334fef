"""Training by parts of a batch: the mean of the parts' gradients is the gradient of the whole."""

from __future__ import annotations

from itertools import product

import keras
import numpy as np
import pytest

from models.training.losses import masked_crossentropy
from models.training.sharded import sharded
from tests.repeated import slow_but

RNG = np.random.default_rng(3)
IMAGES = RNG.random((8, 6, 6, 1), np.float32)
LABELS = RNG.integers(3, size=8).astype(np.int32)


def network(normed: bool = False) -> keras.Model:
    """Build a small network with weights that depend on nothing but the seed."""
    keras.utils.set_random_seed(5)
    inputs = keras.Input((6, 6, 1))
    hidden = keras.layers.Conv2D(4, 3, activation="tanh")(inputs)
    if normed:
        hidden = keras.layers.BatchNormalization(momentum=0.0)(hidden)
    return keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(hidden)))


def trained(model: keras.Model, steps_together: int = 1) -> tuple[float, list[np.ndarray]]:
    """Make two steps; return the mean loss and the weights."""
    model.compile(
        keras.optimizers.SGD(0.5), loss=masked_crossentropy(0.0), steps_per_execution=steps_together
    )
    images, labels = np.concatenate([IMAGES] * 2), np.concatenate([LABELS] * 2)
    history = model.fit(images, labels, batch_size=8, shuffle=False, verbose=0)
    return history.history["loss"][0], model.get_weights()


@pytest.mark.parametrize(("shards", "steps_together"), slow_but([(4, 2)], product([2, 4], [1, 2])))
def test_parts_of_a_batch_train_as_the_whole(shards: int, steps_together: int) -> None:
    expected_loss, expected = trained(network())
    loss, weights = trained(sharded(network(), shards), steps_together)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for ours, whole in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours, whole, rtol=1e-4, atol=1e-6)


def test_batch_norm_takes_the_statistics_of_a_part() -> None:
    model = sharded(network(normed=True), 2)
    before = model.layers[1](IMAGES[4:]).numpy()
    model.compile(keras.optimizers.SGD(0.0), loss=masked_crossentropy(0.0))
    model.fit(IMAGES, LABELS, batch_size=8, shuffle=False, verbose=0)
    moving = model.layers[2].moving_mean.numpy()  # momentum 0: those of the last part alone
    np.testing.assert_allclose(moving, before.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-6)


def test_one_part_is_the_network_itself() -> None:
    model = network()
    assert sharded(model, 1) is model
