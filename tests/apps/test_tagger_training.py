"""From sentences to the preset of a tagger."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain
from pathlib import Path

import keras
import numpy as np
import pytest

from apps.tagger.application import DEFAULT_PRESET, Segmenter, Tagger
from apps.tagger.evaluation import accuracies, calibrated
from apps.tagger.recipes import RECIPES, PretrainingSettings, TaggerRecipe
from apps.tagger.sources import Treebank
from apps.tagger.task import TaggerTask, TrainingBatches, compiled_tagger, config_of, predictor_of
from apps.tagger.word_table import principal_components, word_table
from data_prep.batching import as_dataset
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.made_texts import made_sentences
from models.training.driver import Trained, fit_task, train
from models.training.recipe import from_dict, to_dict
from models.training.task import Run
from tests.models.contract import ready

TASK = TaggerTask()
SAMPLE = RECIPES["sample"]
DEV = made_sentences("dev")
TEXT = ["the old dog barks . a cat sleeps in the garden . Anna sees the dog . Omar finds a boat ."] * 40
PRETRAINED = replace(
    SAMPLE,
    neighbours=replace(SAMPLE.neighbours, min_count=1, contexts=5, dimensions=4),
    pretraining=PretrainingSettings(parts=2, steps=3, batch_words=60, targets=9, negatives=5, dimensions=8),
    epochs=2,
    units=(6,),
)


@pytest.fixture(autouse=True)
def presets(tiny_presets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", tiny_presets)


@pytest.fixture
def source(tmp_path: Path) -> Treebank:
    return TASK.source(SAMPLE, {"sample": True}, Run(tmp_path))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_presets: Path):
    """A tagger after six epochs on the made sentences."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.presets.search.PRESETS_DIR", tiny_presets)
        source = TASK.source(SAMPLE, {"sample": True}, Run(tmp_path_factory.mktemp("run")))
    config = config_of(SAMPLE, source)
    batches = TrainingBatches(source, config, SAMPLE)
    keras.utils.set_random_seed(1)
    model = compiled_tagger(replace(SAMPLE, averaging=0.0), config, source.table, 6 * len(batches))
    ready(model)
    model.fit(as_dataset(lambda: chain(*map(batches.epoch, range(6)))), verbose=0)
    return predictor_of(config, source.table, model)


def test_learns_the_made_sentences(trained) -> None:
    scores = accuracies(trained, DEV)
    assert scores["dev_upos"] > 90.0
    assert scores["dev_xpos"] > 80.0


def test_temperatures_lower_the_loss_on_dev(trained) -> None:
    fitted = calibrated(trained, DEV)

    def loss(predictor) -> float:
        tags = [word.upos for sentence in DEV for word in sentence.words]
        shares = predictor.predict([sentence.forms for sentence in DEV]).probabilities
        right = [predictor.upos.index(tag) for tag in tags]
        return -float(np.log(shares[np.arange(len(right)), right]).mean())

    assert loss(fitted) <= loss(trained)
    assert loss(fitted) < loss(trained.with_temperatures(2.9, 1.0))
    assert accuracies(fitted, DEV) == accuracies(trained, DEV)


def test_recipes_survive_json() -> None:
    for recipe in RECIPES.values():
        assert from_dict(TaggerRecipe, json.loads(json.dumps(to_dict(recipe)))) == recipe


def test_order_of_batches_is_that_of_seed_and_epoch(source: Treebank) -> None:
    config = config_of(SAMPLE, source)

    def first(seed: int, epoch: int) -> np.ndarray:
        inputs, tags = next(TrainingBatches(source, config, replace(SAMPLE, batch_size=8, seed=seed)).epoch(epoch))
        assert inputs["mask"].shape == tags["upos"].shape == tags["xpos"].shape
        np.testing.assert_array_equal(inputs["mask"], tags["upos"] >= 0)
        return inputs["words"]

    np.testing.assert_array_equal(first(1, 0), first(1, 0))
    assert not np.array_equal(first(1, 0), first(1, 1))


def test_sentences_are_read_with_typos_and_in_upper_case_as_often_as_asked_for(source: Treebank) -> None:
    config = config_of(SAMPLE, source)

    def read(typos: float, upper_case: float) -> list:
        batches = TrainingBatches(source, config, replace(SAMPLE, typos=typos, upper_case=upper_case))
        rng = np.random.default_rng(1)
        return [batches.read(at, rng) for at in range(len(source.train))]

    plain = TrainingBatches(source, config, SAMPLE)
    assert read(0.0, 0.0) == plain.words
    upper = [plain.inputs.encode(form.upper() for form in forms) for forms in plain.forms]
    assert read(0.0, 1.0) == upper
    worse = read(0.5, 0.0)
    assert worse == read(0.5, 0.0)
    assert list(map(len, worse)) == list(map(len, plain.words))
    assert 0.2 < np.mean([one != other for one, other in zip(worse, plain.words, strict=True)]) < 0.6


def test_word_table_puts_sources_side_by_side(tmp_path: Path) -> None:
    vectors = WordVectors(["dog", "zebra"], np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]))
    vectors.save(tmp_path / "v.npz")
    recipe = replace(SAMPLE, vectors=str(tmp_path / "v.npz"), vector_components=2)
    forms = (word.form for sentence in made_sentences("train") for word in sentence.words)
    table = word_table(recipe, {}, {}, tmp_path, forms)
    expected = principal_components(vectors, 2)
    np.testing.assert_array_equal(table.matrix[table.vocabulary.id("dog")], expected["dog"])
    np.testing.assert_array_equal(table.matrix[table.vocabulary.id("zebra")], expected["zebra"])
    assert not table.matrix[:2].any(), "neither padding nor the unknown word has a vector"
    assert table.vocabulary.id("dog") < table.trained_rows <= table.vocabulary.id("zebra")


