from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from apps.__main__ import app
from apps.ocr.evaluation import (
    OcrEvaluation,
    error_rate,
    metrics_of,
    read_letters,
    read_words,
    reliability_of,
    score,
)
from apps.ocr.recipes import RECIPES, SAMPLE_LETTERS, LettersRecipe, WordsRecipe, config_of
from apps.ocr.sources import OcrSource, frequent_words, sample_source
from apps.ocr.task import OcrTask, language_of
from data_prep.errors import InputError
from data_prep.images.letter_words import PLAIN, compose_word
from models.ocr.letter_lm import fit_letter_lm
from models.ocr.serving import LettersReader, WordsReader
from models.presets.card import check_metrics
from models.presets.store import load_preset
from models.training.driver import fit_task, train
from models.training.recipe import from_dict, to_dict, with_overrides
from models.training.task import Run
from tests.apps.ocr_presets import drawn_words
from tests.models.ocr_arrays import TINY, TINY_WORDS, random_arrays, with_language

TASK = OcrTask()
QUICK = ("epochs=1", "filters=4,4,4", "features=8", "units=4", "lm_order=2")


def ocr(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(app, ["ocr", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


def settings(values: Iterable[str]) -> list[str]:
    return [part for value in values for part in ("--set", value)]


@pytest.fixture(scope="module")
def source() -> OcrSource:
    return sample_source(1)


def readers() -> dict[str, LettersReader | WordsReader]:
    found = {}
    for config, kind in ((TINY, LettersReader), (TINY_WORDS, WordsReader)):
        config, language = with_language(config, fit_letter_lm(["hello", "help", "word"], 3))
        found[config.reads] = kind(config, {**random_arrays(config), **language})
    return found


def test_edits_are_counted() -> None:
    """Wrong, missing and surplus letters count one each."""
    assert error_rate(["kitten"], ["sitting"]).character_error == pytest.approx(100 * 3 / 7)
    assert error_rate([""], ["abc"]).character_error == 100.0
    assert error_rate(["abc"], ["a"]).character_error == 200.0
    assert error_rate(["same"], ["same"]).character_error == 0.0


def test_errors_by_letter_and_by_word() -> None:
    rate = error_rate(["cat", "bot", "a"], ["cat", "boat", "b"])
    assert rate.character_error == pytest.approx(100 * 2 / 8)
    assert rate.word_error == pytest.approx(200 / 3) and rate.n == 8 and rate.words == 3
    assert error_rate(["ab"] * 4, ["ab"] * 4).standard_error == 0.0 < rate.standard_error


def test_an_answer_for_each_word_is_needed() -> None:
    with pytest.raises(InputError, match="one answer for each word"):
        error_rate(["a"], ["a", "b"])


def test_the_sample_is_drawn_by_rules(source: OcrSource) -> None:
    assert len(source.words.folds) == 600 and set(source.words.folds.tolist()) == set(range(10))
    assert not set(source.words.texts) & set(source.texts)
    assert sum(len(source.fold(fold).folds) for fold in range(10)) == 600
    assert set(source.learned("choose").folds.tolist()) == set(range(2, 10))
    assert set(source.learned("final").folds.tolist()) == set(range(1, 10))
    assert set(source.scored("choose").folds.tolist()) == {1}
    np.testing.assert_array_equal(*(drawn_words(20).words.images for _ in range(2)))


def test_words_of_the_set_are_left_out() -> None:
    everything, _ = frequent_words(())
    without, checksum = frequent_words({"ommanding", "the"})
    assert set(everything) - set(without) == {"commanding", "the"} and checksum.startswith("sha256 ")


def test_every_way_gives_one_answer_a_word(source: OcrSource) -> None:
    words, both = source.fold(0), readers()
    found = read_letters(both["letters"], words)
    assert set(found) == {"alone", "bilstm", "crf", "alone_search", "search"}
    for answers in found.values():
        assert [len(answer) for answer in answers] == words.lengths.tolist()
    named = read_letters(both["letters"], words, {"lm": both["letters"].language})
    assert set(named) == {"alone", "bilstm", "crf", "alone_lm", "lm"}
    few = words.part(np.arange(4))
    images = read_words(both["words"], few, PLAIN)
    assert set(images) == {"greedy", "beam", "words", "sizes"} and all(
        len(answers) == 4 for answers in images.values()
    )


@pytest.mark.parametrize("reads", ["letters", "words"])
def test_metrics_are_those_of_a_preset(reads: str, source: OcrSource) -> None:
    recipe = RECIPES[reads]
    errors = score(readers()[reads], source.fold(0).part(np.arange(3)), recipe)
    bins = reliability_of(readers()[reads], source.fold(0).part(np.arange(3)), recipe)
    metrics = metrics_of(errors, bins, recipe, source)
    wrong, n = sum(round(one.n * (1 - one.accuracy)) for one in bins if one.n), sum(one.n for one in bins)
    answer = errors[readers()[reads].config.answer if reads == "letters" else "words"]
    assert wrong <= round(answer.character_error * answer.n / 100) and metrics["calibration_error"]["n"] == n
    check_metrics(metrics)
    if reads == "letters":
        assert metrics["context"]["score"] == errors["search"].character_error
        assert metrics["alone"]["protocol"].startswith("character error, each letter alone")
        assert n == answer.n
    assert (
        "fold 1"
        in metrics_of(errors, bins, replace(recipe, split="choose"), source)[next(iter(errors))]["protocol"]
    )


def test_recipes_survive_json_and_decide_the_config() -> None:
    for reads, recipe in RECIPES.items():
        assert from_dict(type(recipe), json.loads(json.dumps(to_dict(recipe)))) == recipe
        language = language_of(
            with_overrides(recipe, OcrTask().sample_changes(recipe)), ["hello", "help", "held"]
        )
        config = config_of(recipe, language)
        assert config.reads == reads and len(config.lm_grams) == 4
        assert config.filters == recipe.filters and config.lm_weight == recipe.lm_weight
    assert config_of(replace(RECIPES["words"], lm_order=0), None).lm_grams == ()
    changed = with_overrides(LettersRecipe(), ["augmentation.movement.shift=1.5", "other_words=0.1"])
    assert changed.augmentation.movement.shift == 1.5 and changed.other_words == 0.1


@pytest.mark.parametrize(
    ("recipe", "values", "message"),
    [
        (LettersRecipe, {"epochs": 0}, "epochs does not fit"),
        (LettersRecipe, {"learning_rate": 0.0}, "learning_rate does not fit"),
        (LettersRecipe, {"warmup": 0.7}, "warmup does not fit"),
        (LettersRecipe, {"weight_decay": -1.0}, "weight_decay does not fit"),
        (LettersRecipe, {"lm_order": 7}, "lm_order does not fit"),
        (LettersRecipe, {"other_words": 1.5}, "other_words does not fit"),
        (LettersRecipe, {"lm_order": 0}, "needs a language model"),
        (LettersRecipe, {"passes": 0}, "passes does not fit"),
        (WordsRecipe, {"epoch_words": 0}, "epoch_words does not fit"),
        (WordsRecipe, {"batch_size": 0}, "batch_size does not fit"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(recipe: type, values: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        recipe(**values)


def test_an_evaluation_prints_what_was_asked_for() -> None:
    rate = error_rate(["cat", "bot"], ["cat", "boat"])
    found = OcrEvaluation({"alone": rate, "search": rate, "context": rate}, {"greedy": rate, "words": rate})
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["letters"]["alone"] == plain["letters"]["context"] == plain["words"]
    assert plain["words"]["n"] == 7 and plain["words"]["character_error"] == pytest.approx(100 / 7)
    assert len(found.table_rows()) == 5


def test_an_unknown_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such recipe"):
        fit_task(TASK, tmp_path / "out", recipe="lines", options={"sample": True})
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.usefixtures("in_a_fresh_process")
def test_the_sample_is_trained_evaluated_and_read(tmp_path: Path, source: OcrSource) -> None:
    presets = {reads: tmp_path / reads for reads in RECIPES}
    for reads, out in presets.items():
        quick = [*QUICK, "epoch_words=64"] if reads == "words" else QUICK
        done = ocr("fit", "--out", out, "--recipe", reads, "--sample", "--json", *settings(quick))
        summary = json.loads(done.stdout.splitlines()[-1])
        assert summary["reads"] == reads and summary["epochs"] == 1
        assert not (tmp_path / f"{reads}.run").exists()
        assert load_preset(out, kind="ocr").metadata["learned_letters"] > 1_000
    options = ["--letters-preset", presets["letters"], "--words-preset", presets["words"]]
    found = json.loads(ocr("evaluate", "--json", *options).stdout)
    letters = int(source.fold(0).lengths.sum())
    assert (
        found["letters"]["alone"]["n"] == found["letters"]["context"]["n"] == found["words"]["n"] == letters
    )
    word = source.fold(0).part(np.arange(1))
    image = compose_word(word.images, word.labels)[..., 0]
    path = tmp_path / "word.png"
    Image.fromarray((255 * (1 - image)).astype(np.uint8)).resize((image.shape[1] * 4, 64)).save(path)
    answer = json.loads(ocr("read", path, "--json", "--preset", presets["words"]).stdout)
    assert {"text", "probabilities", "alternatives"} <= set(answer)
    assert len(answer["probabilities"]) == len(answer["text"])


@pytest.mark.slow
def test_a_stopped_training_ends_as_an_undisturbed_one(
    tmp_path: Path, source: OcrSource, stopped_after
) -> None:
    recipe = with_overrides(RECIPES["letters"], [*SAMPLE_LETTERS, *QUICK, "epochs=2"])
    few = replace(source, words=source.words.part(np.arange(40)), texts=source.texts[:50])
    whole = train(TASK, recipe, few, Run(tmp_path / "whole"))
    with stopped_after(1):
        train(TASK, recipe, few, Run(tmp_path / "half"))
    again = train(TASK, recipe, few, Run(tmp_path / "half", resume=True))
    for name, array in whole.answers.arrays.items():
        np.testing.assert_array_equal(array, again.answers.arrays[name], err_msg=name)


@pytest.mark.slow
def test_choosing_scores_another_fold_after_every_epoch(tmp_path: Path, source: OcrSource) -> None:
    recipe = with_overrides(RECIPES["letters"], [*SAMPLE_LETTERS, *QUICK, "split=choose", "answer=crf"])
    few = replace(source, words=source.words.part(np.arange(60)), texts=source.texts[:50])
    trained = train(TASK, recipe, few, Run(tmp_path / "run"))
    (line,) = trained.history
    fold = few.scored("choose")
    found = score(trained.answers.reader, fold, recipe)
    assert set(fold.folds.tolist()) == {1}
    assert {f"validation_{way}": rate.character_error for way, rate in found.items()}.items() <= line.items()
