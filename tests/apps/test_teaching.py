"""Learning from a teacher: one way for all tasks that name classes or tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from apps.digits.application import Digits
from apps.digits.sources import sample_source
from apps.digits.task import RECIPES, DigitsTask
from apps.ocr.task import OcrTask, answers_of
from apps.reviews.task import ReviewsTask
from apps.tagger.task import TaggerTask
from apps.writer.task import WriterTask
from data_prep.batching import Taught
from data_prep.errors import InputError
from data_prep.images.letter_batches import image_inputs, letter_inputs
from data_prep.text.document_batches import document_batches
from models.ocr.config import OcrConfig
from models.ocr.network import build_ocr
from models.presets.store import load_preset
from models.storage.variables import variable_arrays
from models.training.driver import fit_task, train
from models.training.recipe import with_overrides
from models.training.task import Run, Task
from models.training.teaching import Teacher, Teaching, divergence, in_rows
from tests.apps.digit_presets import save_digits

STILL = ("epochs=1", "learning_rate=1e-9")  # a network that stays what it is
SMALL_READER = ("filters=4,6,8", "units=16", "features=24", "lm_order=0")
SETTINGS: dict[str, tuple[Task, str | None, tuple[str, ...]]] = {
    "digits": (DigitsTask(), "lecture", ("keep_epochs=", "averaging=0")),
    "tagger": (
        TaggerTask(),
        "sample",
        ("word_dropout=0", "dropout=0", "averaging=0", "output=crf", "segmenter.epochs=1", "units=16"),
    ),
    "writer": (
        WriterTask(),
        "sample",
        ("units=24", "dropout=0", "input_dropout=0", "token_dropout=0", "averaging=0", "calibration=1"),
    ),
    "reviews": (ReviewsTask(), "sample", ()),
    "letters": (OcrTask(), "letters", ("answer=bilstm", *SMALL_READER)),
    "words": (OcrTask(), "words", (*SMALL_READER, "epoch_words=64")),
}

LONG = [name for name in SETTINGS if name != "digits"]


def softmax(values: np.ndarray) -> np.ndarray:
    raised = np.exp(values - values.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def test_the_divergence_is_that_of_softened_probabilities_where_there_are_answers() -> None:
    rng = np.random.default_rng(0)
    answers, logits = rng.normal(size=(2, 2, 3, 5)).astype(np.float32)
    answers[1, 2] = np.nan
    wanted, found = softmax(answers / 2.0), softmax(logits / 2.0)
    apart = (wanted * np.log(wanted / found)).sum(-1)
    assert float(divergence(answers, logits, 2.0)) == pytest.approx(4.0 * np.nanmean(apart), rel=1e-5)
    assert float(divergence(answers, np.nan_to_num(answers), 3.0)) == pytest.approx(0.0, abs=1e-6)


def test_answers_lie_in_rows_and_nothing_at_padding() -> None:
    mask = np.array([[True, True], [True, False]])
    rows = in_rows(np.arange(6.0).reshape(3, 2), mask)
    np.testing.assert_array_equal(rows[mask], [[0, 1], [2, 3], [4, 5]])
    assert np.isnan(rows[1, 1]).all()


def test_views_come_again_and_are_answered_once(tmp_path: Path) -> None:
    asked: list[int] = []

    def epoch(number: int) -> Iterator[tuple[int, str]]:
        yield from ((10 * number + at, "label") for at in range(2))

    def answer(inputs: int) -> int:
        asked.append(inputs)
        return -inputs

    preset = load_preset(save_digits(tmp_path / "digits", "lecture"))
    teacher = Teacher(preset, Teaching(views=2))
    epochs = teacher.epochs(epoch, lambda: answer)
    next(iter(epochs(0)))  # one batch, as a look at its shape takes it
    found = [list(epochs(number)) for number in range(4)]
    assert found[0] == found[2] == [(0, Taught("label", 0)), (1, Taught("label", -1))]
    assert found[1] == found[3] and asked == [0, 0, 1, 10, 11]
    other = teacher.epochs(lambda number: ((inputs + 5, label) for inputs, label in epoch(number)), lambda: answer)
    assert next(iter(other(0))) == (5, Taught("label", -5))  # a stage with examples of its own
    new = Teacher(preset, Teaching()).epochs(epoch, lambda: answer)
    assert [next(iter(new(number)))[0] for number in range(3)] == [0, 10, 20]


@pytest.mark.parametrize("name", ["digits", *(pytest.param(name, marks=pytest.mark.slow) for name in LONG)])
def test_every_task_learns_from_a_teacher(name: str, tmp_path: Path) -> None:
    task, recipe, settings = SETTINGS[name]
    given: dict[str, Any] = {"recipe": recipe, "options": {"sample": True}}
    fit_task(task, tmp_path / "first", overrides=[*settings, "epochs=1"], **given)
    teacher = {"teacher": tmp_path / "first", "start": tmp_path / "first"}
    fit_task(
        task, tmp_path / "taught", overrides=[*settings, *STILL, "teaching.weight=1.0"], **teacher, **given
    )
    preset = load_preset(tmp_path / "taught")
    assert preset.metadata["teacher"] == "first"
    assert preset.metadata["recipe"]["teaching"]["weight"] == 1.0
    assert "- teacher: first\n" in (tmp_path / "taught" / "README.md").read_text(encoding="utf-8")
    loss = preset.metadata["history"][-1]["loss"]
    # What it starts as is its teacher. A temperature (reviews) and statistics of a batch (ocr) set them apart.
    assert loss < (1e-3 if name in ("digits", "writer") else 0.05 if name == "tagger" else 5.0)


@pytest.mark.parametrize("reads", ["letters", "words"])
def test_a_reader_answers_what_its_network_answers(reads: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    config = OcrConfig(reads, filters=(4, 6, 8), convolutions=1, features=12, units=8)
    model = build_ocr(config)
    preset = replace(
        load_preset(save_digits(tmp_path / "any", "lecture")),
        config=config,
        arrays=variable_arrays(model.weights),
    )
    answer = answers_of(Teacher(preset, Teaching()), config)()
    if reads == "letters":
        lengths = [3, 1]
        inputs = {
            "letters": rng.random((4, 16, 8, 1)).astype(np.float32),
            "places": letter_inputs(lengths),
        }
        found, wanted = answer(inputs), model(inputs, training=False)
        assert np.isnan(found["context"][1, 1:]).all()
        np.testing.assert_allclose(found["alone"], wanted["alone"], atol=1e-4)
        for output in ("context", "chain"):  # without learned transitions the CRF is a softmax
            real = inputs["places"] >= 0
            np.testing.assert_allclose(
                softmax(found[output][real]), softmax(np.asarray(wanted[output])[real]), atol=1e-4
            )
    else:
        inputs = image_inputs([rng.random((16, width, 1)).astype(np.float32) for width in (20, 9)])
        found, wanted = answer(inputs), np.asarray(model(inputs, training=False))
        np.testing.assert_allclose(found[inputs["mask"]], wanted[inputs["mask"]], atol=1e-4)
        assert np.isnan(found[~inputs["mask"]]).all()


def test_documents_keep_their_answers_in_every_order() -> None:
    documents = [np.arange(2, 3 + at) for at in range(9)]
    answers = np.arange(18.0, dtype=np.float32).reshape(9, 2)
    for inputs, taught in document_batches(documents, Taught(np.arange(9) % 2, answers), 2).epoch(3):
        places = inputs["mask"].sum(axis=1) - 1
        np.testing.assert_array_equal(taught.answers, answers[places])
        np.testing.assert_array_equal(taught.labels, places % 2)


@pytest.mark.slow
def test_a_taught_run_ends_the_same_after_a_stop(tmp_path: Path, stopped_after) -> None:
    task = DigitsTask()
    few = {name: getattr(sample_source(1), name).part(slice(96)) for name in ("train", "validation", "test")}
    source = replace(sample_source(1), **few)
    teaching = Teaching(str(save_digits(tmp_path / "teacher", "lecture")), views=2)
    recipe = replace(
        RECIPES["lecture"], epochs=3, batch_size=32, averaging=0.9, keep_epochs=(), teaching=teaching
    )
    whole = train(task, recipe, source, Run(tmp_path / "whole"))
    with stopped_after(2):
        train(task, recipe, source, Run(tmp_path / "cut"))
    resumed = train(task, recipe, source, Run(tmp_path / "cut", resume=True))
    for name, array in resumed.answers.arrays.items():
        np.testing.assert_array_equal(array, whole.answers.arrays[name], err_msg=name)
    other = str(save_digits(tmp_path / "resnet", "resnet"))
    changed = with_overrides(recipe, [f"teaching.preset={other}"])
    with pytest.raises(InputError, match="teach"):
        train(task, changed, source, Run(tmp_path / "cut", resume=True))


def test_a_teacher_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="of another kind"):
        fit_task(DigitsTask(), tmp_path / "out", options={"sample": True}, teacher="ocr_letters")
    assert not list(tmp_path.iterdir())


def test_a_teacher_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no preset"):
        fit_task(DigitsTask(), tmp_path / "out", options={"sample": True}, teacher="nobody")


def test_a_teacher_with_other_labels_is_refused(tmp_path: Path) -> None:
    preset = load_preset(save_digits(tmp_path / "digits", "lecture"))
    recipe = replace(RECIPES["lecture"], epochs=1)
    run = Run(tmp_path / "run", teacher=Teacher(replace(preset, labels=("a", "b")), Teaching()))
    with pytest.raises(InputError, match="The teacher digits has other labels"):
        train(DigitsTask(), recipe, sample_source(1), run)


def test_a_teacher_with_other_letters_is_refused(tmp_path: Path) -> None:
    preset = load_preset("ocr_letters")
    with pytest.raises(InputError, match="has other letters"):
        answers_of(Teacher(preset, Teaching()), OcrConfig("letters", alphabet="abc"))
    with pytest.raises(InputError, match="has other inputs"):
        answers_of(Teacher(preset, Teaching()), OcrConfig("words"))


def test_a_teacher_that_learned_the_folds_is_refused() -> None:
    from apps.reviews.recipes import RECIPES as REVIEWS
    from apps.reviews.sources import sample_source as reviews_sample

    source, preset = replace(reviews_sample(), test=None), load_preset("topics_bbc")
    run = Run(Path("nowhere"), teacher=Teacher(preset, Teaching()))
    with pytest.raises(InputError, match="fold by fold"):
        next(ReviewsTask().stages(REVIEWS["sample"], source, run))


def test_the_command_line_names_a_teacher(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from apps.__main__ import app

    teacher = save_digits(tmp_path / "teacher", "lecture")
    words = ["digits", "fit", "--sample", "--recipe", "lecture", "--out", str(tmp_path / "out"), "--json"]
    small = ["--set", "epochs=1", "--set", "keep_epochs=", "--set", "teaching.temperature=4"]
    done = CliRunner().invoke(app, [*words, *small, "--teacher", str(teacher)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.strip().splitlines()[-1])["epochs"] == 1
    assert Digits.from_preset(tmp_path / "out").metadata["teacher"] == "teacher"
