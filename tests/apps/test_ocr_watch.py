"""What a network that reads shows while it trains: true numbers, an unchanged training, and a page that draws it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from apps.ocr.evaluation import error_rate, read_letters
from apps.ocr.recipes import RECIPES, SAMPLE_LETTERS, SAMPLE_WORDS
from apps.ocr.sources import OcrSource
from apps.ocr.task import OcrTask
from apps.ocr.watch import seer
from data_prep.errors import InputError
from models.ocr.letter_lm import fit_letter_lm
from models.ocr.network import build_ocr
from models.ocr.serving import LettersReader
from models.storage.variables import variable_arrays
from models.training.recipe import with_overrides
from models.training.task import Run
from models.training.watching import Seen
from tests.apps.ocr_presets import drawn_words
from tests.apps.watched_run import pictures_of, watched_and_not
from tests.models.ocr_arrays import TINY, TINY_WORDS, WORDS, with_language

TASK = OcrTask()
QUICK = ("epochs=1", "filters=4,4,4", "features=8", "units=4", "lm_order=2", "split=choose", "answer=crf")


@pytest.fixture(scope="module")
def source() -> OcrSource:
    found = drawn_words(120)
    return replace(found, texts=found.texts[:50])


def seen(reads: str, source: OcrSource, **watch: str) -> Seen:
    language = fit_letter_lm(WORDS, 3)
    config, _ = with_language(TINY if reads == "letters" else TINY_WORDS, language)
    see = seer(RECIPES[reads], config, language, source.fold(1), held_out=True)
    return see(build_ocr(config), watch)


def test_numbers_are_those_of_the_evaluation(source: OcrSource) -> None:
    words, model = source.fold(1), build_ocr(TINY)
    found = seer(RECIPES["letters"], TINY, None, words, held_out=True)(model, {})
    answers = read_letters(LettersReader(TINY, variable_arrays(model.weights)), words)
    assert found.picture["n"] == len(words.texts) == 12
    for way, texts in answers.items():
        expected = error_rate(texts, words.texts).character_error
        assert found.numbers[f"held_out_character_error_{way}"] == pytest.approx(expected)
    assert found.picture["answers"] == {way: texts[0] for way, texts in answers.items()}
    assert found.numbers["held_out_loss"] > 0
    np.testing.assert_allclose(found.picture["context"].sum(axis=1), 1.0)


@pytest.mark.parametrize("reads", ["letters", "words"])
def test_a_word_can_be_chosen(reads: str, source: OcrSource) -> None:
    texts = source.fold(1).texts
    assert seen(reads, source).picture["text"] == texts[0]
    assert seen(reads, source, word="#3").picture["text"] == texts[3]
    assert seen(reads, source, word=texts[5]).picture["text"] == texts[5]
    with pytest.raises(InputError, match=r"no such word to look at.*or #0 to #11\. Received: '#12'"):
        seen(reads, source, word="#12")


@pytest.mark.slow
@pytest.mark.parametrize("reads", ["letters", "words"])
def test_looking_changes_no_bit(
    reads: str, source: OcrSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = SAMPLE_LETTERS if reads == "letters" else (*SAMPLE_WORDS, "epoch_words=48")
    quick = QUICK if reads == "letters" else QUICK[:-1]
    recipe = with_overrides(RECIPES[reads], [*small, *quick])
    seen, unseen, story = watched_and_not(TASK, recipe, source, tmp_path, {}, monkeypatch)
    for name, array in unseen.arrays.items():
        np.testing.assert_array_equal(seen.arrays[name], array, err_msg=name)
    curve = story.curves["watch", "held_out_loss"]
    assert curve.steps[0] == 0 and len(curve.values) > 2 and curve.values[-1] < curve.values[0]
    assert story.unit == "words" and story.examples == (96 if reads == "letters" else 48)
    assert len(pictures_of(tmp_path)) == len(curve.values)


def test_what_is_learned_from_is_not_called_held_out(source: OcrSource, tmp_path: Path) -> None:
    recipe = with_overrides(RECIPES["letters"], [*SAMPLE_LETTERS, *QUICK, "split=final"])
    stage = next(TASK.stages(recipe, source, Run(tmp_path)))
    numbers = stage.see(stage.network(), {}).numbers
    assert numbers and all(name.startswith("training_sample_") for name in numbers)


def test_the_recipe_to_look_at_reads_letters(tmp_path: Path) -> None:
    assert TASK.recipe("lab", {"letters": tmp_path}, []).split == "choose"
    with pytest.raises(InputError, match="does not suit"):
        TASK.recipe("lab", {"words": tmp_path}, [])


@pytest.mark.parametrize("reads", ["letters", "words"])
def test_the_page_draws_a_picture(reads: str, source: OcrSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.ocr.sources.sample_source", lambda seed: source)

    def script(reads: str) -> None:
        from apps.ocr.page_watch import show
        from apps.ocr.recipes import RECIPES
        from apps.ocr.sources import sample_source
        from apps.ocr.watch import seer
        from models.ocr.network import build_ocr
        from models.training.watching import _packed, unpacked
        from tests.models.ocr_arrays import TINY, TINY_WORDS

        config = TINY if reads == "letters" else TINY_WORDS
        see = seer(RECIPES[reads], config, None, sample_source(1).fold(1), held_out=True)
        show(unpacked(_packed(see(build_ocr(config), {"word": "#2"}).picture)), "a run")

    app = AppTest.from_function(script, kwargs={"reads": reads}).run(timeout=60)
    assert not app.exception
    assert "held out of training" in app.caption[0].value
    drawn = " ".join(html.body for html in app.get("html"))
    assert "How it is read now" in drawn and ("BiLSTM" if reads == "letters" else "CTC") in drawn
    assert len(app.get("plotly_chart")) == (2 if reads == "letters" else 1)
