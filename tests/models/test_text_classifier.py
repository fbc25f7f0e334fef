"""Text classifiers: padding, the end, NumPy as Keras, contributions, presets."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.array_files import specs_of
from data_prep.errors import InputError
from data_prep.text.document_batches import document_inputs
from models.presets.store import load_preset, save_preset
from models.storage.variables import assign_arrays, variable_arrays
from models.text_classifier.config import (
    KIND,
    TextClassifierConfig,
    TextPresetConfig,
    golden_inputs,
    network_specs,
    preset_arrays,
    preset_specs,
)
from models.text_classifier.network import (
    IDF,
    build_text_classifier,
    set_word_vectors,
    text_classifier_model,
    text_loss,
    trained_arrays,
)
from models.text_classifier.packed import packed_network
from models.text_classifier.serving import TEXT_CLASSIFIER, PackedText, Sure
from tests.models.contract import (
    CARD,
    METADATA,
    METRICS,
    answers,
    check_config_round_trip,
    check_overfits,
    check_padding_changes_nothing,
    check_single_equals_batch,
)
from tests.models.text_arrays import CONFIGS, LABELS, VOCABULARY, documents, random_arrays, tiny_preset

EVERY = pytest.mark.parametrize("name", CONFIGS)
LENGTHS = (7, 0, 12)
_MEAN, _SHORT = CONFIGS["mean"], {"short": 9, "weights": (1.0, 0.0)}
Trained = tuple[keras.Model, dict[str, np.ndarray]]


@pytest.fixture(scope="module")
def trained() -> Callable[[str], Trained]:
    """The Keras network of a name with random weights, built once."""
    kept: dict[str, Trained] = {}

    def build(name: str) -> Trained:
        if name not in kept:
            model, arrays = build_text_classifier(CONFIGS[name]), random_arrays(CONFIGS[name])
            assign_arrays(model.weights, arrays)
            kept[name] = model, arrays
        return kept[name]

    return build


def test_every_argument_survives() -> None:
    values = {
        "network": "ngrams", "labels": 3, "vocabulary_size": 7, "dimensions": 2, "units": 3,
        "widths": (5,), "readout": "pool", "ngrams": 2, "buckets": 9, "pooling": "root", "distinct": True,
        "dropout": 0.5, "word_dropout": 0.1, "max_words": 4, "head_words": 1, "table": "int8",
    }  # fmt: skip
    fields = {field.name: field.default for field in dataclasses.fields(TextClassifierConfig)}
    assert fields.keys() == values.keys() | {"layers", "sublinear_tf"}
    assert all(fields[name] != value for name, value in values.items())
    # N-grams and layers exclude each other, and so do the two ways of counting.
    members = (
        TextClassifierConfig(**values),
        TextClassifierConfig("ngrams", labels=3, sublinear_tf=True),
        TextClassifierConfig("gru", labels=3, layers=2),
    )
    preset = {"members": members, "weights": (0.5, 2.0, 0.0), "temperature": 3.0, "aliases": (("a", "b"),)}
    preset |= {"short": 20, "short_margin": 1.5, "short_temperature": 0.5}
    check_config_round_trip(TextPresetConfig, preset)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"network": "transformer"}, "network does not fit.*'attention'"),
        ({"units": 0}, "units does not fit.*greater than or equal to 1"),
        ({"widths": ()}, "widths does not fit"),
        ({"widths": (2, 2)}, "width is there twice"),
        ({"network": "attention", "layers": 2}, "Only recurrent networks have several layers"),
        ({"layers": 4}, "layers does not fit.*less than or equal to 3"),
        ({"labels": 1}, "labels does not fit.*greater than or equal to 2"),
        ({"distinct": True}, "Only the network ngrams"),
        ({"network": "ngrams", "ngrams": 2, "buckets": 1 << 25}, "table of vectors is too long"),
        ({"dropout": 1.0}, "dropout does not fit.*less than 1"),
        ({"readout": "start"}, "readout does not fit.*'end' or 'pool'"),
        ({"head_words": 1}, "window does not fit"),
        ({"network": "ngrams", "ngrams": 2}, "N-grams and buckets"),
        ({"vocabulary_size": 2}, "vocabulary_size does not fit.*greater than 2"),
    ],
)
def test_a_config_that_makes_no_network_is_refused(values: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextClassifierConfig(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"weights": (1.0, 1.0)}, "one weight for each network"),
        ({"members": (_MEAN, TextClassifierConfig()), "weights": (1.0, 1.0)}, "the same labels"),
        ({"temperature": 0.0}, "temperature does not fit.*greater than 0"),
        ({"aliases": (("a", "b"), ("a", "c"))}, "alias is there twice"),
        ({"short": 9, "weights": (0.0,)}, "short texts is not one more"),
        ({"short": 9, "weights": (1.0, 0.5), "members": (_MEAN, _MEAN)}, "short texts is not one more"),
        ({**_SHORT, "members": (_MEAN, CONFIGS["distinct"])}, "does not read all of their words"),
        ({**_SHORT, "members": (_MEAN, replace(_MEAN, max_words=8))}, "does not read all"),
    ],
)
def test_members_that_do_not_answer_together_are_refused(values: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextPresetConfig(**({"members": (_MEAN,)} | values))


@EVERY
def test_numpy_is_keras_and_names_are_those_of_the_preset(name: str, trained) -> None:
    (model, arrays), config = trained(name), CONFIGS[name]
    assert specs_of(variable_arrays(model.weights)) == network_specs(config)
    some = documents(LENGTHS)
    inputs = document_inputs(config.inputs_of(some))
    check_single_equals_batch(model, inputs)
    more = {what: np.pad(array, ((0, 0), (0, 9))) for what, array in inputs.items()}
    check_padding_changes_nothing(model, inputs, more, lambda found: found)
    packed = packed_network(config, arrays)
    (found,) = answers(model, inputs)
    np.testing.assert_allclose(packed.logits(some), found, atol=1e-5)
    np.testing.assert_allclose(packed.logits(some[2:3]), found[2:3], atol=1e-5)


@EVERY
def test_contributions_are_the_gradient_and_their_sum_is_what_is_promised(name: str, trained) -> None:
    (model, arrays), config = trained(name), CONFIGS[name]
    (ids,) = documents([11], seed=3)
    direction = np.array([1.0, -1.0, 0.0])
    found = packed_network(config, arrays).contributions(ids, direction)
    assert found.exact == (config.is_linear or name == "convolution")
    difference = packed_network(config, arrays).logits([ids])[0] @ direction
    # The largest states of "pool" are others on the way of the integral.
    assert found.words.sum() + found.rest == pytest.approx(difference, abs=1e-3 if name == "pool" else 1e-5)
    if config.is_bag:  # whose vectors are not those of the words in their order
        return
    places, weights = ([1.0], [2.0]) if found.exact else np.polynomial.legendre.leggauss(16)
    wanted = sum(
        weight / 2.0 * gradient_times_vectors(model, ids, direction, (1.0 + place) / 2.0)
        for place, weight in zip(places, weights, strict=True)
    )
    np.testing.assert_allclose(found.words, wanted, atol=1e-5)


def gradient_times_vectors(
    model: keras.Model, ids: np.ndarray, direction: np.ndarray, share: float
) -> np.ndarray:
    """The vectors times the gradient at a share of them, by automatic differentiation."""
    import tensorflow as tf

    layers = {layer.name: layer for layer in model.layers}
    vectors = layers["embedding"](ids[None])
    mask = tf.ones((1, len(ids)), bool)
    behind = keras.Model([layers["embedding"].output, model.input["mask"]], model.output)
    with tf.GradientTape() as tape:
        begun = share * vectors
        tape.watch(begun)
        answer = tf.reduce_sum(behind([begun, mask]) * direction)
    return np.sum(tape.gradient(answer, begun).numpy() * np.asarray(vectors), axis=-1)[0]


def test_words_outside_the_window_add_nothing() -> None:
    config = replace(CONFIGS["gru"], max_words=5, head_words=2)
    network = packed_network(config, random_arrays(config))
    (ids,) = documents([9])
    changed = ids.copy()
    changed[3] += 1
    np.testing.assert_array_equal(network.logits([ids]), network.logits([changed]))
    found = network.contributions(ids, np.array([1.0, 0.0, 0.0]))
    assert (found.words != 0).tolist() == [True] * 2 + [False] * 4 + [True] * 4
    assert network.states(ids).shape == (6, 4)


def test_attention_weighs_every_state() -> None:
    network = packed_network(CONFIGS["attention"], random_arrays(CONFIGS["attention"]))
    (ids,) = documents([6])
    weights, states = network.attention(ids), network.states(ids)
    assert weights.shape == (7,) and weights.sum() == pytest.approx(1.0) and states.shape == (7, 8)
    np.testing.assert_allclose(
        (weights @ states) @ network.kernel + network.bias, network.logits([ids])[0], atol=1e-5
    )


@pytest.mark.parametrize("name", ["distinct", "attention"])
def test_two_documents_are_learned_by_heart(name: str) -> None:
    keras.utils.set_random_seed(1)
    config = replace(CONFIGS[name], dropout=0.0, units=8)
    model = build_text_classifier(config)
    model.compile(keras.optimizers.Adam(0.05), loss=text_loss())
    inputs = document_inputs(config.inputs_of(documents((6, 9))))
    check_overfits(model, inputs, np.array([2, 0]), steps=60, loss_below=0.2)


def test_soft_labels_are_labels() -> None:
    logits = np.array([[1.0, 2.0, -1.0], [0.0, 0.5, 3.0]], np.float32)
    labels = np.array([1, 2])
    for smoothing in (0.0, 0.1):
        loss = text_loss(smoothing)
        soft = float(loss(np.eye(3, dtype=np.float32)[labels], logits))
        assert soft == pytest.approx(float(loss(labels, logits)))


def test_word_vectors_start_the_table() -> None:
    model = build_text_classifier(CONFIGS["ngrams"])
    matrix = np.random.default_rng(0).random((40, 5), np.float32)
    set_word_vectors(model, matrix)
    table = variable_arrays(model.weights)["embedding/embeddings"]
    np.testing.assert_array_equal(table[:40], matrix)
    assert not table[40:].any()
    with pytest.raises(InputError, match="length of the network"):
        set_word_vectors(model, matrix[:, :4])


def test_vectors_that_move_faster_are_stored_multiplied() -> None:
    config = CONFIGS["sublinear"]
    idf = np.linspace(0.5, 2.0, config.rows, dtype=np.float32)
    model, plain = build_text_classifier(config, idf=idf), build_text_classifier(config)
    assign_arrays(model.weights, random_arrays(config) | {IDF: idf[:, None]})
    arrays = trained_arrays(model)
    assert arrays.keys() == network_specs(config).keys() and len(model.trainable_weights) == 3
    np.testing.assert_allclose(
        arrays["embedding/embeddings"],
        random_arrays(config)["embedding/embeddings"] * idf[:, None],
        rtol=1e-6,
    )
    assign_arrays(plain.weights, arrays)
    inputs = document_inputs(config.inputs_of(documents((6, 9))))
    np.testing.assert_allclose(answers(model, inputs)[0], answers(plain, inputs)[0], rtol=1e-4)


def test_members_answer_together() -> None:
    config, arrays = tiny_preset(("distinct", "pool", "attention"))
    together, some = PackedText(config, arrays), documents(LENGTHS)
    wanted = sum(
        weight * member.logits(some) for weight, member in zip(config.weights, together.members, strict=True)
    )
    np.testing.assert_allclose(together.logits(some), wanted / 1.5, atol=1e-5)
    assert together.logits([]).shape == (0, 3)
    parts = [member.contributions(some[0], np.array([1.0, 0.0, -1.0])) for member in together.members]
    found = together.contributions(some[0], 0, 2)
    np.testing.assert_allclose(
        found.words, sum(w * p.words for w, p in zip(config.weights, parts, strict=True)) / 1.5
    )
    assert not found.exact and together.members[1].kernel.shape == (12, 3)


def test_the_first_network_answers_alone_where_it_is_sure() -> None:
    config, arrays = tiny_preset(("distinct", "pool", "attention"))
    together, some = PackedText(config, arrays), documents(LENGTHS)
    alone, all_of_them = together.members[0].logits(some), together.logits(some)
    ordered = np.sort(alone, axis=1)
    margin = float(np.median(ordered[:, 2] - ordered[:, 1]))
    sure = (ordered[:, 2] - ordered[:, 1] > margin)[:, None]
    assert sure.any() and not sure.all()
    found = together.soonest(some, Sure(margin, 2.0))
    np.testing.assert_allclose(found, np.where(sure, alone / 2.0, all_of_them), atol=1e-5)
    np.testing.assert_array_equal(together.soonest(some, None), all_of_them)
    np.testing.assert_array_equal(together.soonest(some, Sure(-1.0, 1.0)), alone)
    assert together.soonest([], Sure(1.0, 1.0)).shape == (0, 3)


def test_the_last_network_answers_short_texts_alone_where_it_is_sure() -> None:
    config, arrays = tiny_preset(("distinct", "pool", "attention"))
    some = documents((7, 0, 12, 5, 3))
    first, second, last = (member.logits(some) for member in PackedText(config, arrays).members)
    ordered = np.sort(last, axis=1)
    ahead = ordered[:, 2] - ordered[:, 1]
    # Of four short texts the surest two are answered by the last network.
    margin = float(np.median(ahead[[0, 1, 3, 4]]))
    short = replace(
        config, weights=(*config.weights[:2], 0.0), short=7, short_margin=margin, short_temperature=2.0
    )
    together, alone = PackedText(short, arrays), (ahead > margin) & (np.arange(5) != 2)
    assert alone.sum() == 2
    long = (short.weights[0] * first + short.weights[1] * second) / short.temperature
    wanted = np.where(alone[:, None], last / 2.0, long)
    np.testing.assert_allclose(together.logits(some), wanted, atol=1e-5)
    chosen = np.flatnonzero(alone)
    np.testing.assert_allclose(together.logits([some[at] for at in chosen]), wanted[chosen], atol=1e-5)
    found = together.soonest(some, Sure(-1.0, 4.0))
    np.testing.assert_allclose(found, np.where(alone[:, None], last / 2.0, first / 4.0), atol=1e-5)
    for at in chosen[0], 2:  # whatever would answer them
        asked = last / 2.0 if alone[at] else long
        np.testing.assert_allclose(together.logits_as(some[at], some), asked, atol=1e-5)
    assert [list(together.answering(ids)) for ids in some] == [[2] if one else [0, 1] for one in alone]
    own = together.members[2].contributions(some[chosen[0]], np.array([1.0, 0.0, -1.0]))
    np.testing.assert_allclose(together.contributions(some[chosen[0]], 0, 2).words, own.words / 2.0)
    without = short.without_short()
    assert without == replace(config, members=config.members[:2], weights=config.weights[:2])
    assert without.without_short() is without


@pytest.mark.slow
def test_the_keras_network_of_a_preset_has_all_members_and_is_saved_and_trained(tmp_path: Path) -> None:
    members = (replace(CONFIGS["distinct"], table="int8"), *(CONFIGS[name] for name in ("pool", "mgu")))
    members = (*members, CONFIGS["convolution"], CONFIGS["attention"])
    config = TextPresetConfig(members, (1.0, 2.0, 0.5, -1.0, 0.0), 1.2, short=7, short_temperature=2.0)
    arrays = preset_arrays(config, [random_arrays(member, at) for at, member in enumerate(members)])
    model, some = text_classifier_model(config, arrays), documents(LENGTHS)
    inputs, together = golden_inputs(config, some), PackedText(config, arrays)
    found = model.predict(inputs, verbose=0)
    assert found.keys() == {*inputs, "logits"}
    np.testing.assert_allclose(found["logits"], together.logits(some), atol=1e-5)
    for number, member in enumerate(together.members, start=1):
        np.testing.assert_allclose(found[f"member{number}"], member.logits(some), atol=1e-5)
    model.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    for name, values in loaded.predict(inputs, verbose=0).items():
        np.testing.assert_array_equal(values, found[name])
    loaded.compile(keras.optimizers.Adam(0.01), loss={"logits": text_loss()})
    losses = loaded.fit(inputs, {"logits": np.array([0, 1, 2])}, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_preset_gives_the_same_answer(tmp_path: Path) -> None:
    members = (replace(CONFIGS["distinct"], table="int8"), CONFIGS["convolution"], CONFIGS["lstm"])
    config = TextPresetConfig(members, (1.0, 2.0, 0.5), 1.2, (("great", "good"),))
    plain = [random_arrays(member) for member in members]
    arrays = preset_arrays(config, plain)
    assert {name: array.dtype.name for name, array in arrays.items()} == {
        name: spec.dtype for name, spec in preset_specs(config).items()
    }
    some = documents((6, 10))
    golden = golden_inputs(config, some)
    path = save_preset(
        tmp_path / "preset", kind=KIND, config=config, weights=arrays, golden=golden, metrics=METRICS,
        metadata=METADATA, card=CARD, vocabulary=VOCABULARY, labels=LABELS, dtype="float16",
    )  # fmt: skip
    preset = load_preset(path, kind=KIND)
    assert preset.config == config
    before, after = (TEXT_CLASSIFIER.answer(config, given, golden) for given in (arrays, preset.arrays))
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, atol=2e-2, err_msg=name)
    exact = packed_network(replace(members[0], table="float"), plain[0]).logits(some)
    stored = PackedText(preset.config, preset.arrays).members[0]
    np.testing.assert_allclose(stored.logits(some), exact, atol=3e-2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": ("bad", "good")}, "one label for each logit"),
        ({"labels": ("bad", "fair", "worse")}, "alias means no label"),
        ({"vocabulary": None}, "needs a vocabulary"),
    ],
)
def test_a_preset_that_does_not_fit_is_refused(changed: dict, message: str, tmp_path: Path) -> None:
    config, arrays = tiny_preset()
    parts = {"vocabulary": VOCABULARY, "labels": LABELS} | changed
    with pytest.raises(ValueError, match=message):
        save_preset(
            tmp_path / "preset", kind=KIND, config=config, weights=arrays, metrics=METRICS, card=CARD,
            golden=golden_inputs(config, documents((3,))), metadata=METADATA, **parts,
        )  # fmt: skip


def test_serving_needs_no_tensorflow() -> None:
    code = (
        "import sys\n"
        "from tests.models.text_arrays import *\n"
        "from models.text_classifier.serving import PackedText\n"
        "network = PackedText(*tiny_preset(('mean', 'convolution', 'gru', 'attention')))\n"
        "network.contributions(documents((5,))[0], 0, 1)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=Path(__file__).parents[2])
