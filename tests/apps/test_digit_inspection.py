"""Looking into digit networks: layers as strips, saved epochs, nearest training digits, stored errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import apps.digits.examples
import apps.digits.reports
import apps.shared.reports
from apps.digits.epochs import epochs_file, read_epochs, write_epochs
from apps.digits.examples import EACH, choose, examples
from apps.digits.explain import DEAD_EVERY, DigitInspector
from apps.digits.reports import DEPTH, SCORES, digit_errors, error_image
from apps.digits.strips import write_strips
from benchmarks import errors
from data_prep.errors import InputError
from data_prep.images.preparation import digit_batch
from models.inspection.attribution import occlusion_map, saliency
from models.inspection.image_networks import dead_filters, hidden_features, look_inside
from tests.apps.digit_presets import EPOCHS, digits_of, save_digits

LECTURE_LAYERS = ["crop", "conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "flatten", "logits"]


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_digits(tmp_path_factory.mktemp("digits") / "digits_lecture", "lecture")


@pytest.fixture(scope="module")
def inspector(preset: Path) -> DigitInspector:
    return DigitInspector.from_preset(preset)


def picture(at: int = 0) -> np.ndarray:
    return digit_batch(examples().images[at : at + 1])[0]


def test_the_lectures_network_layer_by_layer(inspector: DigitInspector) -> None:
    found = inspector.look(picture(), "5")
    layers = {layer.name: layer for layer in found.layers}
    assert list(layers) == LECTURE_LAYERS
    first = layers["conv1"]
    assert first.shape == (24, 24, 8)
    assert first.settings == "filter 5×5×1, stride 1"
    assert first.formula == "8×5×5×1 + 8 = 208"  # the slide's
    assert layers["pool2"].settings == "window 3×3, stride 3"
    assert layers["logits"].formula == "10×256 + 10 = 2,570"
    assert first.activations.tiles.shape == (1, 8, 24, 24)
    assert first.activations.low < 0 < first.activations.high
    assert first.gradients is not None and first.weights[0].gradients is not None
    assert found.label == "5"
    assert found.probability == pytest.approx(
        inspector.digits.probabilities(picture()[None])[0].max(), rel=1e-4
    )
    plain = found.to_dict()
    assert plain["layers"][1]["weights"][0]["name"] == "kernel"
    assert json.loads(json.dumps(plain)) == plain


def test_a_resnet_looks_the_same_way() -> None:
    inspector = DigitInspector(digits_of("resnet"))
    found = inspector.look(picture())
    kinds = {layer.kind for layer in found.layers}
    assert {"Conv2D", "ReLU", "Add", "GlobalAveragePooling2D", "Dense"} <= kinds
    assert found.label == found.answer
    assert all(layer.gradients is not None for layer in found.layers)


@pytest.mark.parametrize(
    ("architecture", "pooling"),
    [("lecture", "max"), ("lecture", "stride"), ("lecture", "none"), ("lenet5", "max"), ("resnet", "max")],
)
def test_layers_and_gradients_are_those_of_keras(architecture: str, pooling: str) -> None:
    inspector = DigitInspector(digits_of(architecture, pooling=pooling))
    model, image = inspector.digits.keras_model(), picture(20)
    wanted = look_inside(model, image, 3)
    layers = {layer.name: layer for layer in wanted.layers}
    _, loss, label, found = inspector.network.look(image, 3)
    assert label == 3 and loss == pytest.approx(wanted.loss, rel=1e-4)
    assert {view.step.name: view.kind for view in found} == {name: one.kind for name, one in layers.items()}

    def near(ours: np.ndarray, keras: np.ndarray, name: str) -> None:
        scale = max(1e-6, float(np.abs(keras).max()))
        np.testing.assert_allclose(ours / scale, keras / scale, atol=1e-3, err_msg=name)

    for view in found:
        layer = layers[view.step.name]
        near(view.activations, layer.activations, layer.name)
        near(view.gradients, layer.gradients, layer.name)
        for (name, values, gradient), weight in zip(view.weights, layer.weights, strict=True):
            assert name == weight.name and (gradient is None) == (weight.gradients is None)
            np.testing.assert_array_equal(values, weight.values)
            if gradient is not None:
                near(gradient, weight.gradients, f"{layer.name} {name}")
    near(inspector.saliency(image, "3"), saliency(model, image, 3)[..., 0], "saliency")
    near(inspector.occlusion(image, "3"), occlusion_map(model, image, 3, stride=2), "occlusion")
    assert inspector.dead == dead_filters(model, digit_batch(examples().images[::DEAD_EVERY]))


def test_dead_filters_are_named(preset: Path) -> None:
    digits = digits_of("lecture")
    arrays = {name: array.copy() for name, array in digits.arrays.items()}
    arrays["conv1/kernel"][..., 3] = 0.0
    arrays["conv1/bias"][3] = -1.0
    inspector = DigitInspector(type(digits)(digits.config, arrays, labels=digits.labels))
    layers = {layer.name: layer for layer in inspector.look(picture()).layers}
    assert 3 in layers["relu1"].dead
    assert not layers["pool1"].dead


def test_saliency_and_occlusion_have_the_images_size(inspector: DigitInspector) -> None:
    gradient = inspector.saliency(picture(), "3")
    assert gradient.shape == (28, 28)
    assert gradient[2:26, 2:26].any()
    border = np.ones((28, 28), bool)
    border[2:26, 2:26] = False
    assert not gradient[border].any()  # the network crops two pixels off
    for patch in (1, 7):
        assert inspector.occlusion(picture(), "3", patch=patch).shape == (28, 28)


def test_the_nearest_digit_is_the_digit_itself(inspector: DigitInspector) -> None:
    stored = examples()
    near = inspector.neighbours(picture(40))
    assert len(near) == 5
    assert near[0].distance == pytest.approx(0, abs=1e-4)
    assert near[0].number == stored.numbers[40]
    assert near[0].label == str(stored.labels[40])
    assert [one.distance for one in near] == sorted(one.distance for one in near)
    hidden = hidden_features(inspector.digits.keras_model(), digit_batch(stored.images)).values
    distances = np.sort(np.linalg.norm(hidden - hidden[40], axis=1))
    np.testing.assert_allclose([one.distance for one in near], distances[:5], atol=1e-3)


def test_other_classes_have_no_neighbours_among_digits() -> None:
    digits = digits_of("lecture")
    letters = type(digits)(digits.config, digits.arrays, labels=tuple("abcdefghij"))
    with pytest.raises(InputError, match="reads something else"):
        DigitInspector(letters).neighbours(picture())
    with pytest.raises(InputError, match="no such class"):
        DigitInspector(letters).look(picture(), "3")


def test_saved_epochs_open_as_networks(preset: Path, inspector: DigitInspector) -> None:
    assert tuple(inspector.epochs) == EPOCHS
    first = inspector.at_epoch(0)
    assert not np.array_equal(first.digits.arrays["conv1/kernel"], inspector.digits.arrays["conv1/kernel"])
    last = inspector.at_epoch(EPOCHS[-1])
    np.testing.assert_allclose(
        last.look(picture()).loss, inspector.look(picture()).loss, rtol=0.05, atol=0.01
    )
    with pytest.raises(InputError, match="was not saved"):
        inspector.at_epoch(77)
    with pytest.raises(InputError, match="was not saved"):
        DigitInspector(inspector.digits).at_epoch(0)


def test_files_of_epochs_that_do_not_fit(tmp_path: Path) -> None:
    path = epochs_file(tmp_path / "mine")
    assert path == tmp_path / "mine.epochs.npz"
    arrays = {"conv1/kernel": np.ones((2, 2), np.float32)}
    assert read_epochs(path, arrays) == {}
    write_epochs(path, {12: arrays, 0: arrays})
    read = read_epochs(path, arrays)
    assert list(read) == [0, 12]
    np.testing.assert_array_equal(read[12]["conv1/kernel"], arrays["conv1/kernel"])
    with pytest.raises(InputError, match="conv1/kernel"):
        read_epochs(path, {"conv1/kernel": np.ones((3, 2), np.float32)})
    with pytest.raises(ValueError, match="not finite"):
        write_epochs(path, {1: {"a": np.array([1e6], np.float32)}})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"mine\.epochs\.npz"):
        read_epochs(path, arrays)
    np.savez(path, other=np.ones(3))
    with pytest.raises(InputError, match="'other' is not expected"):
        read_epochs(path, arrays)


def test_the_examples_are_whole_and_read_only() -> None:
    stored = examples()
    assert stored.images.shape == (500, 28, 28)
    assert np.bincount(stored.labels).tolist() == [EACH] * 10
    assert (np.diff(stored.numbers) > 0).all() and stored.numbers[-1] < 55_000
    assert not stored.images.flags.writeable
    assert apps.digits.examples.FILE.stat().st_size < 2 << 20


@pytest.mark.realdata
def test_the_examples_are_mnists(data_dir: Path) -> None:
    from data_prep.readers.mnist import read_mnist

    for stored, expected in zip(examples(), choose(read_mnist("train")), strict=True):
        np.testing.assert_array_equal(stored, expected)


def test_damaged_examples_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "few.npz", **{name: array[:20] for name, array in examples()._asdict().items()})
    monkeypatch.setattr(apps.digits.examples, "FILE", tmp_path / "few.npz")
    with pytest.raises(InputError, match="does not hold 500 digits"):
        examples.__wrapped__()


def test_strips_are_written_as_files(inspector: DigitInspector, tmp_path: Path) -> None:
    files = write_strips(inspector.look(picture()), tmp_path / "strips")
    names = [path.name for path in files]
    assert names[:2] == ["001-crop-activations.png", "001-crop-activations-gradient.png"]
    assert "002-conv1-kernel-gradient.png" in names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in files)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    return tmp_path


def test_stored_errors_have_pictures(preset: Path, results: Path) -> None:
    assert digit_errors(str(preset)) is None
    stored = {"presets": {preset.name: errors.digits(str(preset), examples().images)}}
    (results / "errors_digits.json").write_text(json.dumps(stored))
    found = digit_errors(str(preset))
    assert found.n == 10_000
    assert [error.confidence for error in found.errors] == sorted(
        (error.confidence for error in found.errors), reverse=True
    )
    first = found.errors[0].more["number"]
    assert first == 1
    np.testing.assert_array_equal(error_image(found.errors[0]), examples().images[first])
    assert sum(count for _, count in found.confusions) == len(found.errors)
    del found.errors[0].more["image"]
    with pytest.raises(InputError, match="The drawing is damaged"):
        error_image(found.errors[0])


def test_stored_scores_and_depth(preset: Path, results: Path) -> None:
    (scores,) = SCORES.of(str(preset)).lines
    assert scores.cells[:4] == ("98.00", "0.14", "10,000", "5,994")
    assert DEPTH.read() is None
    (results / f"{DEPTH.name}.json").write_text("{}")
    with pytest.raises(InputError, match="Run it again"):
        DEPTH.read()


def test_a_network_without_a_test_score_has_no_errors(tmp_path: Path) -> None:
    folder = save_digits(tmp_path / "chosen", "lecture", split="validation")
    with pytest.raises(InputError, match="do not list the errors"):
        apps.digits.reports.mistakes(str(folder))
