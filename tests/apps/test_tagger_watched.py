"""What taggers and segmenters show while they train, and that looking changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from apps.tagger.application import SEGMENTER_PRESET, Segmenter
from apps.tagger.evaluation import accuracies
from apps.tagger.recipes import RECIPES
from apps.tagger.segmenter_task import SegmenterTask
from apps.tagger.task import TaggerTask, compiled_tagger, config_of, predictor_of
from apps.tagger.watch import MOST_CHARACTERS, SENTENCES, WATCHED, segmenter_seer, some_of, tagger_seer
from data_prep.batching import pad
from data_prep.text.made_texts import made_sentences
from data_prep.text.tag_inputs import TagInputs, batch_inputs
from models.storage.variables import assign_arrays
from models.training.driver import train
from models.training.task import Run
from models.training.watching import Looks, picture_steps, read_picture
from tests.apps.conftest import save_segmenter
from tests.apps.watched_run import drawn_picture

TASK = TaggerTask()
RECIPE = replace(
    RECIPES["sample"], epochs=1, averaging=0.0, output="crf", directions="forward", word_dropout=0.2
)
DEV = made_sentences("dev")
TEXT = "Anna walks. The old dog runs in Dublin !"


@pytest.fixture(autouse=True, scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("presets")
    save_segmenter(folder / SEGMENTER_PRESET)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.presets.search.PRESETS_DIR", folder)
        yield


def trained(folder: Path, watch: dict[str, str] | None) -> Any:
    run = Run(folder, watch=watch)
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Looks, "due", lambda self, seconds: True)
        return train(TASK, RECIPE, TASK.source(RECIPE, {"sample": True}, run), run)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A training that is looked at after every step."""
    folder = tmp_path_factory.mktemp("watched") / "run"
    found = trained(folder, {"sentence": TEXT})
    lines = map(json.loads, (folder / "events.jsonl").read_text().splitlines())
    looks = [line for line in lines if line["event"] == "watch"]
    source = TASK.source(RECIPE, {"sample": True}, Run(folder))
    model = compiled_tagger(RECIPE, config_of(RECIPE, source), source.table, 1)
    assign_arrays(model.weights, found.answers.arrays)
    return SimpleNamespace(
        folder=folder, answers=found.answers, history=found.history, looks=looks, source=source, model=model
    )


@pytest.mark.slow
def test_looking_changes_no_bit_of_the_training(watched: SimpleNamespace, tmp_path: Path) -> None:
    alone = trained(tmp_path / "alone", None)
    assert len(watched.looks) == 14 and not (tmp_path / "alone" / "pictures").exists()
    for name, array in alone.answers.arrays.items():
        np.testing.assert_array_equal(array, watched.answers.arrays[name], err_msg=name)


def test_numbers_are_those_of_the_network_on_what_it_does_not_learn_from(watched: SimpleNamespace) -> None:
    first, last = watched.looks[0]["numbers"], watched.looks[-1]["numbers"]
    assert last["held_out_loss"] < first["held_out_loss"]
    config, table = config_of(RECIPE, watched.source), watched.source.table
    right = accuracies(predictor_of(config, table, watched.model), DEV)
    assert last["held_out_accuracy"] == pytest.approx(right["dev_upos"], abs=0.6)  # that of 16-bit weights
    assert last["held_out_xpos_accuracy"] == pytest.approx(right["dev_xpos"], abs=0.6)
    inputs = TagInputs(table.vocabulary, config.word_rows, config.alphabet)
    tags = {
        name: pad([[getattr(config, name).index(getattr(word, name)) for word in one.words] for one in DEV], value=-1)
        for name in ("upos", "xpos")
    }  # fmt: skip
    loss = watched.model.evaluate(
        batch_inputs([inputs.encode(one.forms) for one in DEV]),
        {name: one.values for name, one in tags.items()},
        batch_size=len(DEV), verbose=0, return_dict=True,
    )["loss"]  # fmt: skip
    assert last["held_out_loss"] == pytest.approx(loss, rel=1e-3)


