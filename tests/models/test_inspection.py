"""Looking into image models: what every layer does, against results that are computed in another way."""

from __future__ import annotations

import threading

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from models.inspection.attribution import occlusion_map, saliency
from models.inspection.image_networks import dead_filters, hidden_features, look_inside
from models.inspection.recording import recording, working_layers


def tiny(*, softmax: bool = False, dtype: str = "float32") -> keras.Model:
    """Convolution, ReLU, pooling and a dense layer."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), dtype=dtype),
            keras.layers.Conv2D(4, 3, name="conv", dtype=dtype),
            keras.layers.ReLU(name="relu", dtype=dtype),
            keras.layers.MaxPooling2D(2, name="pool", dtype=dtype),
            keras.layers.Flatten(name="flatten", dtype=dtype),
            keras.layers.Dense(3, name="logits", dtype=dtype),
        ]
    )
    if softmax:
        model.add(keras.layers.Softmax(name="softmax", dtype=dtype))
    return model


def image(seed: int = 0, size: int = 8, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(seed).random((size, size, 1)).astype(dtype)


class Residual(keras.layers.Layer):
    """A layer that holds layers and a weight of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Conv2D(1, 3, padding="same", name="inner")

    def build(self, shape):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.inner.build(shape)

    def call(self, inputs):
        return inputs + self.scale * self.inner(inputs)


class Subclassed(keras.Model):
    """A model that is no graph of layers; its convolution is called twice."""

    def __init__(self):
        super().__init__()
        self.conv = keras.layers.Conv2D(1, 3, padding="same", activation="relu", name="conv")
        self.block = Residual(name="block")
        self.flat = keras.layers.Flatten(name="flat")
        self.out = keras.layers.Dense(2, name="out")

    def call(self, inputs, training=False):
        return self.out(self.flat(self.block(self.conv(self.conv(inputs)))))


def nested() -> keras.Model:
    inputs = keras.Input((8, 8, 1))
    body_in = keras.Input((8, 8, 1))
    body = keras.Model(body_in, body_in + keras.layers.Conv2D(1, 3, padding="same", name="deep")(body_in))
    outputs = keras.layers.Dense(2, name="out")(keras.layers.Flatten(name="flat")(body(inputs)))
    return keras.Model(inputs, outputs)


def test_every_layer_of_a_sequential_model_in_order() -> None:
    model = tiny()
    found = look_inside(model, image(), 1)
    assert [layer.name for layer in found.layers] == ["conv", "relu", "pool", "flatten", "logits"]
    assert [layer.kind for layer in found.layers][:2] == ["Conv2D", "ReLU"]
    assert [layer.activations.shape for layer in found.layers] == [
        (6, 6, 4), (6, 6, 4), (3, 3, 4), (36,), (3,)
    ]  # fmt: skip
    assert [layer.parameters for layer in found.layers] == [40, 0, 0, 0, 111]
    assert all(layer.gradients.shape == layer.activations.shape for layer in found.layers)
    logits = np.asarray(model(image()[None]))[0]
    np.testing.assert_allclose(found.layers[-1].activations, logits, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.probabilities, np.exp(logits) / np.exp(logits).sum(), rtol=1e-5)
    assert found.loss == pytest.approx(-np.log(found.probabilities[1]), rel=1e-5)
    np.testing.assert_array_equal(found.layers[1].activations, np.maximum(found.layers[0].activations, 0))


