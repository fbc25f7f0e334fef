"""The benchmarks of the digit networks: the same networks on both sides, and what is counted."""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import apps.shared.reports
from apps.digits.reports import DEPTH, SCORES, SPEED
from apps.digits.sources import sample_source
from apps.shared.reports import Stored
from benchmarks import digits, digits_depth
from data_prep.errors import InputError
from models.digit_cnn.config import DigitCNNConfig
from models.digit_cnn.serving import PackedCNN
from models.training.recipe import fields_of

SMALL = {
    "lecture": DigitCNNConfig("lecture"),
    "lenet5": DigitCNNConfig("lenet5"),
    "resnet": DigitCNNConfig("resnet", widths=(4, 6, 8), blocks=2),
}
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


@needs_torch
@pytest.mark.parametrize("name", SMALL)
def test_pytorch_has_the_same_networks(name: str) -> None:
    from benchmarks.digits_torch import TorchSystem

    config = SMALL[name]
    arrays = digits.random_arrays(config)
    images = digits.made_batch(5)[0]
    found = TorchSystem(config.steps, arrays, 1).logits(images)
    expected = PackedCNN(config, arrays).logits(images)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@needs_torch
def test_pytorch_learns_in_every_way() -> None:
    from benchmarks.digits_torch import TorchSystem

    config = SMALL["lecture"]
    system = TorchSystem(config.steps, digits.random_arrays(config), 1)
    images, labels = digits.made_batch(4)
    for work in (*system.training(images, labels).values(), *system.inference(images).values()):
        work(1)
    assert len(system.training(images, labels)) == 4 and len(system.inference(images)) == 8


class Slow:
    """A system whose work is counted instead of done."""

    def __init__(self) -> None:
        self.done: list[int] = []

    def training(self, images: np.ndarray, labels: np.ndarray) -> dict:
        return {"one way": self.done.append, "another": self.done.append}

    def inference(self, images: np.ndarray) -> dict:
        return {"one way": self.done.append}


def test_the_best_way_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    options = argparse.Namespace(batch_size=8, inference_batch=16, milliseconds=5, repeats=3)
    seconds = iter([[8.0, 4.0, 2.0], [3.0, 3.0, 3.0], [0.5] * 3, [0.1] * 3])

    def in_turn(works: dict, least: float, repeats: int) -> dict:
        return {key: next(seconds) for key in works}

    monkeypatch.setattr(digits, "_in_turn", in_turn)
    found = digits.measured({"lectern": Slow()}, options)["lectern"]
    assert found["training_images_per_second"] == 8 / 2.0
    assert found["inference_images_per_second"] == 16 / 0.5
    assert found["one_digit_ms"] == pytest.approx(1000 * 0.1)
    assert found["ways"]["another"] == {"training_images_per_second": 8 / 3.0}


def test_systems_take_turns_and_passes_are_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    works = {
        name: (lambda count, name=name, step=step: (done.append(name), time.sleep(count * step)))
        for name, step in {"a": 1e-4, "b": 2e-4}.items()
    }
    monkeypatch.setattr(digits, "_PAUSE", 0.0)
    monkeypatch.setattr(digits, "_count_for", lambda work, least: 50)
    seconds = digits._in_turn(works, 0.0, 2)
    assert done == ["a", "b", "a", "b"]
    assert min(seconds["b"]) >= 2e-4 > min(seconds["a"]) * 0.5
    monkeypatch.undo()
    assert 0.02 / 1e-4 * 0.2 < digits._count_for(works["a"], 0.02) <= 0.02 / 1e-4 * 2


def test_ratios_above_one_are_ours() -> None:
    ours = {"training_images_per_second": 30.0, "inference_images_per_second": 20.0, "one_digit_ms": 2.0}
    peer = {"training_images_per_second": 10.0, "inference_images_per_second": 40.0, "one_digit_ms": 3.0}
    assert digits._ratios({"lectern": ours, "torch": peer}) == {
        "training": 3.0,
        "inference": 0.5,
        "one_digit": 1.5,
    }


def stored_speed() -> dict:
    one = {"training_images_per_second": 3000.0, "inference_images_per_second": 9000.0, "one_digit_ms": 2.5}
    return {
        "settings": {"threads": 2, "processor": "a processor"},
        "networks": {"resnet": {"lectern": one, "torch": one}},
        "ratios": {"resnet": {"training": 1.0, "inference": 1.0, "one_digit": 1.0}},
    }


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
    (tmp_path / "digits.json").write_text(json.dumps(stored_speed()), encoding="utf-8")
    (tmp_path / "digits_depth.json").write_text(json.dumps(depth_results()), encoding="utf-8")
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    assert [line.names[1] for line in SPEED.read().lines] == ["Lectern", "PyTorch's best way"]
    assert DEPTH.read().found["settings.layers"] == 20
    table = SPEED.markdown()
    assert "| ResNet, Lectern | 3,000 | 9,000 | 2.50 |" in table and "2 cores of a processor" in table


def test_tables_say_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", tmp_path)
    assert SPEED.markdown().startswith("_Not measured yet")
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
