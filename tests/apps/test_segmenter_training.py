from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from apps.__main__ import app
from apps.tagger import segmenter_task as segmenter_training
from apps.tagger.segmenter_task import SegmenterRecipe, fit_segmenter, score_segmentation, train_segmenter
from data_prep.errors import InputError
from data_prep.readers import conllu
from data_prep.readers.conllu import Word, plain_sentence
from data_prep.text.segmentation_rules import segment_by_rules
from models.segmenter.serving import load_segmenter
from models.training.recipe import from_dict, to_dict, with_overrides

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
        words.append(Word(form, "X", "X", len(text), len(text) + len(form)))
        text += form
    return plain_sentence(text, words)


def treebank():
    animals, verbs = ("Dogs", "Cats", "Birds"), ("bark", "sleep", "sing")
    return [sentence(animal, verb, ".") for animal in animals for verb in verbs]


@pytest.fixture
def tiny_treebank(monkeypatch):
    monkeypatch.setattr(conllu, "read_ewt", lambda part: treebank())


@pytest.fixture
def no_files(monkeypatch, tmp_path):
    import data_prep.datasets

    file = tmp_path / "train.conllu"
    file.write_text("made up")
    monkeypatch.setattr(data_prep.datasets, "locate_files", lambda name: {"train": file})


def test_recipe_survives_json():
    recipe = with_overrides(SegmenterRecipe(), SMALL)
    assert from_dict(SegmenterRecipe, json.loads(json.dumps(to_dict(recipe)))) == recipe
    assert recipe.network.dilations == (1, 2)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("epochs=0", "epochs must be at least 1"),
        ("learning_rate=2", "lie between 0 and 1"),
        ("network.kernel=2", "odd kernel"),
        ("variations.lower=3", "lower does not fit"),
        ("epoch=3", "Did you mean 'epochs'"),
    ],
)
def test_wrong_overrides_are_refused(override, message):
    with pytest.raises(InputError, match=message):
        with_overrides(SegmenterRecipe(), [override])


def test_training_learns_and_chooses_by_dev(tmp_path):
    recipe = with_overrides(SegmenterRecipe(), SMALL)
    model, result = train_segmenter(recipe, treebank(), treebank(), tmp_path / "run")
    segmenter = segmenter_training.segmenter_of(model, recipe)
    scores = score_segmentation(segmenter.segment, treebank())
    assert scores.words.f1 == scores.sentences.f1 == 100.0
    assert result.best_value == 100.0
    assert {"loss", "dev_words_f1", "dev_sentences_f1", "dev_mean_f1"} <= result.history[-1].keys()


def test_fit_writes_a_preset_with_scores_and_removes_the_run(tmp_path, tiny_treebank, no_files):
    out = tmp_path / "mine"
    summary = fit_segmenter(out, SMALL)
    assert (summary["preset"], summary["epochs"]) == (str(out), 40)
    names = ("dev_words_f1", "dev_sentences_f1", "test_words_f1", "test_sentences_f1")
    assert [summary[name] for name in names] == [100.0] * 4
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["test_words_f1"]["n"] == 27
    assert metrics["test_words_f1"]["baseline"] == 100.0
    assert not (tmp_path / "mine.run").exists()
    words = load_segmenter(out).segment("Dogs bark. Birds sing.")
    assert [[word.text for word in one] for one in words] == [["Dogs", "bark", "."], ["Birds", "sing", "."]]


def test_scores_are_those_of_the_raw_text():
    gold = [sentence("Dogs", "bark", "."), sentence("Mr.", "Smith", "sleeps", ".")]
    scores = score_segmentation(segment_by_rules, gold)
    assert (scores.words.f1, scores.sentences.f1) == (100.0, 100.0)
    glued = score_segmentation(lambda text: [[w] for s in segment_by_rules(text) for w in s], gold)
    assert (glued.words.f1, glued.sentences.f1) == (100.0, 0.0)


def test_command_line_trains(tmp_path, tiny_treebank, no_files):
    out = tmp_path / "mine"
    settings = [part for override in (*SMALL, "epochs=1") for part in ("--set", override)]
    done = CliRunner().invoke(app, ["tagger", "fit-segmenter", "--out", str(out), *settings, "--json"])
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["preset"], summary["epochs"]) == (str(out), 1)
    assert load_segmenter(out).config.dilations == (1, 2)


def test_command_line_names_what_is_wrong(tmp_path):
    arguments = ["tagger", "fit-segmenter", "--out", str(tmp_path / "x"), "--set", "epochs=none"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "Error: " in done.stderr and "'epochs'" in done.stderr


def test_a_folder_that_holds_something_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        fit_segmenter(tmp_path)
