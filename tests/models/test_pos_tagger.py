"""The tagger's network, and its form for serving."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import cache

import keras
import numpy as np
import pytest
from keras import ops

from apps.tagger.task import few_shapes
from data_prep.errors import InputError
from data_prep.readers.conllu import UPOS_TAGS
from data_prep.text.embeddings import quantise
from data_prep.text.tag_inputs import TagInputs, alphabet_of, batch_inputs, tagger_vocabulary
from models.pos_tagger.network import PosTaggerConfig, build_pos_tagger, tagger_losses
from models.pos_tagger.serving import TagPredictor
from models.serving.bilstm import pack
from models.serving.crf import PackedCRF
from models.storage.variables import variable_arrays
from tests.models import contract

SENTENCES = [["Dogs", "bark", "."], ["The", "dogs", "sleep", "quietly", "."]]
FORMS = [form for sentence in SENTENCES for form in sentence] * 2
VOCABULARY, ROWS, TRAINED = tagger_vocabulary(FORMS, ["cat", "tree"], 50)
CONFIG = PosTaggerConfig(
    word_rows=ROWS,
    trained_rows=TRAINED,
    alphabet=alphabet_of(FORMS, 1),
    upos=UPOS_TAGS,
    xpos=(".", "DT", "NNS", "RB", "VBP"),
    vector_dimensions=6,
    trained_dimensions=8,
    character_dimensions=5,
    character_units=4,
    character_widths=(2, 3),
    units=(7, 7),
    dropout=0.1,
)
INPUTS = TagInputs(VOCABULARY, ROWS, CONFIG.alphabet)


def build(config: PosTaggerConfig = CONFIG) -> keras.Model:
    """Build a network whose every weight is a small random number."""
    model = build_pos_tagger(config)
    rng = np.random.default_rng(3)
    for weight in model.weights:
        if weight.dtype == "float32":
            weight.assign(rng.normal(scale=0.4, size=weight.shape))
    vectors = rng.normal(size=(config.word_rows, config.vector_dimensions))
    model.get_layer("frozen_vectors").fill(*quantise(vectors.astype(np.float32)))
    return model


def inputs(sentences=SENTENCES) -> dict[str, np.ndarray]:
    return batch_inputs([INPUTS.encode(sentence) for sentence in sentences])


def tags() -> dict[str, np.ndarray]:
    return {
        "upos": np.array([[7, 15, 12, -1, -1], [5, 7, 15, 2, 12]], np.int32),
        "xpos": np.array([[2, 4, 0, -1, -1], [1, 2, 4, 3, 0]], np.int32),
    }


@pytest.fixture(autouse=True)
def machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few words do not go another way."""
    monkeypatch.setattr("models.pos_tagger.serving._FEW_WORDS", 0)


def test_every_argument_survives_json() -> None:
    values = {
        "word_rows": 40,
        "trained_rows": 20,
        "alphabet": "abc",
        "upos": ("NOUN", "VERB"),
        "xpos": ("NN", "VB"),
        "vector_dimensions": 9,
        "trained_dimensions": 8,
        "character_dimensions": 7,
        "character_units": 6,
        "character_widths": (3, 5),
        "units": (5,),
        "word_dropout": 0.2,
        "dropout": 0.3,
        "output": "crf",
        "upos_temperature": 1.2,
        "xpos_temperature": 1.3,
    }
    contract.check_config_round_trip(PosTaggerConfig, values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": (0,)}, "units does not fit. Allowed: greater than or equal to 1"),
        ({"units": ()}, "units does not fit"),
        ({"trained_rows": ROWS + 1}, "trained rows"),
        ({"dropout": 1.0}, "dropout does not fit. Allowed: less than 1"),
        ({"word_dropout": -0.1}, "word_dropout does not fit. Allowed: greater than or equal to 0"),
        ({"upos_temperature": 0.0}, "temperature does not fit. Allowed: greater than 0"),
        ({"alphabet": "aa"}, "alphabet is a list without repetition"),
        ({"xpos": ()}, "xpos is a list without repetition"),
    ],
)
def test_configs_that_make_no_network_are_refused(change, message) -> None:
    with pytest.raises(InputError, match=message):
        replace(CONFIG, **change)


