"""Training of digit networks: recipes, what is looked at and when, what is kept, and going on after a kill."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.digits.application import Digits
from apps.digits.epochs import KeptEpochs, epochs_file, read_epochs
from apps.digits.sources import DigitsSource, sample_source
from apps.digits.task import RECIPES, DigitsRecipe, DigitsTask, compiled_network
from data_prep.errors import InputError
from data_prep.images.augmentation import NO_AUGMENTATION, Augmentation
from data_prep.images.preparation import LabelledImages
from models.digit_cnn.config import DigitCNNConfig
from models.training.driver import Trained, fit_task, train
from models.training.recipe import fields_of, from_dict, to_dict
from models.training.task import Run
from tests.apps.digit_presets import save_digits
from tests.repeated import slow_but

TASK = DigitsTask()
TINY = replace(RECIPES["lecture"], epochs=2, batch_size=32, averaging=0.9, keep_epochs=())


@pytest.fixture(scope="module")
def source() -> DigitsSource:
    whole = sample_source(1)
    few = {name: getattr(whole, name).part(slice(160)) for name in ("train", "validation", "test")}
    return replace(whole, **few)


def trained_in(folder: Path, recipe: DigitsRecipe, source: DigitsSource, resume: bool = False) -> Trained:
    return train(TASK, recipe, source, Run(folder, resume))


def test_recipes_survive_json_and_name_their_network() -> None:
    for name, recipe in RECIPES.items():
        assert recipe.architecture == ("lecture" if name in ("lab", "distilled") else name)
        assert from_dict(DigitsRecipe, json.loads(json.dumps(to_dict(recipe)))) == recipe


def test_plain_and_residual_differ_in_nothing_else() -> None:
    assert replace(RECIPES["plain"], architecture="resnet") == RECIPES["resnet"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs=0", "epochs does not fit"),
        ("batch_size=0", "batch_size does not fit"),
        ("averaging=1.0", "averaging does not fit"),
        ("label_smoothing=-0.1", "label_smoothing does not fit"),
        ("learning_rate=0", "learning_rate does not fit"),
        ("warmup=0.6", "warmup does not fit"),
        ("weight_decay=-1", "weight_decay"),
        ("keep_epochs=-1", "keep_epochs"),
        ("augmentation.shift=-1", "shift"),
        ("architecture=vgg", "does not fit"),
        ("nonsense=1", "unknown"),
    ],
)
def test_wrong_settings_are_refused(override: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        fit_task(TASK, tmp_path / "digits", overrides=[override], options={"sample": True})
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("in_a_fresh_process")
def test_a_sample_becomes_a_preset(tmp_path: Path) -> None:
    out = tmp_path / "digits"
    overrides = ["epochs=6", "augmentation.elastic=0", "keep_epochs=0,2"]
    summary = fit_task(TASK, out, overrides=overrides, recipe="lecture", options={"sample": True})
    assert summary["split"] == "final" and summary["accuracy"] > 80.0
    digits = Digits.from_preset(out)
    assert digits.config.architecture == "lecture"
    assert digits.metrics["accuracy"]["n"] == 180 and digits.metrics["accuracy"]["split"] == "test"
    assert digits.evaluate().accuracy == pytest.approx(digits.metrics["accuracy"]["score"])
    assert [line["epoch"] for line in digits.metadata["history"]] == [1, 2, 3, 4, 5, 6]
    assert all("validation_accuracy" not in line for line in digits.metadata["history"])
    kept = read_epochs(epochs_file(out), digits.arrays)
    assert list(kept) == [0, 2]
    first, second = kept.values()
    assert (first["conv1/kernel"] != second["conv1/kernel"]).any()
    assert not (tmp_path / "digits.run").exists()


def test_choosing_scores_validation_and_never_the_test_set(source: DigitsSource, tmp_path: Path) -> None:
    class Closed:
        def __getattr__(self, name: str):
            raise AssertionError("the test set was opened")

    recipe = replace(TINY, split="choose")
    trained = trained_in(tmp_path / "run", recipe, replace(source, test=Closed()))
    assert trained.answers.learned == len(source.train.labels)
    assert all(0.0 <= line["validation_accuracy"] <= 100.0 for line in trained.history)


@pytest.mark.slow
@pytest.mark.parametrize("split", ["final", "choose"])
def test_a_resumed_run_ends_the_same(split: str, source: DigitsSource, tmp_path: Path, stopped_after) -> None:
    recipe = replace(
        RECIPES["resnet"], widths=(4, 6), blocks=1, epochs=3, batch_size=40, dropout=0.2, products="float32",
        split=split, keep_epochs=(0, 1, 3), averaging=0.9,
    )  # fmt: skip
    whole = trained_in(tmp_path / "whole", recipe, source).answers
    with stopped_after(2):
        trained_in(tmp_path / "cut", recipe, source)
    resumed = trained_in(tmp_path / "cut", recipe, source, resume=True).answers
    for name, array in resumed.arrays.items():
        np.testing.assert_array_equal(array, whole.arrays[name], err_msg=name)
    assert sorted(whole.kept) == sorted(resumed.kept) == [0, 1, 3]
    for epoch, arrays in whole.kept.items():
        np.testing.assert_array_equal(arrays["stem_conv/kernel"], resumed.kept[epoch]["stem_conv/kernel"])


@pytest.fixture(scope="module")
def final(source: DigitsSource, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A residual network after the final training."""
    recipe = replace(
        RECIPES["resnet"], widths=(4, 6), blocks=1, epochs=2, batch_size=40, products="float32",
        augmentation=NO_AUGMENTATION, thickness=0.0, noise=0.0, averaging=0.9,
    )  # fmt: skip
    return trained_in(tmp_path_factory.mktemp("final") / "run", recipe, source)


