"""Training of digit networks: recipes, what is looked at and when, what is kept, and going on after a kill."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from apps.digits.preset import KeptEpochs
from PIL import Image

from apps.digits import task as digits_training
from apps.digits.application import Digits
from apps.digits.epochs import epoch_arrays, epochs_file, saved_epochs
from apps.digits.sources import DigitsSource, sample_source
from apps.digits.task import RECIPES, DigitsRecipe, compiled_network, config_of, fit_digits, train
from data_prep.errors import InputError
from data_prep.images.augmentation import NO_AUGMENTATION, Augmentation
from data_prep.images.preparation import LabelledImages
from models.storage.variables import variable_arrays
from models.training.recipe import from_dict, to_dict

TINY = replace(RECIPES["lecture"], epochs=2, batch_size=32, averaging=0.9, keep_epochs=())


@pytest.fixture(scope="module")
def source() -> DigitsSource:
    whole = sample_source(1)
    few = {name: getattr(whole, name).part(slice(160)) for name in ("train", "validation", "test")}
    return replace(whole, **few)


def test_recipes_survive_json_and_name_their_network() -> None:
    for name, recipe in RECIPES.items():
        assert recipe.architecture == name
        assert from_dict(DigitsRecipe, json.loads(json.dumps(to_dict(recipe)))) == recipe


def test_plain_and_residual_differ_in_nothing_else() -> None:
    assert replace(RECIPES["plain"], architecture="resnet") == RECIPES["resnet"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs=0", "epochs must be"),
        ("batch_size=0", "batch_size must be"),
        ("averaging=1.0", "averaging must be"),
        ("label_smoothing=-0.1", "label_smoothing must be"),
        ("learning_rate=0", "learning_rate must be"),
        ("warmup=0.6", "warmup is a share"),
        ("weight_decay=-1", "weight_decay"),
        ("keep_epochs=-1", "keep_epochs"),
        ("augmentation.shift=-1", "shift is out of range"),
        ("architecture=vgg", "does not fit"),
        ("nonsense=1", "unknown"),
    ],
)
def test_wrong_settings_are_refused(override: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        fit_digits(tmp_path / "digits", [override], sample=True)


def test_a_sample_becomes_a_preset(tmp_path: Path) -> None:
    out = tmp_path / "digits"
    overrides = ["epochs=6", "augmentation.elastic=0", "keep_epochs=0,2"]
    summary = fit_digits(out, overrides, architecture="lecture", sample=True)
    assert summary["split"] == "test" and summary["n"] == 180 and summary["accuracy"] > 80.0
    digits = Digits.from_preset(out)
    assert digits.config.architecture == "lecture"
    assert digits.evaluate().accuracy == pytest.approx(digits.metrics["accuracy"]["score"])
    assert [line["epoch"] for line in digits.metadata["history"]] == [1, 2, 3, 4, 5, 6]
    assert all("validation_accuracy" not in line for line in digits.metadata["history"])
    assert saved_epochs(epochs_file(out)) == (0, 2)
    first, second = (epoch_arrays(epochs_file(out), epoch, digits.arrays) for epoch in (0, 2))
    assert (first["conv1/kernel"] != second["conv1/kernel"]).any()
    assert not (tmp_path / "digits.run").exists()


def test_choosing_scores_validation_and_never_the_test_set(source: DigitsSource, tmp_path: Path) -> None:
    class Closed:
        def __getattr__(self, name: str):
            raise AssertionError("the test set was opened")

    recipe = replace(TINY, split="choose")
    trained = train(recipe, replace(source, test=Closed()), tmp_path / "run")
    assert trained.learned == len(source.train.labels)
    assert all(0.0 <= line["validation_accuracy"] <= 100.0 for line in trained.result.history)


def test_the_final_training_takes_all_training_images(source: DigitsSource, tmp_path: Path) -> None:
    trained = train(TINY, source, tmp_path / "run")
    assert trained.learned == len(source.train.labels) + len(source.validation.labels)


@pytest.mark.parametrize("split", [pytest.param("final", marks=pytest.mark.slow), "choose"])
def test_a_resumed_run_ends_the_same(
    split: str, source: DigitsSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(
        RECIPES["resnet"], widths=(4, 6), blocks=1, epochs=3, batch_size=40, dropout=0.2, products="float32",
        split=split, keep_epochs=(0, 1, 3), averaging=0.9,
    )  # fmt: skip
    whole = train(recipe, source, tmp_path / "whole")
    original = digits_training.epoch_data

    def dies(batches, epoch: int):
        if epoch == 2:
            raise KeyboardInterrupt
        return original(batches, epoch)

    monkeypatch.setattr(digits_training, "epoch_data", dies)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, source, tmp_path / "cut")
    monkeypatch.undo()
    resumed = train(recipe, source, tmp_path / "cut", resume=True)
    expected = variable_arrays(whole.model.weights)
    for name, array in variable_arrays(resumed.model.weights).items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
    assert sorted(whole.kept) == sorted(resumed.kept) == [0, 1, 3]
    for epoch, arrays in whole.kept.items():
        np.testing.assert_array_equal(arrays["stem_conv/kernel"], resumed.kept[epoch]["stem_conv/kernel"])


def test_the_kept_network_has_averaged_weights_and_their_statistics(
    source: DigitsSource, tmp_path: Path
) -> None:
    recipe = replace(
        RECIPES["resnet"], widths=(4, 6), blocks=1, epochs=2, batch_size=40, products="float32",
        augmentation=NO_AUGMENTATION, averaging=0.9,
    )  # fmt: skip
    trained = train(recipe, source, tmp_path / "run")
    images = source.all_training.images.astype(np.float32)[..., None] / 255.0
    first = trained.model.get_layer("stem_conv")(images)
    norm = trained.model.get_layer("stem_norm")
    np.testing.assert_allclose(norm.moving_mean.value, np.asarray(first).mean(axis=(0, 1, 2)), atol=0.05)
    stored = trained.digits.arrays["stem_conv/kernel"]
    kernel = trained.model.get_layer("stem_conv").kernel.value.numpy()
    np.testing.assert_array_equal(stored, kernel.astype(np.float16).astype(np.float32))


def test_weights_decay_but_not_biases_and_batch_norm() -> None:
    model = compiled_network(RECIPES["resnet"], config_of(replace(RECIPES["resnet"], blocks=1), 10), 10)
    kept_out = [v.path for v in model.trainable_variables if not model.optimizer._use_weight_decay(v)]
    assert kept_out and all(path.endswith(("bias", "gamma", "beta")) for path in kept_out)
    assert not any(v.path.endswith(("bias", "gamma", "beta")) for v in model.trainable_variables
                   if model.optimizer._use_weight_decay(v))  # fmt: skip


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_both_optimizers_learn(optimizer: str, source: DigitsSource, tmp_path: Path) -> None:
    rate = 0.05 if optimizer == "sgd" else 0.01
    recipe = replace(
        TINY, optimizer=optimizer, learning_rate=rate, augmentation=Augmentation(shift=1.0), epochs=3
    )
    history = train(recipe, source, tmp_path / "run").result.history
    assert history[-1]["loss"] < history[0]["loss"]


def test_own_images_become_a_preset(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for name in ("bar", "dash"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for number in range(30):
            image = np.zeros((40, 40), np.uint8)
            image[5:35, 15 : 20 + int(rng.integers(1, 5))] = 255
            picture = Image.fromarray(image if name == "bar" else image.T.copy())
            picture.save(tmp_path / "own" / name / f"{number}.png")
    overrides = ["epochs=4", "batch_size=16", "averaging=0.8", "augmentation.rotation=5", "keep_epochs="]
    out = tmp_path / "shapes"
    summary = fit_digits(out, overrides, folder=tmp_path / "own", architecture="lecture")
    digits = Digits.from_preset(out)
    assert digits.labels == ("bar", "dash") and summary["n"] == 6
    assert digits.evaluate(tmp_path / "own").n == 6
    assert not epochs_file(out).exists()
    assert digits.classify(tmp_path / "own" / "bar" / "0.png").digit == "bar"


def test_folder_and_sample_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exclude each other"):
        fit_digits(tmp_path / "digits", folder=tmp_path, sample=True)


def test_an_unknown_architecture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such architecture"):
        fit_digits(tmp_path / "digits", architecture="vgg", sample=True)


def test_a_folder_that_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="exists already"):
        fit_digits(tmp_path, sample=True)


def test_too_few_images_for_a_batch(source: DigitsSource, tmp_path: Path) -> None:
    few = replace(source, train=LabelledImages(source.train.images[:5], source.train.labels[:5]))
    with pytest.raises(InputError, match="too few images"):
        train(replace(TINY, split="choose"), few, tmp_path / "run")


def test_kept_epochs_ignore_others(tmp_path: Path) -> None:
    model = compiled_network(TINY, config_of(TINY, 10), 10)
    kept = KeptEpochs(tmp_path / "run", (1, 5))
    kept.keep(0, model)
    assert not (tmp_path / "run").exists()
    kept.keep(1, model)
    assert list(kept.all(model)) == [1]
