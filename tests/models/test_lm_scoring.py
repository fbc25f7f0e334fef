"""A language model for use: logits, scores, unknown characters, long texts."""

from __future__ import annotations

import threading

import keras
import numpy as np
import pytest
from keras import ops

import models.char_lm.serving
from data_prep.errors import InputError
from data_prep.text.streams import learn_tokens
from data_prep.text.vocab import UNK, Vocabulary
from models.char_lm.config import CharLMConfig, char_lm_specs
from models.char_lm.generator import Generator
from models.char_lm.network import build_char_lm
from models.char_lm.serving import LanguageModel, char_lm_answer
from models.layers.cells import CELLS
from models.storage.variables import variable_arrays
from tests.models import contract
from tests.models.recurrent_shapes import each_recurrent

VOCABULARY = Vocabulary(list("abcdef \n"))
RNG = np.random.default_rng(0)
TEXT = "".join(RNG.choice(list("abcdef \n"), 900))


def pair(
    cell: str = "lstm", layers: int = 2, units: int = 9, members: int = 1
) -> tuple[keras.Model, LanguageModel]:
    """A network with drawn weights, and its form for use."""
    config = CharLMConfig(
        tokens=len(VOCABULARY),
        cell=cell,
        layers=layers,
        members=members,
        units=units,
        embedding=5,
        start=VOCABULARY.id("\n"),
    )
    model = build_char_lm(config)
    rng = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model, LanguageModel(config, VOCABULARY, variable_arrays(model.weights))


def expected_logits(model: keras.Model, ids: np.ndarray) -> np.ndarray:
    return contract.answers(model, ids[None])[0][0]


@pytest.fixture(scope="module")
def lstm() -> tuple[keras.Model, LanguageModel]:
    return pair()


@each_recurrent
def test_logits_are_those_of_the_network(cell: str, layers: int, members: int) -> None:
    model, language_model = pair(cell, layers, members=members)
    ids = language_model.encode(TEXT[:60])
    logits, state = language_model.logits(ids)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(logits, expected_logits(model, ids), atol=1e-4)
    assert state.shape == (members, layers, len(CELLS[cell].states), 1, 9)