def test_the_final_training_takes_all_training_images(source: DigitsSource, final: Trained) -> None:
    assert final.answers.learned == len(source.train.labels) + len(source.validation.labels)


def test_the_kept_network_has_averaged_weights_and_their_statistics(
    source: DigitsSource, final: Trained
) -> None:
    answers = final.answers
    model = answers.digits.keras_model()
    images = source.all_training.images.astype(np.float32)[..., None] / 255.0
    first = model.get_layer("stem_conv")(images)
    norm = model.get_layer("stem_norm")
    np.testing.assert_allclose(norm.moving_mean.value, np.asarray(first).mean(axis=(0, 1, 2)), atol=0.05)
    stored, kernel = (arrays["stem_conv/kernel"] for arrays in (answers.digits.arrays, answers.arrays))
    np.testing.assert_array_equal(stored, kernel.astype(np.float16).astype(np.float32))


def test_weights_decay_but_not_biases_and_batch_norm() -> None:
    model = compiled_network(RECIPES["resnet"], DigitCNNConfig("resnet", blocks=1), 10)
    kept_out = [v.path for v in model.trainable_variables if not model.optimizer._use_weight_decay(v)]
    assert kept_out and all(path.endswith(("bias", "gamma", "beta")) for path in kept_out)
    assert not any(v.path.endswith(("bias", "gamma", "beta")) for v in model.trainable_variables
                   if model.optimizer._use_weight_decay(v))  # fmt: skip


@pytest.mark.parametrize("optimizer", slow_but(["sgd"], ["adamw", "sgd"]))
def test_both_optimizers_learn(optimizer: str, source: DigitsSource, tmp_path: Path) -> None:
    rate = 0.05 if optimizer == "sgd" else 0.01
    recipe = replace(
        TINY, optimizer=optimizer, learning_rate=rate, augmentation=Augmentation(shift=1.0), epochs=3
    )
    history = trained_in(tmp_path / "run", recipe, source).history
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
    fit_task(TASK, out, overrides=overrides, recipe="lecture", options={"folder": tmp_path / "own"})
    digits = Digits.from_preset(out)
    assert digits.labels == ("bar", "dash") and digits.metrics["accuracy"]["n"] == 6
    assert digits.evaluate(tmp_path / "own").n == 6
    assert not epochs_file(out).exists()
    assert digits.classify(tmp_path / "own" / "bar" / "0.png").digit == "bar"


def test_folder_and_sample_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exclude each other"):
        fit_task(TASK, tmp_path / "digits", options={"folder": tmp_path, "sample": True})


def test_an_unknown_recipe(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such recipe"):
        fit_task(TASK, tmp_path / "digits", recipe="vgg", options={"sample": True})


def test_a_folder_that_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="exists already"):
        fit_task(TASK, tmp_path, options={"sample": True})


def test_too_few_images_for_a_batch(source: DigitsSource, tmp_path: Path) -> None:
    few = replace(source, train=LabelledImages(source.train.images[:5], source.train.labels[:5]))
    with pytest.raises(InputError, match="too few images"):
        trained_in(tmp_path / "run", replace(TINY, split="choose"), few)


def test_kept_epochs_ignore_others(tmp_path: Path) -> None:
    model = compiled_network(TINY, fields_of(TINY, DigitCNNConfig), 10)
    kept = KeptEpochs(tmp_path / "run", (1, 5))
    kept.keep(0, model)
    assert not (tmp_path / "run").exists()
    kept.keep(1, model)
    assert list(kept.all(model)) == [1]


def test_fine_tuning_starts_from_the_weights_of_a_preset(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    start = save_digits(tmp_path / "start", "lecture")
    options, small = {"sample": True}, ["epochs=1", "learning_rate=1e-9", "averaging=0", "keep_epochs="]
    fit_task(TASK, tmp_path / "tuned", recipe="lecture", options=options, overrides=small, start=start)
    before, after = Digits.from_preset(start).arrays, Digits.from_preset(tmp_path / "tuned").arrays
    np.testing.assert_allclose(after["conv1/kernel"], before["conv1/kernel"], atol=1e-3)
    assert "From start: 6 of 6 arrays taken over" in capsys.readouterr().err
    assert Digits.from_preset(tmp_path / "tuned").metadata["from"] == "start"


def test_fine_tuning_says_what_it_could_not_take_over(
    tmp_path: Path, capsys: pytest.CaptureFixture, stopped_after
) -> None:
    start = save_digits(tmp_path / "start", "resnet")  # 16 and 24 channels
    small = ["epochs=1", "blocks=1", "widths=16,20"]
    with stopped_after(0):
        fit_task(TASK, tmp_path / "tuned", options={"sample": True}, overrides=small, start=start)
    assert "Not taken over, started at random: stage2" in capsys.readouterr().err


def test_fine_tuning_from_another_network_is_refused(tmp_path: Path) -> None:
    start = save_digits(tmp_path / "start", "resnet")
    with pytest.raises(InputError, match="no weights that fit"):
        fit_task(TASK, tmp_path / "tuned", recipe="lecture", options={"sample": True}, start=start)