@pytest.mark.parametrize("output", ["softmax", "crf"])
def test_contract(output: str, tmp_path) -> None:
    config = replace(CONFIG, output=output)
    model = build(config)
    contract.check_stable_names(build_pos_tagger, config)
    contract.check_output_shapes(model, [(inputs(), (2, 5, 17)), (inputs(SENTENCES[:1]), (1, 3, 17))])
    contract.check_single_equals_batch(model, inputs())
    plain = inputs(SENTENCES[:1])
    longer = {
        "words": np.pad(plain["words"], ((0, 0), (0, 4))),
        "characters": np.pad(plain["characters"], ((0, 0), (0, 4), (0, 9))),
        "mask": np.pad(plain["mask"], ((0, 0), (0, 4))),
    }
    contract.check_padding_changes_nothing(model, plain, longer, lambda array: array[:, :3])
    preset = contract.check_save_load_equal(
        "pos_tagger", config, model, inputs(), tmp_path, vocabulary=VOCABULARY, labels=UPOS_TAGS
    )
    opened = TagPredictor(preset.config, preset.vocabulary, preset.arrays).predict(SENTENCES)
    np.testing.assert_array_equal(
        opened.probabilities, predictor(config, model).predict(SENTENCES).probabilities
    )


@cache
def by_heart(output: str) -> tuple[PosTaggerConfig, dict[str, np.ndarray], keras.Model]:
    """A network that has learned both sentences, and its weights before."""
    keras.utils.set_random_seed(1)
    config = replace(CONFIG, output=output, word_dropout=0.0)
    model = build_pos_tagger(config)
    model.compile(keras.optimizers.Adam(0.03), loss=tagger_losses(model, config), jit_compile=False)
    before = variable_arrays(model.weights)
    contract.check_overfits(model, inputs(), tags(), steps=150, loss_below=0.1)
    return config, before, model


@pytest.mark.parametrize("output", [pytest.param("softmax", marks=pytest.mark.slow), "crf"])
def test_learns_two_sentences_by_heart(output: str) -> None:
    config, _, model = by_heart(output)
    found = predictor(config, model).predict(SENTENCES)
    np.testing.assert_array_equal(found.upos, tags()["upos"][inputs()["mask"]])


def test_training_leaves_the_given_vectors_alone() -> None:
    _, before, model = by_heart("crf")
    after = variable_arrays(model.weights)
    for name in ("frozen_vectors/codes", "frozen_vectors/scales"):
        np.testing.assert_array_equal(before[name], after[name])
    trained = np.abs(before["trained_vectors/embeddings"] - after["trained_vectors/embeddings"]).max(axis=1)
    assert (trained[2:] > 0).any()


def test_words_are_dropped_in_training_only() -> None:
    layer = build_pos_tagger(replace(CONFIG, word_dropout=0.5)).get_layer("trained_words")
    ids = ops.convert_to_tensor(np.tile(np.arange(8, dtype=np.int32), (50, 1)))
    calm, dropped = ops.convert_to_numpy(layer(ids)), ops.convert_to_numpy(layer(ids, training=True))
    np.testing.assert_array_equal(calm[0], [0, 1, 2, 3, 4, 5, 6, 7])
    assert 0.4 < (dropped[:, 2:] == 1).mean() < 0.6
    assert (dropped[:, 0] == 0).all(), "padding is no word"


def predictor(config: PosTaggerConfig, model: keras.Model) -> TagPredictor:
    return TagPredictor(config, VOCABULARY, variable_arrays(model.weights))


