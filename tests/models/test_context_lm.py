"""What the tagger's first layer learns from raw text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from scipy.special import logsumexp

from apps.tagger.pretraining import Pretraining, PretrainingSettings, pretrain, pretrained
from data_prep.errors import InputError
from data_prep.text.context_batches import ContextBatches
from data_prep.text.raw_forms import numbered_forms
from data_prep.text.tag_inputs import TagInputs, alphabet_of, tagger_vocabulary
from models.pos_tagger.context_lm import LAYERS, SampledSoftmax, build_context_lm, take_over
from models.pos_tagger.network import PosTaggerConfig, build_pos_tagger

TEXTS = ["the dog barks . a cat sleeps . the dog sleeps . a cat barks ."] * 30
STREAM, FORMS = numbered_forms(TEXTS)
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
SETTINGS = PretrainingSettings(
    parts=3, steps=30, batch_words=40, targets=9, negatives=6, dimensions=8, dropout=0.0, learning_rate=0.01
)
TASK = Pretraining(SETTINGS, CONFIG, VOCABULARY, ("made",), 1)


def batches() -> ContextBatches:
    return ContextBatches(
        [STREAM],
        FORMS,
        TagInputs(VOCABULARY, ROWS, CONFIG.alphabet),
        targets=9,
        negatives=6,
        batch_words=40,
        seed=1,
    )


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
    said = pretrain(tagger, TASK, batches(), tmp_path / "run", resume=False)
    assert said > 0.0
    changed = {
        name
        for name, weights in before.items()
        for old, new in zip(weights, tagger.get_layer(name).get_weights(), strict=True)
        if not np.array_equal(old, new)
    }
    assert changed == set(LAYERS)
    losses = [float(line.split('"loss": ')[1].split(",")[0].rstrip("}")) for line in lines(tmp_path / "run")]
    assert losses[0] > losses[-1]
    assert losses[-1] < 0.75  # dog or cat, barks or sleeps: log 2 where there is a choice, 0 elsewhere


def lines(run: Path) -> list[str]:
    return (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()


def test_goes_on_after_a_break_with_the_same_bits(tmp_path: Path, monkeypatch) -> None:
    short = TASK._replace(settings=replace(SETTINGS, steps=3))
    straight, broken = new_tagger(), new_tagger()
    pretrain(straight, short, batches(), tmp_path / "a", resume=False)
    part = ContextBatches.part

    def failing(self, number, steps):
        if number == 2:
            raise OSError("the disk is gone")
        return part(self, number, steps)

    with monkeypatch.context() as patch:
        patch.setattr(ContextBatches, "part", failing)
        with pytest.raises(Exception, match="the disk is gone"):
            pretrain(broken, short, batches(), tmp_path / "b", resume=False)
    pretrain(broken, short, batches(), tmp_path / "b", resume=True)
    for one, two in zip(straight.get_weights(), broken.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_was_learned_is_kept_and_used_again(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("apps.tagger.pretraining.context_batches", lambda task: batches())
    short = TASK._replace(settings=replace(SETTINGS, parts=1, steps=2))
    first, second, other = new_tagger(), new_tagger(), new_tagger()
    seconds = pretrained(first, short, tmp_path, resume=False)
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == ["pretrained"]
    monkeypatch.setattr("apps.tagger.pretraining.context_batches", None)  # must not be read again
    assert pretrained(second, short, tmp_path, resume=True) == seconds
    for one, two in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    with pytest.raises(TypeError):  # another seed is another training: the text is asked for
        pretrained(other, short._replace(seed=2), tmp_path, resume=True)


def test_layers_of_another_size_are_not_taken_over() -> None:
    other = build_context_lm(replace(CONFIG, units=(5,)), targets=9, dimensions=8, dropout=0.0)
    with pytest.raises(ValueError, match="shape"):
        take_over(other, new_tagger())


@pytest.mark.parametrize("settings", [{"steps": 0}, {"parts": -1}, {"learning_rate": 1.0}])
def test_wrong_settings(settings) -> None:
    with pytest.raises(InputError):
        PretrainingSettings(**settings)
