"""The benchmarks of the digit networks: the same networks on both sides, and what is counted."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import apps.shared.reports
from apps.digits.reports import DEPTH, SCORES
from apps.digits.sources import sample_source
from apps.shared.reports import Stored
from benchmarks import digit_shifts, digits_depth
from data_prep.errors import InputError
from models.digit_cnn.config import DigitCNNConfig, digit_specs
from models.digit_cnn.serving import PackedCNN
from models.training.recipe import fields_of
from tests.apps.digit_presets import digits_of

SMALL = {
    "lecture": DigitCNNConfig("lecture"),
    "lenet5": DigitCNNConfig("lenet5"),
    "resnet": DigitCNNConfig("resnet", widths=(4, 6, 8), blocks=2),
}
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


@needs_torch
@pytest.mark.parametrize("name", SMALL)
def test_pytorch_has_the_same_networks(name: str) -> None:
    from benchmarks.digits_torch import torch_network

    config, rng = SMALL[name], np.random.default_rng(1)
    arrays = {}
    for path, spec in digit_specs(config).items():
        values = rng.normal(scale=np.sqrt(2.0 / max(1, int(np.prod(spec.shape[:-1])))), size=spec.shape)
        positive = path.endswith(("variance", "gamma"))  # of batch norm
        arrays[path] = (np.abs(values) + 0.5 if positive else values).astype(np.float32)
    images = rng.random((5, 28, 28, 1), np.float32) * (rng.random((5, 28, 28, 1)) < 0.2).astype(np.float32)
    found = torch_network(config.steps, arrays, 1)(images)
    expected = PackedCNN(config, arrays).logits(images)
    assert found.dtype == np.float32 and found.shape == (5, 10)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_images_are_moved_by_a_pixel_each_way() -> None:
    images = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    moved = digit_shifts.shifted(images)
    assert len({one.tobytes() for one in moved}) == 9
    np.testing.assert_array_equal(moved[4], images)
    np.testing.assert_array_equal(moved[0][0, :, :, 0], [[0, 0, 0], [0, 0, 1], [0, 3, 4]])
    digits, pictures = digits_of("lecture"), np.zeros((2, 28, 28, 1), np.float32)
    pictures[:, 4:24, 4:24] = np.random.default_rng(1).random((2, 20, 20, 1), np.float32)
    places = product((-1, 0, 1), repeat=2)
    expected = sum(digits.probabilities(np.roll(pictures, place, (1, 2))) for place in places) / 9
    np.testing.assert_allclose(digit_shifts.averaged(digits, pictures), expected)


def depth_results() -> dict:
    run = {
        "parameters": 5,
        "seconds": 1.0,
        "train_loss": [2.0, 1.0],
        "validation_accuracy": [50.0, 90.0],
        "gradient_norms": {
            "first": {"stem_conv": 1.0, "logits": 0.0},
            "last": {"stem_conv": 0.1, "logits": 0.2},
        },
    }
    return {
        "settings": {"layers": 20, "images": 55_000, "processor": "a processor"},
        "runs": {"resnet": run, "plain": run},
    }


def test_page_and_tables_read_what_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "digits_depth.json").write_text(json.dumps(depth_results()), encoding="utf-8")
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    assert DEPTH.read().found["settings.layers"] == 20
    assert "| residual | 5 | 1.00000 | 90.00 | 1 | 0 |" in DEPTH.markdown()


def test_tables_say_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", tmp_path)
    assert DEPTH.markdown().startswith("_Not measured yet")
    assert SCORES.markdown().startswith("_Not measured yet")


def test_the_comparison_decides_its_own_settings() -> None:
    assert digits_depth.recipe_of(["epochs=2"]).epochs == 2
    for override in ("architecture=lecture", "averaging=0.9", "split=final"):
        with pytest.raises(InputError, match="comparison itself decides"):
            digits_depth.recipe_of([override])


def test_gradients_of_every_layer_are_measured() -> None:
    from apps.digits.task import compiled_network
    from models.storage.variables import variable_arrays

    recipe = replace(
        digits_depth.recipe_of(), architecture="resnet", widths=(4, 6), blocks=1, products="float32"
    )
    config = fields_of(recipe, DigitCNNConfig, classes=10)
    model = compiled_network(recipe, config, 1)
    before = variable_arrays(model.weights)
    images = np.random.default_rng(1).integers(0, 256, (16, 28, 28)).astype(np.uint8)
    found = digits_depth.gradient_norms(model, images, np.arange(16) % 10)
    assert len(found) == config.depth == 6
    assert [*found][:: len(found) - 1] == ["stem_conv", "logits"]
    assert all(np.isfinite(norm) for norm in found.values()) and found["stem_conv"] > 0.0
    for name, array in variable_arrays(model.weights).items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)


def test_gradients_before_training_are_those_of_ordinary_initialisation() -> None:
    recipe = replace(digits_depth.recipe_of(), widths=(4, 6), blocks=1, products="float32")
    source = replace(sample_source(1), train=sample_source(1).train.part(slice(20)))
    results = digits_depth.gradients_anew(source, recipe, depth_results())
    for run, norms in zip(results["runs"].values(), depth_results()["runs"].values(), strict=True):
        assert len(run["gradient_norms"]["first"]) == 6
        assert all(length > 1e-4 for length in run["gradient_norms"]["first"].values())
        assert run["gradient_norms"]["last"] == norms["gradient_norms"]["last"]


@pytest.mark.slow
def test_the_comparison_runs_on_the_sample(tmp_path: Path) -> None:
    whole = sample_source(1)
    source = replace(whole, train=whole.train.part(slice(200)), validation=whole.validation.part(slice(50)))
    recipe = replace(digits_depth.recipe_of(), widths=(4, 6), blocks=1, epochs=2, batch_size=50)
    results = digits_depth.run(source, tmp_path, recipe)
    assert results["settings"]["layers"] == 6 and results["settings"]["images"] == 200
    for run in results["runs"].values():
        assert len(run["train_loss"]) == len(run["validation_accuracy"]) == 2
        assert list(run["gradient_norms"]["first"]) == list(run["gradient_norms"]["last"])
    assert results["runs"]["resnet"]["parameters"] > results["runs"]["plain"]["parameters"]
    assert len(DEPTH.report(Stored("digits_depth.json", results)).lines) == 2