def test_principal_components_keep_most() -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(40, 2)) @ rng.normal(size=(2, 6))
    vectors = WordVectors([f"w{row}" for row in range(40)], flat)
    turned = principal_components(vectors, 2)
    np.testing.assert_allclose(np.mean(turned.vectors**2), 1.0, rtol=1e-5)
    before, after = vectors.normalized @ vectors.normalized.T, turned.normalized @ turned.normalized.T
    np.testing.assert_allclose(before, after, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs does not fit"),
        ({"word_rows": 1}, "word_rows does not fit"),
        ({"averaging": 1.0}, "averaging does not fit"),
        ({"learning_rate": 0.0}, "learning_rate does not fit"),
        ({"warmup": -1}, "warmup does not fit"),
        ({"xpos_weight": -0.1}, "xpos_weight does not fit"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(change, message) -> None:
    with pytest.raises(InputError, match=message):
        replace(TaggerRecipe(), **change)


@pytest.mark.parametrize("settings", [{"steps": 0}, {"parts": -1}, {"learning_rate": 1.0}])
def test_wrong_settings_of_pretraining(settings) -> None:
    with pytest.raises(InputError, match="does not fit"):
        PretrainingSettings(**settings)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        fit_task(TASK, tmp_path, options={"sample": True})


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'unit' is unknown"):
        fit_task(TASK, tmp_path / "out", overrides=["unit=3"], options={"sample": True})


def pretrained_in(folder: Path, text: Path, resume: bool = False) -> Trained:
    run = Run(folder, resume)
    folder.mkdir(exist_ok=True)
    return train(TASK, PRETRAINED, TASK.source(PRETRAINED, {"sample": True, "text": (text,)}, run), run)


@pytest.mark.slow
def test_a_run_that_is_killed_in_both_stages_ends_the_same(tmp_path: Path, stopped_after) -> None:
    text = tmp_path / "text.txt"
    text.write_text("\n".join(TEXT), encoding="utf-8")
    whole = pretrained_in(tmp_path / "whole", text)
    assert [(line["stage"], line["epoch"]) for line in whole.history] == [
        *(("pretraining", 1), ("pretraining", 2), ("tagger", 1), ("tagger", 2))
    ]
    for epochs in (1, 2):  # of pretraining; then the other one of pretraining, and one of the tagger
        with stopped_after(epochs):
            pretrained_in(tmp_path / "cut", text, resume=epochs == 2)
    resumed = pretrained_in(tmp_path / "cut", text, resume=True)
    assert len(resumed.history) == 4 and resumed.answers.arrays.keys() == whole.answers.arrays.keys()
    for name, array in resumed.answers.arrays.items():
        np.testing.assert_array_equal(array, whole.answers.arrays[name], err_msg=name)
    assert resumed.answers.config == whole.answers.config
    assert list((tmp_path / "cut").glob("neighbours-*.npz"))


def test_fine_tuning_starts_from_the_words_and_weights_of_a_preset(
    tmp_path: Path, tiny_presets: Path, capsys: pytest.CaptureFixture
) -> None:
    start = tiny_presets / DEFAULT_PRESET
    overrides = ["epochs=1", "learning_rate=1e-9", "averaging=0", "units=7,7"]
    fit_task(TASK, tmp_path / "tuned", options={"sample": True}, overrides=overrides, start=start)
    before, after = Tagger.from_preset(start), Tagger.from_preset(tmp_path / "tuned")
    said = capsys.readouterr().err
    assert f"From {DEFAULT_PRESET}: {len(after.arrays)} of {len(after.arrays)} arrays taken over" in said
    assert (
        f"0 of {len(set(w.form for s in made_sentences('train') for w in s.words))} different words" in said
    )
    for name, array in after.arrays.items():
        np.testing.assert_allclose(array, before.arrays[name], atol=1e-3, err_msg=name)
    assert after.vocabulary.entries == before.vocabulary.entries
    card = (tmp_path / "tuned" / "README.md").read_text(encoding="utf-8")
    assert f"Fine-tuned from {DEFAULT_PRESET}, whose data were: {before.metadata['card']['data']}" in card
    assert after.metadata["kept_networks"]["seconds"] == before.metadata["seconds"]


@pytest.mark.parametrize(
    ("options", "start", "message"),
    [
        ({"vectors": "no-such-vectors"}, None, "no preset of this name"),
        ({"text": (Path("no-such-text"),)}, None, "no such file"),
        ({"dev": Path("dev.conllu")}, None, "need --treebank"),
        ({"vectors": "v.npz"}, DEFAULT_PRESET, "do not go with it"),
        ({}, "segmenter_en_ewt", "another kind"),
    ],
)
def test_what_cannot_be_had_leaves_nothing_behind(
    options: dict, start: str | None, message: str, tmp_path: Path
) -> None:
    data = {} if "dev" in options else {"sample": True}
    with pytest.raises(InputError, match=message):
        fit_task(TASK, tmp_path / "out", options={**data, **options}, start=start)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_sample_becomes_a_preset_that_tags(tmp_path: Path) -> None:
    summary = fit_task(TASK, tmp_path / "made", options={"sample": True})
    assert summary["upos"] > 95.0
    tagger = Tagger.from_preset(tmp_path / "made")
    assert tagger.predictor.xpos and isinstance(tagger.segmenter, Segmenter)
    (found,) = tagger.tag_tokens([["Anna", "can", "see", "the", "dog", "."]])
    assert [token.upos for token in found.tokens] == ["PROPN", "AUX", "VERB", "DET", "NOUN", "PUNCT"]
    assert tagger.evaluate().upos.percent == pytest.approx(tagger.metrics["upos"]["score"])
    assert not (tmp_path / "made.run").exists()