def test_the_state_is_carried_from_call_to_call(lstm) -> None:
    _, model = lstm
    ids = model.encode(TEXT)
    whole, after = model.logits(ids)
    parts, state = [], None
    for first, last in ((0, 1), (1, 1), (1, 250), (250, 900)):
        logits, state = model.logits(ids[first:last], state)
        parts.append(logits)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)
    np.testing.assert_allclose(state, after, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_parts_of_a_long_text_are_one_pass(cell: str, monkeypatch) -> None:
    _, model = pair(cell, units=5, members=2)
    ids = model.encode(TEXT)
    plain, state = model.logits(ids)
    monkeypatch.setattr(models.char_lm.serving, "_TOKENS_AT_ONCE", 201)
    parts, again = model.logits(ids)
    np.testing.assert_allclose(parts, plain, atol=1e-5)
    np.testing.assert_allclose(again, state, atol=1e-5)
    assert max(len(logits) for logits, _ in model.read(ids)) == 201
    monkeypatch.setattr(models.char_lm.serving, "_LOGITS_AT_ONCE", 70 * model.config.tokens)  # of many tokens
    assert max(len(logits) for logits, _ in model.read(ids)) == 70


def test_a_state_that_never_fades_is_carried_on() -> None:
    """Gates that stay open: a cell that counts characters from the first one on."""
    config = CharLMConfig(tokens=len(VOCABULARY), layers=1, units=2, embedding=3)
    arrays = {
        name: np.zeros_like(array) for name, array in variable_arrays(build_char_lm(config).weights).items()
    }
    arrays["recurrent1/lstm_cell/bias"][:] = [0.0, 0.0, 40.0, 40.0, 0.01, 0.02, 40.0, 40.0]
    arrays["logits/kernel"][:] = 1.0
    model = LanguageModel(config, VOCABULARY, arrays)
    logits, state = model.logits(model.encode(TEXT[:400]))
    np.testing.assert_allclose(state[0, 0, 1, 0], 200 * np.tanh([0.01, 0.02]), rtol=1e-4)
    assert logits[-1, 0] > logits[100, 0] + 0.1


@pytest.mark.parametrize("cell", CELLS)
def test_wide_layers_in_8_bits_answer_nearly_the_same(cell: str) -> None:
    config = CharLMConfig(
        tokens=30, cell=cell, layers=2, units=384 if cell == "mgu" else 512, embedding=8, members=2
    )
    rng = np.random.default_rng(6)
    arrays = {
        name: rng.normal(scale=0.03 if "recurrent" in name else 0.5, size=spec.shape).astype(np.float32)
        for name, spec in char_lm_specs(config).items()
    }
    model = LanguageModel(config, None, arrays)
    assert model.weights.recurrent.dtype == model.weights.kernels.dtype == np.int8
    ids = rng.integers(2, 30, 80)
    expected = char_lm_answer(config, arrays, {"ids": ids[None]})["logits"][0]
    found, _ = model.logits(ids)
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


def test_scores_are_minus_log_probabilities(lstm) -> None:
    model, language_model = lstm
    text = TEXT[:50]
    scores = language_model.score(text)
    ids = language_model.encode(text)
    read = np.concatenate([[VOCABULARY.id("\n")], ids[:-1]])
    shares = ops.convert_to_numpy(ops.log_softmax(expected_logits(model, read)))
    np.testing.assert_allclose(scores.nats, -shares[np.arange(50), ids], atol=1e-4)
    np.testing.assert_array_equal(scores.ids, ids)
    np.testing.assert_array_equal(scores.alternatives[:, 0], shares.argmax(axis=1))
    expected = -np.sort(-np.exp(shares), axis=1)[:, :5]
    np.testing.assert_allclose(scores.probabilities, expected, atol=1e-4)
    assert scores.nats.shape == (50,) and scores.nats.dtype == np.float64


def test_long_texts_are_scored_in_parts(lstm, monkeypatch) -> None:
    _, model = lstm
    whole = model.score(TEXT)
    monkeypatch.setattr(models.char_lm.serving, "_TOKENS_AT_ONCE", 70)
    parts = model.score(TEXT)
    np.testing.assert_allclose(parts.nats, whole.nats, atol=1e-4)
    assert parts.alternatives.shape == whole.alternatives.shape == (900, 5)


def test_unknown_characters_are_named_with_their_places(lstm) -> None:
    _, model = lstm
    with pytest.raises(InputError, match=r"character that the model never saw: 'Ω' at 2, 'z' at 4"):
        model.encode("abΩcz")
    ids = model.encode("abΩcz", unknown="map")
    assert ids.tolist()[2] == ids.tolist()[4] == UNK
    assert model.decode(ids[:2]) == "ab"
    with pytest.raises(InputError, match="What to do with unknown tokens"):
        model.encode("ab", unknown="drop")
    with pytest.raises(InputError, match="and 7 more"):
        model.encode("Ω" * 12)


@pytest.mark.parametrize("text", ["", None, 5])
def test_what_is_no_text_is_refused(lstm, text) -> None:
    with pytest.raises(InputError, match="nothing to score" if text == "" else "A text is needed"):
        lstm[1].score(text)


@pytest.mark.parametrize("ids", [[99], [-1], [[2, 3]]])
def test_ids_outside_the_vocabulary_are_refused(lstm, ids) -> None:
    with pytest.raises(InputError, match="no tokens of this vocabulary"):
        lstm[1].logits(np.array(ids))


def test_no_ids_give_no_logits(lstm) -> None:
    logits, state = lstm[1].logits(np.zeros(0, np.int32))
    assert logits.shape == (0, len(VOCABULARY))
    np.testing.assert_array_equal(state[0], 0.0)


def test_words_and_pieces_are_written_as_text() -> None:
    text = "the dog sees the old garden. the garden sees no dog. "
    for kind, expected in (("word", "the dog sees the old"), ("piece", "the dog")):
        tokens = learn_tokens([text * 3], kind, max_size=40)
        config = CharLMConfig(tokens=len(tokens.vocabulary), layers=1, units=3, embedding=2, tokenizer=kind)
        arrays = variable_arrays(build_char_lm(config).weights)
        model = LanguageModel(config, tokens.vocabulary, arrays)
        assert model.decode(model.encode(text)).startswith(expected)
        assert len(model.score(text).nats) == len(model.encode(text))


def test_an_unknown_word_is_called_a_word() -> None:
    tokens = learn_tokens(["the dog sees"], "word")
    config = CharLMConfig(tokens=len(tokens.vocabulary), layers=1, units=3, embedding=2, tokenizer="word")
    model = LanguageModel(config, tokens.vocabulary, variable_arrays(build_char_lm(config).weights))
    with pytest.raises(InputError, match="a word that the model never saw: 'cat' at 4"):
        model.encode("the cat sees")


def test_threads_share_a_model(lstm) -> None:
    _, model = lstm
    texts = [TEXT[at : at + 60] for at in range(0, 480, 60)]
    expected = [model.score(text).nats for text in texts]
    found: dict[int, np.ndarray] = {}

    def work(at: int) -> None:
        found[at] = model.score(texts[at]).nats

    threads = [threading.Thread(target=work, args=(at,)) for at in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for at, nats in enumerate(expected):
        np.testing.assert_allclose(found[at], nats, atol=1e-9)


def test_a_preset_opens_as_a_language_model(tmp_path, lstm) -> None:
    network, model = lstm
    ids = model.encode(TEXT[:20])[None]
    preset = contract.check_save_load_equal(
        "char_lm", model.config, network, {"ids": ids}, tmp_path, vocabulary=VOCABULARY
    )
    opened = LanguageModel(preset.config, preset.vocabulary, preset.arrays)
    np.testing.assert_allclose(opened.score(TEXT).nats, model.score(TEXT).nats, atol=1e-9)


def test_an_opening_needs_no_prompt(lstm) -> None:
    generator = Generator(lstm[1])
    one, two = (generator.opening(length=80, temperature=5.0, seed=3) for _ in range(2))
    assert one == two and len(one) == 80
    assert one != generator.opening(length=80, temperature=5.0, seed=4)
    assert set(one) <= set(VOCABULARY.entries)