def test_gradients_of_the_last_layer_are_those_by_hand() -> None:
    found = look_inside(tiny(), image(), 1)
    flat, last = found.layers[-2:]
    error = found.probabilities - np.eye(3, dtype=np.float32)[1]
    np.testing.assert_allclose(last.gradients, error, rtol=1e-4, atol=1e-6)
    kernel, bias = last.weights
    np.testing.assert_allclose(bias.gradients, error, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(kernel.gradients, np.outer(flat.activations, error), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(flat.gradients, kernel.values @ error, rtol=1e-4, atol=1e-6)


def test_weight_gradients_agree_with_finite_differences() -> None:
    model = tiny(dtype="float64")
    picture = image(dtype="float64")
    conv = look_inside(model, picture, 2).layers[0]
    kernel = model.get_layer("conv").kernel
    step = 1e-6
    for place in [(0, 0, 0, 0), (2, 1, 0, 3), (1, 2, 0, 1)]:
        losses = []
        for sign in (1, -1):
            values = conv.weights[0].values.copy()
            values[place] += sign * step
            kernel.assign(values)
            losses.append(look_inside(model, picture, 2).loss)
        kernel.assign(conv.weights[0].values)
        expected = (losses[0] - losses[1]) / (2 * step)
        assert conv.weights[0].gradients[place] == pytest.approx(expected, abs=1e-7)


def test_without_a_label_the_own_answer_is_taken() -> None:
    found = look_inside(tiny(), image())
    assert found.label == int(found.probabilities.argmax())


def test_softmax_at_the_end_gives_the_same_probabilities_and_loss() -> None:
    logits, probabilities = look_inside(tiny(), image(), 1), look_inside(tiny(softmax=True), image(), 1)
    np.testing.assert_allclose(probabilities.probabilities, logits.probabilities, rtol=1e-5)
    assert probabilities.loss == pytest.approx(logits.loss, rel=1e-5)
    np.testing.assert_allclose(
        probabilities.layers[0].gradients, logits.layers[0].gradients, rtol=1e-3, atol=1e-6
    )


def test_subclassed_models_shared_layers_and_own_weights() -> None:
    model = Subclassed()
    model(image()[None])
    found = look_inside(model, image(), 0)
    assert [layer.name for layer in found.layers] == ["conv", "conv (2)", "inner", "block", "flat", "out"]
    block = found.layers[3]
    assert [weight.name for weight in block.weights] == ["scale"]
    np.testing.assert_allclose(
        block.activations, found.layers[1].activations + found.layers[2].activations, rtol=1e-5, atol=1e-6
    )


def test_nested_models_and_operations_are_recorded() -> None:
    found = look_inside(nested(), image(), 0)
    names = [layer.name for layer in found.layers]
    assert names[0] == "deep"
    assert found.layers[1].kind == "Add"
    assert names[2:] == ["flat", "out"]
    np.testing.assert_allclose(
        found.layers[1].activations, image() + found.layers[0].activations, rtol=1e-5, atol=1e-6
    )


def test_batch_norm_shows_what_is_not_trained() -> None:
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    norm = look_inside(model, image(size=4), 0).layers[0]
    assert [weight.name for weight in norm.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert [weight.gradients is None for weight in norm.weights] == [False, False, True, True]


def test_a_model_is_left_as_it_was_and_other_threads_are_not_recorded() -> None:
    model = tiny()
    with recording(model) as calls:
        other = threading.Thread(target=lambda: model(image()[None]))
        other.start()
        other.join()
        assert calls == []
        model(image()[None])
        assert len(calls) == 5
    assert not any("call" in vars(layer) for layer in working_layers(model))
    with pytest.raises(RuntimeError), recording(model):
        raise RuntimeError
    assert not any("call" in vars(layer) for layer in working_layers(model))


def test_several_threads_look_at_once() -> None:
    model = tiny()
    expected = look_inside(model, image(), 1)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(look_inside(model, image(), 1))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    for one in found:
        assert [layer.name for layer in one.layers] == [layer.name for layer in expected.layers]
        np.testing.assert_allclose(one.layers[0].gradients, expected.layers[0].gradients, rtol=1e-5)


def test_dead_filters_are_found_where_they_die() -> None:
    model = tiny()
    kernel, bias = model.get_layer("conv").get_weights()
    kernel[..., 2] = 0.0
    bias[:] = 0.1
    bias[2] = -1.0
    model.get_layer("conv").set_weights([np.abs(kernel), bias])
    images = np.stack([image(seed) for seed in range(3)])
    assert dead_filters(model, images) == {"relu": (2,)}  # not again at the pooling
    bias[2] = 0.0
    model.get_layer("conv").set_weights([np.abs(kernel), bias])
    assert dead_filters(model, images) == {"conv": (2,)}


def test_a_channel_that_came_in_dead_is_not_counted_again() -> None:
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(3, 3, name="conv"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.DepthwiseConv2D(2, name="depthwise"),
            keras.layers.GlobalAveragePooling2D(name="mean"),
            keras.layers.Dense(2, name="out"),
        ]
    )
    kernel, bias = model.get_layer("conv").get_weights()
    kernel[..., 1] = 0.0
    model.get_layer("conv").set_weights([kernel, bias])
    images = np.random.default_rng(0).random((4, 6, 6, 1)).astype(np.float32)
    assert dead_filters(model, images) == {"conv": (1,)}
    depthwise, zeros = model.get_layer("depthwise").get_weights()
    depthwise[:, :, 2] = 0.0
    model.get_layer("depthwise").set_weights([depthwise, zeros])
    assert dead_filters(model, images) == {"conv": (1,), "depthwise": (2,)}


def test_a_filter_that_one_image_wakes_is_not_dead() -> None:
    model = tiny()
    kernel, bias = model.get_layer("conv").get_weights()
    kernel[..., 1], bias[1] = 1.0, -8.0  # only an image of ones gets over it
    model.get_layer("conv").set_weights([kernel, bias])
    dark = np.zeros((140, 8, 8, 1), np.float32)
    assert 1 in dead_filters(model, dark)["relu"]
    dark[-1] = 1.0
    assert 1 not in dead_filters(model, dark).get("relu", ())


def test_hidden_features_are_what_the_last_layer_reads() -> None:
    model = tiny(softmax=True)
    images = np.stack([image(seed) for seed in range(130)])  # more than one batch
    found = hidden_features(model, images)
    assert found.layer == "logits"
    assert found.values.shape == (130, 36)
    kernel, bias = model.get_layer("logits").get_weights()
    probabilities = np.asarray(model(images))
    logits = found.values @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("softmax", [False, True])
def test_saliency_agrees_with_finite_differences(softmax: bool) -> None:
    model = tiny(softmax=softmax, dtype="float64")
    picture = image(3, dtype="float64")
    found = saliency(model, picture, 1)
    step = 1e-6
    expected = np.zeros_like(picture)
    for place in np.ndindex(picture.shape):
        outputs = []
        for sign in (1, -1):
            moved = picture.copy()
            moved[place] += sign * step
            outputs.append(float(model(moved[None])[0, 1]))
        expected[place] = (outputs[0] - outputs[1]) / (2 * step)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_occlusion_finds_the_pixel_that_matters() -> None:
    model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    kernel = np.zeros((36, 2), np.float32)
    kernel[2 * 6 + 4, 1] = 4.0  # class 1 is the pixel in row 2 and column 4
    model.set_weights([kernel, np.zeros(2, np.float32)])
    ones = np.ones((6, 6, 1), np.float32)
    single = occlusion_map(model, ones, 1, patch=1)
    lost = 1 / (1 + np.exp(-4.0)) - 0.5
    expected = np.zeros((6, 6))
    expected[2, 4] = lost
    np.testing.assert_allclose(single, expected, atol=1e-6)
    wide = occlusion_map(model, ones, 1, patch=3)
    assert wide[2, 4] == pytest.approx(lost, abs=1e-6)  # each patch on it takes all
    assert wide[0, 0] == pytest.approx(0, abs=1e-6)
    assert wide[1, 3] == pytest.approx(
        lost * 4 / 9, abs=1e-6
    )  # four of the nine patches on it reach the pixel
    same = occlusion_map(model, ones, 1, patch=2, stride=2, fill=1.0)
    np.testing.assert_allclose(same, np.zeros((6, 6)), atol=1e-6)


def test_every_pixel_is_covered_by_wide_strides() -> None:
    model = keras.Sequential([keras.Input((7, 5, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model.set_weights([np.stack([np.zeros(35), np.ones(35)], axis=1) / 10, np.zeros(2)])
    found = occlusion_map(model, np.ones((7, 5, 1), np.float32), 1, patch=3, stride=3)
    assert (found > 0).all()


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((9, 8, 1), np.float32), "does not fit the network"),
        (np.zeros((8, 8), np.float32), "no images"),
        (np.zeros((8, 8, 1), np.uint8), "no images"),
        (np.full((8, 8, 1), np.nan, np.float32), "no finite numbers"),
        ("a picture", "no images"),
    ],
    ids=["size", "modes", "whole numbers", "nan", "text"],
)
def test_images_that_do_not_fit(picture, message: str) -> None:
    for function in (
        lambda: look_inside(tiny(), picture, 0),
        lambda: saliency(tiny(), picture, 0),
        lambda: occlusion_map(tiny(), picture, 0),
    ):
        with pytest.raises(InputError, match=message):
            function()


@pytest.mark.parametrize("label", [-1, 3, True, 1.0, "1"])
def test_classes_that_do_not_exist(label) -> None:
    for function in (look_inside, saliency, occlusion_map):
        with pytest.raises(InputError, match="no such class"):
            function(tiny(), image(), label)


@pytest.mark.parametrize(("name", "value"), [("patch", 0), ("patch", 9), ("stride", 0), ("stride", 6)])
def test_occlusion_out_of_bounds(name: str, value: int) -> None:
    with pytest.raises(InputError, match=f"The {name} is out of bounds"):
        occlusion_map(tiny(), image(), 0, **{name: value})


def test_models_without_classes_or_weights() -> None:
    picture = image()
    with pytest.raises(InputError, match="does not answer with classes"):
        look_inside(keras.Sequential([keras.Input((8, 8, 1)), keras.layers.ReLU()]), picture)
    with pytest.raises(InputError, match="no hidden layer"):
        hidden_features(keras.Sequential([keras.Input((8, 8, 1)), keras.layers.ReLU()]), picture[None])
    with pytest.raises(InputError, match="no images"):
        dead_filters(tiny(), np.zeros((0, 8, 8, 1), np.float32))


def test_another_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(InputError, match="KERAS_BACKEND=tensorflow"):
        look_inside(tiny(), image())
