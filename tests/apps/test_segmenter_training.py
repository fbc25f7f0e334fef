from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from typer.testing import CliRunner

from apps.__main__ import app
from apps.tagger.application import Segmenter
from apps.tagger.evaluation import score_segmentation
from apps.tagger.recipes import SegmenterRecipe
from apps.tagger.segmenter_task import SegmenterTask
from data_prep.errors import InputError
from data_prep.readers.conllu import Word, plain_sentence
from data_prep.text.segmentation_rules import segment_by_rules
from models.presets.store import load_preset
from models.training.driver import fit_task, train
from models.training.recipe import from_dict, to_dict, with_overrides
from models.training.task import Run
from tests.treebanks import write_conllu

TASK = SegmenterTask()
SMALL = (
    "epochs=40", "learning_rate=0.02", "warmup=2", "averaging=0.5", "window=40", "batch=128", "storage=float32",
    "network.embedding=8", "network.channels=16", "network.kernel=3", "network.dilations=1,2",
    "network.dropout=0", "network.embedding_dropout=0",
)  # fmt: skip


def sentence(*forms):
    """Make a sentence of words with spaces between them, but for the full stop."""
    words, text = [], ""
    for form in forms:
        text += " " if text and form != "." else ""
        words.append(Word(form, "." if form == "." else "X", "_", len(text), len(text) + len(form)))
        text += form
    return plain_sentence(text, words)


def treebank():
    animals, verbs = ("Dogs", "Cats", "Birds"), ("bark", "sleep", "sing")
    return [sentence(animal, verb, ".") for animal in animals for verb in verbs]


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same treebank as all three parts."""
    path = tmp_path_factory.mktemp("treebank") / "own.conllu"
    write_conllu(treebank(), path)
    return dict.fromkeys(("treebank", "dev", "test"), path)


class Fitted(NamedTuple):
    """What one training made."""

    out: Path
    summary: Mapping[str, Any]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, options: dict[str, Path]) -> Fitted:
    out = tmp_path_factory.mktemp("fitted") / "mine"
    return Fitted(out, fit_task(TASK, out, options=options, overrides=SMALL))


def test_recipe_survives_json():
    for recipe in (*TASK.recipes.values(), with_overrides(SegmenterRecipe(), SMALL)):
        assert from_dict(SegmenterRecipe, json.loads(json.dumps(to_dict(recipe)))) == recipe
    assert recipe.network.dilations == (1, 2)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs=0", "epochs does not fit"),
        ("learning_rate=2", "learning_rate does not fit"),
        ("averaging=1", "averaging does not fit"),
        ("network.kernel=2", "odd kernel"),
        ("variations.lower=3", "lower"),
        ("epoch=3", "Did you mean 'epochs'"),
    ],
)
def test_wrong_overrides_are_refused(override, message):
    with pytest.raises(InputError, match=message):
        with_overrides(SegmenterRecipe(), [override])


def test_training_learns_and_chooses_by_dev(fitted):
    scores = score_segmentation(Segmenter.from_preset(fitted.out).segment, treebank())
    assert scores.words.f1 == scores.sentences.f1 == 100.0
    metadata = load_preset(fitted.out).metadata
    best = next(line for line in metadata["history"] if line["epoch"] == metadata["best_epoch"])
    assert best["dev_mean_f1"] == max(line["dev_mean_f1"] for line in metadata["history"]) == 100.0
    assert {"loss", "dev_words_f1", "dev_sentences_f1", "dev_mean_f1"} <= metadata["history"][-1].keys()


@pytest.mark.slow
def test_a_resumed_run_ends_the_same(tmp_path, options, stopped_after):
    recipe = replace(with_overrides(SegmenterRecipe(), SMALL), epochs=3)

    def trained_in(folder, resume=False):
        run = Run(folder, resume)
        return train(TASK, recipe, TASK.source(recipe, options, run), run).answers.arrays

    whole = trained_in(tmp_path / "whole")
    with stopped_after(1):
        trained_in(tmp_path / "cut")
    for name, array in trained_in(tmp_path / "cut", resume=True).items():
        np.testing.assert_array_equal(array, whole[name], err_msg=name)


def test_fit_writes_a_preset_with_scores_and_removes_the_run(fitted, options):
    out, summary = fitted
    assert (summary["preset"], summary["epochs"]) == (str(out), 40)
    names = ("dev_words_f1", "dev_sentences_f1", "test_words_f1", "test_sentences_f1")
    assert [summary[name] for name in names] == [100.0] * 4
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["test_words_f1"]["n"] == 27
    assert metrics["test_words_f1"]["baseline"] == 100.0
    assert not out.with_name("mine.run").exists()
    words = Segmenter.from_preset(out).segment("Dogs bark. Birds sing.")
    assert [[word.text for word in one] for one in words] == [["Dogs", "bark", "."], ["Birds", "sing", "."]]
    arguments = [
        "tagger",
        "evaluate-segmenter",
        "--preset",
        str(out),
        "--file",
        str(options["test"]),
        "--json",
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"words_f1": 100.0, "sentences_f1": 100.0, "words": 27, "sentences": 9}


def test_fine_tuned_with_steps_of_no_size_it_is_the_same_network(tmp_path, fitted, options):
    # Whatever sizes the recipe names.
    overrides = [*SMALL, "epochs=1", "network.channels=4", "learning_rate=1e-9", "averaging=0"]
    fit_task(TASK, tmp_path / "tuned", options=options, overrides=overrides, start=fitted.out)
    before, after = Segmenter.from_preset(fitted.out), Segmenter.from_preset(tmp_path / "tuned")
    assert after.config.channels == 16
    for name, array in after.arrays.items():
        np.testing.assert_allclose(array, before.arrays[name], atol=1e-6, err_msg=name)


def test_scores_are_those_of_the_raw_text():
    gold = [sentence("Dogs", "bark", "."), sentence("Mr.", "Smith", "sleeps", ".")]
    scores = score_segmentation(segment_by_rules, gold)
    assert (scores.words.f1, scores.sentences.f1) == (100.0, 100.0)
    glued = score_segmentation(lambda text: [[w] for s in segment_by_rules(text) for w in s], gold)
    assert (glued.words.f1, glued.sentences.f1) == (100.0, 0.0)


@pytest.mark.usefixtures("in_a_fresh_process")
def test_command_line_trains(tmp_path):
    out = tmp_path / "mine"
    settings = [part for override in (*SMALL, "epochs=1", "batch=2048") for part in ("--set", override)]
    arguments = ["tagger", "fit-segmenter", "--sample", "--out", str(out), *settings, "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["preset"], summary["epochs"]) == (str(out), 1)
    segmenter = Segmenter.from_preset(out)
    assert segmenter.config.dilations == (1, 2)
    assert segmenter.evaluate is not None and segmenter.vocabulary is None
    assert segmenter.keras_model().name == "segmenter"


def test_command_line_names_what_is_wrong(tmp_path):
    arguments = ["tagger", "fit-segmenter", "--out", str(tmp_path / "x"), "--set", "epochs=none"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "Error: epochs does not fit" in done.stderr


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        fit_task(TASK, tmp_path, options={"sample": True})
