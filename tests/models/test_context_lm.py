"""What the tagger's first layer learns from raw text."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from scipy.special import logsumexp

from apps.tagger.recipes import RECIPES, PretrainingSettings
from apps.tagger.task import pretraining_stage
from data_prep.errors import InputError
from data_prep.text.context_batches import ContextBatches, few_shapes
from data_prep.text.embeddings import quantise
from data_prep.text.raw_forms import numbered_forms
from data_prep.text.segmentation_rules import segment_by_rules
from data_prep.text.tag_inputs import TagInputs, alphabet_of, batch_inputs, tagger_vocabulary
from models.pos_tagger.context_lm import LAYERS, SampledSoftmax, build_context_lm, take_over
from models.pos_tagger.network import PosTaggerConfig, build_pos_tagger
from models.training.fit import fit
from models.training.task import Run, Stage

TEXTS = ["the dog barks . a cat sleeps . the dog sleeps . a cat barks ."] * 30
_, FORMS = numbered_forms(TEXTS)
VOCABULARY, ROWS, TRAINED = tagger_vocabulary(FORMS * 2, [], 50)
CONFIG = PosTaggerConfig(
    word_rows=ROWS,
    trained_rows=TRAINED,
    alphabet=alphabet_of(FORMS, 1),
    upos=("NOUN", "VERB"),
    xpos=("NN", "VB"),
    vector_dimensions=3,
    trained_dimensions=8,
    character_units=4,
    units=(12, 6),
)
MATRIX = np.random.default_rng(2).normal(size=(ROWS, CONFIG.vector_dimensions)).astype(np.float32)
SETTINGS = PretrainingSettings(
    parts=3, steps=30, batch_words=40, targets=9, negatives=6, dimensions=8, dropout=0.0, learning_rate=0.01
)


def stage(seed: int = 1, **settings: int) -> Stage:
    recipe = replace(RECIPES["sample"], pretraining=replace(SETTINGS, **settings), seed=seed)
    words = ["the", "dog", "barks", "."]
    source = SimpleNamespace(
        texts={"made": lambda: iter(TEXTS)},
        table=SimpleNamespace(matrix=MATRIX),
        checksums={},
        dev=[SimpleNamespace(forms=words, words=words)],
    )
    inputs = TagInputs(VOCABULARY, ROWS, CONFIG.alphabet)
    return pretraining_stage(recipe, source, CONFIG, inputs, SimpleNamespace(segment=segment_by_rules))


def test_the_loss_is_that_of_the_drawn_words() -> None:
    rng = np.random.default_rng(0)
    layer = SampledSoftmax(6, 3)
    layer.build()
    vectors, biases, expected = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=6)
    for weight, value in zip(layer.weights, (vectors, biases, expected), strict=True):
        weight.assign(value)
    ahead, back = rng.normal(size=(2, 1, 3, 3)).astype(np.float32)
    targets, negatives = np.array([[4, 0, 2]], np.int32), np.array([2, 5], np.int32)
    losses = []
    for states, wanted in ((ahead[0, :-1], (0, 2)), (back[0, 1:], (4, 0))):
        for state, own in zip(states, wanted, strict=True):
            scores = vectors @ state + biases - expected
            rivals = [own, *(drawn for drawn in negatives if drawn != own)]
            losses.append(logsumexp(scores[rivals]) - scores[own])
    found = float(layer(ahead, back, targets, negatives))
    assert found == pytest.approx(np.mean(losses), rel=1e-5)


def new_tagger() -> keras.Model:
    keras.utils.set_random_seed(3)
    return build_pos_tagger(CONFIG)


def test_learns_the_order_of_words_and_hands_the_layers_over(tmp_path: Path) -> None:
    tagger = new_tagger()
    before = {layer.name: layer.get_weights() for layer in tagger.layers}
    model, reached = fit(stage(), Run(tmp_path / "run"))
    frozen = model.get_layer("frozen_vectors")
    np.testing.assert_array_equal(frozen.codes, quantise(MATRIX)[0])
    take_over(model, tagger)
    changed = {
        name
        for name, weights in before.items()
        for old, new in zip(weights, tagger.get_layer(name).get_weights(), strict=True)
        if not np.array_equal(old, new)
    }
    assert changed == set(LAYERS)
    losses = [line["loss"] for line in reached.history]
    assert losses[0] > losses[-1]
    assert losses[-1] < 0.75  # dog or cat, barks or sleeps: log 2 where there is a choice, 0 elsewhere
    seen = stage().see(model, {"sentence": "The dog sleeps ."})
    assert seen.picture["forms"] == ["The", "dog", "sleeps", "."]
    assert set(seen.picture["ahead"][2][:2]) == {"barks", "sleeps"} and seen.picture["ahead"][3][0] == "."
    assert (
        set(seen.picture["back"][1][:2]) == {"dog", "cat"}
        and seen.picture["back"][3] == seen.picture["ahead"][0] == []
    )
    assert seen.numbers["held_out_loss_over_all_words"] == pytest.approx(loss_by_keras(model), rel=1e-4)


def loss_by_keras(model: keras.Model) -> float:
    """Measure the loss over all words of "the dog barks ." by the network itself."""
    words = ["the", "dog", "barks", "."]
    encoded = batch_inputs([TagInputs(VOCABULARY, ROWS, CONFIG.alphabet).encode(words)])
    zeros = np.zeros((1, 4), np.int32)
    inputs = {
        "words": encoded["words"], "characters": encoded["characters"], "places": np.arange(4)[None],
        "targets": zeros, "negatives": zeros[0],
    }  # fmt: skip
    outputs = [model.get_layer(f"{name}_projection").output for name in ("ahead", "back")]
    ahead, back = (np.array(one)[0] for one in keras.Model(model.inputs, outputs)(inputs))
    vectors, biases, _ = model.get_layer("neighbours").get_weights()
    counts = Counter(" ".join(TEXTS).split())
    numbers = [sorted(counts, key=lambda word: (-counts[word], word)).index(word) for word in words]
    losses = []
    for states, wanted in ((ahead[:-1], numbers[1:]), (back[1:], numbers[:-1])):
        scores = states @ vectors.T + biases
        losses += list(logsumexp(scores, axis=1) - scores[range(3), wanted])
    return float(np.mean(losses))


@pytest.mark.slow
def test_goes_on_after_a_break_with_the_same_bits(tmp_path: Path, monkeypatch) -> None:
    short = stage(steps=3)
    straight = fit(short, Run(tmp_path / "a"))[0]
    part = ContextBatches.part

    def failing(self, number, steps):
        if number == 2:
            raise OSError("the disk is gone")
        return part(self, number, steps)

    with monkeypatch.context() as patch:
        patch.setattr(ContextBatches, "part", failing)
        with pytest.raises(Exception, match="the disk is gone"):
            fit(short, Run(tmp_path / "b"))
    broken = fit(short, Run(tmp_path / "b", resume=True))[0]
    for one, two in zip(straight.get_weights(), broken.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    monkeypatch.setattr(ContextBatches, "part", None)  # what is learned is not learned again
    again = fit(short, Run(tmp_path / "b", resume=True))[0]
    for one, two in zip(straight.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    with pytest.raises(InputError, match="recipe differs"):  # another seed is another training
        fit(stage(seed=2, steps=3), Run(tmp_path / "b", resume=True))


def test_layers_of_another_size_are_not_taken_over() -> None:
    other = build_context_lm(replace(CONFIG, units=(5,)), targets=9, dimensions=8, dropout=0.0)
    with pytest.raises(ValueError, match="shape"):
        take_over(other, new_tagger())


def test_batches_of_few_shapes_have_the_same_loss() -> None:
    made = stage()
    model, batch = made.network(), next(iter(made.epoch(0)))
    (padded,) = few_shapes(batch)
    assert padded["words"].shape == (1, 256)
    assert padded["negatives"].shape == (64,)
    found, expected = (float(model(inputs, training=False)) for inputs in (padded, *batch))
    assert found == pytest.approx(expected, rel=1e-6)
