"""From sentences to the preset of a tagger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps.tagger.scores import accuracies, calibrated
from apps.tagger.task import (
    SAMPLE_RECIPE,
    TaggerRecipe,
    TrainingBatches,
    compile_tagger,
    config_of,
    fit_tagger,
    new_tagger,
    predictor_of,
)
from apps.tagger.word_table import principal_components, word_table
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.made_texts import made_sentences

TRAIN, DEV = made_sentences("train"), made_sentences("dev")


def forms():
    return (word.form for sentence in TRAIN for word in sentence.words)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tagger after six epochs on the made sentences."""
    table = word_table(SAMPLE_RECIPE, tmp_path_factory.mktemp("run"), forms())
    config = config_of(SAMPLE_RECIPE, table, TRAIN)
    batches = TrainingBatches(TRAIN, config, table.vocabulary, 32, 1)
    recipe = replace(SAMPLE_RECIPE, averaging=0.0)
    model = new_tagger(recipe, config, table)
    compile_tagger(model, recipe, config, 6 * len(batches))
    for epoch in range(6):
        for inputs, tags in batches.epoch(epoch):
            model.train_on_batch(inputs, tags)
    return predictor_of(config, table.vocabulary, model)


def test_learns_the_made_sentences(trained) -> None:
    scores = accuracies(trained, DEV)
    assert scores["dev_upos"] > 90.0
    assert scores["dev_xpos"] > 80.0


def test_temperatures_lower_the_loss_on_dev(trained) -> None:
    fitted = calibrated(trained, DEV)

    def loss(predictor) -> float:
        tags = [word.upos for sentence in DEV for word in sentence.words]
        shares = np.concatenate([p.upos_probabilities for p in predictor.predict([s.forms for s in DEV])])
        right = [predictor.upos.index(tag) for tag in tags]
        return -float(np.log(shares[np.arange(len(right)), right]).mean())

    assert loss(fitted) <= loss(trained)
    assert loss(fitted) < loss(trained.with_temperatures(2.9, 1.0))
    assert accuracies(fitted, DEV) == accuracies(trained, DEV)


def test_order_of_batches_is_that_of_seed_and_epoch(tmp_path) -> None:
    table = word_table(SAMPLE_RECIPE, tmp_path, forms())
    config = config_of(SAMPLE_RECIPE, table, TRAIN)

    def first(seed: int, epoch: int) -> np.ndarray:
        inputs, tags = next(TrainingBatches(TRAIN, config, table.vocabulary, 8, seed).epoch(epoch))
        assert inputs["mask"].shape == tags["upos"].shape == tags["xpos"].shape
        np.testing.assert_array_equal(inputs["mask"], tags["upos"] >= 0)
        return inputs["words"]

    np.testing.assert_array_equal(first(1, 0), first(1, 0))
    assert not np.array_equal(first(1, 0), first(1, 1))


def test_word_table_puts_sources_side_by_side(tmp_path) -> None:
    vectors = WordVectors(["dog", "zebra"], np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]))
    vectors.save(tmp_path / "v.npz")
    recipe = replace(SAMPLE_RECIPE, vectors=str(tmp_path / "v.npz"), vector_components=2)
    table = word_table(recipe, tmp_path, forms())
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
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"averaging": 1.0}, "averaging must be from 0 to below 1"),
        ({"learning_rate": 0.0}, "learning_rate must lie"),
        ({"warmup": -1}, "are not negative"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(change, message) -> None:
    with pytest.raises(InputError, match=message):
        replace(TaggerRecipe(), **change)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        fit_tagger(tmp_path, sample=True)


def test_unknown_settings_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="'unit' is unknown"):
        fit_tagger(tmp_path / "out", ["unit=3"], sample=True)


@pytest.mark.slow
def test_sample_becomes_a_preset_that_tags(tmp_path: Path) -> None:
    from models.pos_tagger.predictor import load_tagger

    summary = fit_tagger(tmp_path / "made", sample=True)
    assert summary["upos"] > 95.0
    tagger = load_tagger(tmp_path / "made")
    (found,) = tagger.predict([["Anna", "can", "see", "the", "dog", "."]])
    assert [tagger.upos[tag] for tag in found.upos] == ["PROPN", "AUX", "VERB", "DET", "NOUN", "PUNCT"]
    assert not (tmp_path / "made.run").exists()
