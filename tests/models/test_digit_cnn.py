"""The digit networks: published sizes, one plan for Keras and NumPy, and what every network's test asserts."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.array_files import specs_of
from data_prep.errors import InputError
from models.digit_cnn.compiled import CompiledCNN
from models.digit_cnn.config import KIND, DigitCNNConfig, digit_specs
from models.digit_cnn.network import build_digit_cnn
from models.digit_cnn.plan import C3_MAPS, LOGITS
from models.digit_cnn.serving import PackedCNN, PackedPlan
from models.inspection.image_networks import hidden_features
from models.presets.kinds import kind_named
from models.storage.variables import assign_arrays, variable_arrays
from models.training.losses import masked_crossentropy
from models.training.recipe import from_dict, to_dict
from tests.models.contract import (
    answers,
    check_config_round_trip,
    check_output_shapes,
    check_overfits,
    check_save_load_equal,
    check_single_equals_batch,
    check_stable_names,
)
from tests.repeated import slow_but

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "lecture": DigitCNNConfig("lecture", classes=5),
    "stride": DigitCNNConfig("lecture", channels=(3, 4), pooling="stride"),
    "none": DigitCNNConfig("lecture", channels=(1, 2), pooling="none"),
    "lenet5": DigitCNNConfig("lenet5"),
    "resnet": DigitCNNConfig("resnet", widths=(6, 8, 10), blocks=2),
    "plain": DigitCNNConfig("plain", widths=(6, 8), blocks=1),
}


def images(count: int = 4, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((count, 28, 28, 1)) * (rng.random((count, 28, 28, 1)) < 0.3)).astype(np.float32)


def drawn(config: DigitCNNConfig, seed: int = 2) -> keras.Model:
    """A network whose weights, statistics of batch norm included, are all drawn."""
    model, rng = build_digit_cnn(config), np.random.default_rng(seed)
    for variable in model.weights:
        if variable.path.endswith(("gamma", "moving_variance", "coefficient")):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif variable.path.endswith(("beta", "moving_mean", "bias")):
            variable.assign(rng.normal(0.0, 0.3, variable.shape))
    return model


@pytest.fixture(scope="module", params=SMALL)
def network(request) -> tuple[DigitCNNConfig, keras.Model]:
    config = SMALL[request.param]
    return config, drawn(config)


def test_the_lectures_network_has_its_sizes() -> None:
    config = DigitCNNConfig("lecture")
    steps = {step.name: step for step in config.steps}
    assert steps["conv1"].parameters == 208
    shapes = [steps[name].shape for name in ("crop", "conv1", "pool1", "conv2", "pool2", LOGITS)]
    assert shapes == [(24, 24, 1), (24, 24, 8), (12, 12, 8), (12, 12, 16), (4, 4, 16), (10,)]
    assert config.parameters == 208 + 3_216 + 2_570 == build_digit_cnn(config).count_params()


def test_strides_in_the_place_of_pooling_change_no_size() -> None:
    pooled, strided, wide = (DigitCNNConfig("lecture", pooling=way) for way in ("max", "stride", "none"))
    assert pooled.parameters == strided.parameters == build_digit_cnn(strided).count_params()
    assert strided.multiply_adds < pooled.multiply_adds < wide.multiply_adds
    assert wide.parameters == 208 + 3_216 + 24 * 24 * 16 * 10 + 10


def test_configs_of_before_are_those_of_the_lecture() -> None:
    values = to_dict(DigitCNNConfig("lecture", dropout=0.5))
    del values["channels"], values["pooling"]
    assert from_dict(DigitCNNConfig, values) == DigitCNNConfig("lecture", dropout=0.5)


def test_lenet5_has_the_published_parameters() -> None:
    """Section II.B of LeCun et al. 1998; the last layer is linear here, ten times 84 weights and a bias."""
    config = DigitCNNConfig("lenet5")
    parameters = {step.name: step.parameters for step in config.steps if step.arrays}
    assert parameters == {
        "c1": 156, "s2": 12, "c3": 1_516, "s4": 32, "c5": 48_120, "f6": 10_164, "logits": 850,
    }  # fmt: skip
    connections = {step.name: step.multiply_adds for step in config.steps if step.multiply_adds}
    assert connections["c1"] + 28 * 28 * 6 == 122_304
    assert connections["c3"] + 10 * 10 * 16 == 151_600


def test_the_table_of_c3_is_the_published_one() -> None:
    table = ["X   XXX  XXXX XX", "XX   XXX  XXXX X", "XXX   XXX  X XXX", " XXX  XXXX  X XX", "  XXX  XXXX XX X",
             "   XXX  XXXX XXX"]  # fmt: skip
    assert [tuple(row for row in range(6) if table[row][column] == "X") for column in range(16)] == list(
        C3_MAPS
    )


def test_unconnected_maps_stay_out_of_it() -> None:
    config = SMALL["lenet5"]
    model = build_digit_cnn(config)
    kernel = model.get_layer("c3").kernel
    mask = np.zeros((6, 16), bool)
    for to, read in enumerate(C3_MAPS):
        mask[list(read), to] = True
    assert not np.asarray(kernel.value)[:, :, ~mask].any()
    assert np.asarray(kernel.value)[:, :, mask].all()
    before = np.asarray(model(images()))
    changed = kernel.value.numpy().copy()
    changed[:, :, ~mask] = 7.0
    kernel.assign(changed)
    np.testing.assert_array_equal(np.asarray(model(images())), before)


@pytest.mark.parametrize("blocks", [1, 3, 6])
def test_plain_and_residual_have_the_same_depth(blocks: int) -> None:
    resnet, plain = (DigitCNNConfig(name, blocks=blocks) for name in ("resnet", "plain"))
    assert resnet.depth == plain.depth == 6 * blocks + 2
    assert not any(step.operation == "add" for step in plain.steps)
    assert sum(step.operation == "add" for step in resnet.steps) == 3 * blocks


def test_the_shipped_resnet_is_small_enough() -> None:
    config = DigitCNNConfig()
    assert config.depth >= 20
    assert config.parameters < 1_000_000
    assert config.multiply_adds < 40e6


def test_every_argument_survives() -> None:
    values = {"architecture": "plain", "classes": 7, "widths": (4, 6), "blocks": 2, "dropout": 0.25}
    values |= {"channels": (2, 3), "pooling": "none"}
    check_config_round_trip(DigitCNNConfig, values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"architecture": "vgg"}, "architecture does not fit.*'lenet5'"),
        ({"classes": 1}, "classes does not fit.*greater than or equal to 2"),
        ({"widths": (8,)}, "widths does not fit"),
        ({"widths": (8, 0)}, "widths does not fit.*greater than or equal to 1"),
        ({"blocks": 0}, "blocks does not fit"),
        ({"dropout": 1.0}, "dropout does not fit.*less than 1"),
        ({"channels": (8,)}, "channels does not fit"),
        ({"pooling": "mean"}, "pooling does not fit.*'stride'"),
    ],
)
def test_wrong_arguments_are_refused(values: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        DigitCNNConfig(**values)


def test_specs_are_those_of_keras(network) -> None:
    config, model = network
    assert digit_specs(config) == specs_of(variable_arrays(model.weights))


def test_names_are_stable(network) -> None:
    check_stable_names(build_digit_cnn, network[0])


def test_output_shapes(network) -> None:
    config, model = network
    check_output_shapes(model, [(images(n), (n, config.classes)) for n in (1, 3)])


def test_single_equals_batch(network) -> None:
    check_single_equals_batch(network[1], images(), tolerance=1e-4)


@pytest.mark.parametrize("name", slow_but(("lecture", "lenet5", "resnet"), SMALL))
def test_two_examples_are_learnt_by_heart(name: str) -> None:
    keras.utils.set_random_seed(1)
    small = replace(SMALL[name], widths=(6, 8), blocks=1) if name == "resnet" else SMALL[name]
    model = build_digit_cnn(small)
    model.compile(keras.optimizers.Adam(0.01), masked_crossentropy())
    check_overfits(model, images(2), np.array([1, 3], np.int32))


def test_save_and_load(network, tmp_path: Path) -> None:
    config, model = network
    labels = tuple(f"class {n}" for n in range(config.classes))
    check_save_load_equal(KIND, config, model, {"image": images(2)}, tmp_path, labels=labels)


def test_a_saved_network_is_loaded_with_all_its_layers(network, tmp_path: Path) -> None:
    config, model = network
    again = kind_named(KIND).keras_model(config, variable_arrays(model.weights))
    again.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    for found in (again, loaded):
        np.testing.assert_array_equal(np.asarray(found(images())), np.asarray(model(images())))
    assert [layer.get_config() for layer in loaded.layers] == [layer.get_config() for layer in again.layers]


def test_the_compiled_graph_answers_as_keras_does(network) -> None:
    config, model = network
    given, arrays = images(5), variable_arrays(model.weights)
    (expected,) = answers(model, given)
    np.testing.assert_allclose(
        CompiledCNN(config, arrays, "float32").logits(given), expected, rtol=1e-4, atol=1e-4
    )
    rounded = CompiledCNN(config, arrays, "bfloat16").logits(given)
    assert rounded.dtype == np.float32 and rounded.shape == expected.shape
    difference = np.abs(rounded - expected)
    assert 0.0 < difference.max() < 0.05 * np.abs(expected).max()


def test_the_compiled_graph_answers_any_number_of_images() -> None:
    arrays = variable_arrays(drawn(SMALL["lecture"]).weights)
    compiled = CompiledCNN(SMALL["lecture"], arrays, "float32")
    many = images(600)
    found = compiled.logits(many)
    assert found.shape == (600, 5)
    np.testing.assert_allclose(found[590:], compiled.logits(many[590:]), rtol=1e-5, atol=1e-5)
    assert compiled.logits(many[:0]).shape == (0, 5)


def test_labels_have_to_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one label for each logit"):
        check_save_load_equal(
            KIND, SMALL["lecture"], drawn(SMALL["lecture"]), {"image": images(2)}, tmp_path, labels=("a", "b")
        )


def test_numpy_equals_keras(network) -> None:
    config, model = network
    packed = PackedCNN(config, variable_arrays(model.weights))
    expected = np.asarray(model(images(70)))
    scale = np.abs(expected).max()
    np.testing.assert_allclose(packed.logits(images(70)) / scale, expected / scale, atol=1e-5)


def test_every_layer_in_numpy_equals_that_of_keras(network) -> None:
    config, model = network
    arrays = variable_arrays(model.weights)
    folded = {step.inputs[0] for step in config.steps if step.operation == "batch_norm"}
    names = tuple(step.name for step in config.steps if step.name not in folded)
    inside = keras.Model(model.inputs, {name: model.get_layer(name).output for name in names})([images(2)])
    for at, step in enumerate(config.steps, start=1):
        if step.name in names:
            expected = np.asarray(inside[step.name])
            found = PackedPlan(config.steps[:at], arrays)(images(2))
            np.testing.assert_allclose(
                found, expected, atol=1e-5 * max(1.0, np.abs(expected).max()), err_msg=step.name
            )


def test_hidden_features_lead_to_the_logits(network) -> None:
    config, model = network
    arrays = variable_arrays(model.weights)
    hidden = hidden_features(model, images())
    assert hidden.layer == LOGITS
    logits = hidden.values @ arrays["logits/kernel"] + arrays["logits/bias"]
    np.testing.assert_allclose(logits, PackedCNN(config, arrays).logits(images()), atol=1e-4)


def test_one_digit_takes_under_30_ms() -> None:
    packed = PackedCNN(DigitCNNConfig(), variable_arrays(drawn(DigitCNNConfig()).weights))
    one = images(1)
    packed.logits(one)
    times = []
    for _ in range(15):
        began = time.perf_counter()
        packed.logits(one)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.03


def test_answering_loads_no_tensorflow() -> None:
    code = (
        "import sys, numpy as np\n"
        "from models.digit_cnn.config import DigitCNNConfig, digit_specs\n"
        "from models.digit_cnn.serving import PackedCNN\n"
        "config = DigitCNNConfig('lecture')\n"
        "arrays = {n: np.ones(s.shape, s.dtype) for n, s in digit_specs(config).items()}\n"
        "PackedCNN(config, arrays).logits(np.ones((1, 28, 28, 1), np.float32))\n"
        "print(sorted({'keras', 'tensorflow'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_bfloat16_keeps_names_and_nearly_the_answers() -> None:
    config = SMALL["resnet"]
    model = drawn(config)
    rounded = build_digit_cnn(config, products="bfloat16")
    assert specs_of(variable_arrays(rounded.weights)) == specs_of(variable_arrays(model.weights))
    assign_arrays(rounded.weights, variable_arrays(model.weights))
    expected, found = np.asarray(model(images())), np.asarray(rounded(images()))
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 0.05 * np.abs(expected).max()
    assert (found != expected).any(), "nothing was rounded"


def test_dropout_is_for_training_only() -> None:
    config = DigitCNNConfig("lecture", dropout=0.5)
    model = build_digit_cnn(config)
    answer = np.asarray(model(images()))
    np.testing.assert_array_equal(np.asarray(model(images())), answer)
    packed = PackedCNN(config, variable_arrays(model.weights))
    np.testing.assert_allclose(packed.logits(images()), answer, atol=1e-5)
    assert (np.asarray(model(images(), training=True)) != np.asarray(model(images()))).any()