@pytest.mark.parametrize("output", ["softmax", "crf"])
def test_serving_equals_the_network(output: str) -> None:
    config = replace(CONFIG, output=output)
    model, sentences = build(config), [*SENTENCES, ["Q" * 30, "naïve"], ["x"]]
    serving = predictor(config, model)
    batch = inputs(sentences)
    upos, xpos = contract.answers(model, batch)
    logits = serving.logits(sentences)
    np.testing.assert_allclose(logits.upos, upos[batch["mask"]], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(logits.xpos, xpos[batch["mask"]], rtol=1e-4, atol=1e-4)
    if output == "crf":
        crf = PackedCRF(*map(ops.convert_to_numpy, model.get_layer("crf").potentials))
        packing = pack([len(sentence) for sentence in sentences])
        expected = crf.marginals(upos[batch["mask"]], packing)
        best = crf.viterbi(upos[batch["mask"]], packing)
        np.testing.assert_array_equal(serving.predict(sentences).upos, best)
    else:
        expected = ops.convert_to_numpy(ops.softmax(ops.convert_to_tensor(upos)))[batch["mask"]]
    # Whole numbers of 16 bits stand for weights and states.
    np.testing.assert_allclose(serving.predict(sentences).probabilities, expected, atol=5e-3)


def test_serving_any_number_of_sentences(monkeypatch) -> None:
    model = build()
    serving = predictor(CONFIG, model)
    many = [["Dogs", "bark", "at", "cats"][: length % 5] * length for length in (0, 3, 1, 9, 0, 2)]
    alone = [serving.predict([sentence]) for sentence in many]
    monkeypatch.setattr("models.pos_tagger.serving._WORDS_AT_ONCE", 5)
    monkeypatch.setattr("models.pos_tagger.serving._REMEMBERED_WORDS", 3)
    serving = predictor(CONFIG, model)
    together = serving.predict(many)
    assert serving.predict([]).probabilities.shape == (0, 17)
    assert pickle.loads(pickle.dumps(serving)).predict(many).upos.tolist() == together.upos.tolist()
    assert [len(one.probabilities) for one in alone] == [len(sentence) for sentence in many]
    for name in ("probabilities", "upos", "xpos", "unknown"):
        expected = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_allclose(getattr(together, name), expected, atol=1e-6)


def test_unknown_is_a_form_that_training_never_saw() -> None:
    found = predictor(CONFIG, build()).predict([["Dogs", "DOGS", "dogs", "cat", "Bark"]])
    assert found.unknown.tolist() == [False, True, False, True, True]


def test_temperature_changes_confidence_but_not_tags() -> None:
    serving = predictor(CONFIG, build())
    calm = serving.with_temperatures(4.0, 4.0)
    one, two = serving.predict(SENTENCES), calm.predict(SENTENCES)
    np.testing.assert_array_equal(one.upos, two.upos)
    assert (two.probabilities.max(axis=1) < one.probabilities.max(axis=1)).all()
    assert serving.config.upos_temperature == 1.0


def test_inside_shows_what_the_layers_say() -> None:
    seen = predictor(CONFIG, build()).inside(SENTENCES[1])
    assert [seen.vector.shape, seen.trained.shape, seen.characters.shape] == [(5, 6), (5, 8), (5, 2 * 4)]
    assert [array.shape for array in (*seen.forward, *seen.backward)] == [(5, 7)] * 4
    # Read from left to right, the first word's state knows nothing of the others.
    other = predictor(CONFIG, build()).inside([SENTENCES[1][0], "bark"])
    np.testing.assert_allclose(seen.forward[0][0], other.forward[0][0], atol=1e-6)
    assert np.abs(seen.backward[0][0] - other.backward[0][0]).max() > 1e-3


def test_batches_of_few_shapes_have_the_same_loss() -> None:
    config = replace(CONFIG, output="crf")
    model = build(config)
    losses = tagger_losses(model, config, 0.1)
    batch = inputs(), tags()
    padded = few_shapes(batch)
    assert padded[0]["characters"].shape == (2, 16, 16)
    assert padded[1]["upos"].shape == padded[0]["mask"].shape == (2, 16)
    for name, loss in losses.items():
        found, expected = (float(loss(y[name], model(x, training=False)[name])) for x, y in (padded, batch))
        assert found == pytest.approx(expected, rel=1e-6)