def test_the_picture_is_the_answer_of_the_network_of_that_moment(watched: SimpleNamespace) -> None:
    steps = picture_steps(watched.folder)
    assert steps == list(range(14))
    pictures = [read_picture(watched.folder, one)["picture"] for one in steps]
    last, tagged = pictures[-1], watched.answers.tag(TEXT).tokens
    assert [text for text, *_ in last["words"]] == [token.text for token in tagged]
    assert [tags[0] for tags in last["tags"]] == [token.upos for token in tagged]
    assert last["shares"].shape == (len(tagged), 4) and (np.diff(last["shares"][:, 1:]) <= 0).all()
    assert np.abs(last["transitions"]).max() > 0 == np.abs(pictures[0]["transitions"]).max()
    for before, after in pairwise(pictures):
        marked = [
            was if was != now else ""
            for (was, *_), (now, *_) in zip(before["tags"], after["tags"], strict=True)
        ]
        assert after["before"] == marked
    assert any(map(any, (one["before"] for one in pictures)))
    assert all(len(path.read_bytes()) < 8_000 for path in (watched.folder / "pictures").iterdir())


def test_who_reads_left_to_right_does_not_know_what_follows(watched: SimpleNamespace) -> None:
    arrays = watched.answers.arrays
    ways = {
        way: [array.any() for name, array in arrays.items() if name.startswith(way)]
        for way in ("forward", "backward")
    }
    assert all(ways["forward"]) and len(ways["backward"]) == 3 and not any(ways["backward"])
    words = ["the", "old", "dog", "runs"]
    logits = watched.answers.predictor.logits
    np.testing.assert_allclose(logits([words]).upos, logits([[*words, "7", "."]]).upos[:4], atol=1e-5)


def seen(watched: SimpleNamespace, dev: list, text: str):
    config, table = config_of(RECIPE, watched.source), watched.source.table
    look = tagger_seer(config, table.vocabulary, dev, Segmenter.from_preset(), 1.0)
    return look(watched.model, {"sentence": text})


@pytest.mark.parametrize("text", ["", " \n "])
def test_no_text_of_ones_own_is_that_of_the_task(watched: SimpleNamespace, text: str) -> None:
    assert seen(watched, DEV, text).picture["text"] == WATCHED["sentence"]


def test_a_text_that_is_too_long_is_cut_and_odd_treebanks_do(watched: SimpleNamespace) -> None:
    found = seen(watched, [], "dogs run " * 1000)
    assert len(found.picture["text"]) == MOST_CHARACTERS and found.numbers == {}
    strange = [replace(DEV[0], words=tuple(replace(word, xpos="?") for word in DEV[0].words))]
    assert seen(watched, strange, "x").numbers == {}
    assert some_of(range(1000), SENTENCES)[::199] == [0, 999] and some_of([1, 2], 5) == [1, 2]


def test_a_segmenter_shows_where_it_cuts() -> None:
    from apps.tagger.segmenter_task import _compiled

    recipe = RECIPES["sample"].segmenter
    model = _compiled(recipe, recipe.network, 1)
    found = segmenter_seer(recipe.network, DEV)(model, {"sentence": TEXT})
    assert 0 <= found.numbers["held_out_words_f1"] <= 100 and found.picture["sample"][0] == len(DEV)
    spans = [span for sentence in found.picture["cut"] for span in sentence]
    assert "".join(TEXT[start:end] for start, end in spans) == TEXT.replace(" ", "")
    assert SegmenterTask.watched.keys() == TaggerTask.watched.keys()
    drawn = drawn_picture("tagger", found.picture)
    assert 'class="ribbons cut"' in drawn.get("html")[0].proto.body


def test_a_picture_is_drawn_with_what_has_changed(watched: SimpleNamespace) -> None:
    pictures = [read_picture(watched.folder, one)["picture"] for one in picture_steps(watched.folder)]
    chosen = next(one for one in pictures if any(one["before"]))
    app = drawn_picture("tagger", chosen)
    body = app.get("html")[0].proto.body
    count = sum(map(bool, chosen["before"]))
    assert body.count('class="word') == len(chosen["words"]) and body.count(" changed") >= count
    assert body.count("at the look before") == count
    assert "80 sentences" in app.caption[0].value and len(app.get("plotly_chart")) == 1


@pytest.mark.slow
def test_the_recipe_for_the_laboratory_learns_the_sample(tmp_path: Path) -> None:
    recipe = TASK.recipe("lab", {"sample": True}, ["vectors=none", "epochs=8"])  # there are no vectors here
    run = Run(tmp_path, watch={})
    found = train(TASK, recipe, TASK.source(recipe, {"sample": True}, run), run)
    assert recipe.averaging == 0.9 and found.history[-1]["dev_upos"] > 90.0
