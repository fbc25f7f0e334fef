"""The language model's network."""

from __future__ import annotations

from dataclasses import fields, replace

import keras
import numpy as np
import pytest
from keras import ops

from data_prep.errors import InputError
from data_prep.text.vocab import UNK, Vocabulary
from models.char_lm.config import CharLMConfig
from models.char_lm.network import build_char_lm
from models.layers.cells import CELLS
from models.layers.sequences import UnknownTokens
from models.storage.variables import stable_paths
from models.training.recipe import from_dict, to_dict
from tests.models import contract

VOCABULARY = Vocabulary(list("abcdef\n"))
CONFIG = CharLMConfig(tokens=9, cell="lstm", layers=2, units=8, embedding=5, start=8)
IDS = np.random.default_rng(0).integers(2, 9, (3, 7)).astype(np.int32)


def made(config: CharLMConfig, **settings) -> keras.Model:
    model = build_char_lm(config, **settings)
    rng = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


def test_every_argument_survives_json() -> None:
    values = {
        "tokens": 40,
        "cell": "gru",
        "layers": 3,
        "units": 20,
        "embedding": 10,
        "dropout": 0.1,
        "input_dropout": 0.2,
        "token_dropout": 0.3,
        "tokenizer": "word",
        "lower": True,
        "members": 2,
        "start": 5,
    }
    revived = from_dict(CharLMConfig, to_dict(CharLMConfig(**values)))
    assert {name: getattr(revived, name) for name in values} == values
    # Only an LSTM, which is the default, drops weights: that argument goes by itself.
    assert values.keys() | {"weight_dropout"} == {field.name for field in fields(CharLMConfig)}
    dropping = replace(CONFIG, weight_dropout=0.4)
    assert from_dict(CharLMConfig, to_dict(dropping)) == dropping


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": 0}, "units does not fit. Allowed: greater than or equal to 1"),
        ({"embedding": 0}, "embedding does not fit. Allowed: greater than or equal to 1"),
        ({"layers": 4}, "layers does not fit. Allowed: less than or equal to 3"),
        ({"cell": "transformer"}, "cell does not fit. Allowed: 'rnn', 'lstm', 'gru' or 'mgu'"),
        ({"tokenizer": "byte"}, "tokenizer does not fit. Allowed: 'char', 'word' or 'piece'"),
        ({"tokens": 1}, "tokens does not fit. Allowed: greater than 1"),
        ({"start": 9}, "start is no id"),
        ({"dropout": 1.0}, "dropout does not fit. Allowed: less than 1"),
        ({"input_dropout": -0.1}, "input_dropout does not fit. Allowed: greater than or equal to 0"),
        ({"token_dropout": 1.0}, "token_dropout does not fit. Allowed: less than 1"),
        ({"weight_dropout": 1.0}, "weight_dropout does not fit. Allowed: less than 1"),
    ],
)
def test_configs_that_make_no_network_are_refused(change, message) -> None:
    with pytest.raises(InputError, match=message):
        replace(CONFIG, **change)


def test_only_an_lstm_drops_weights() -> None:
    assert replace(CONFIG, weight_dropout=0.5).weight_dropout == 0.5
    with pytest.raises(InputError, match="Only an LSTM"):
        replace(CONFIG, cell="gru", weight_dropout=0.5)


@pytest.mark.parametrize("cell", CELLS)
def test_contract(cell: str, tmp_path) -> None:
    config = replace(CONFIG, cell=cell)
    model = made(config)
    contract.check_stable_names(build_char_lm, config)
    contract.check_output_shapes(model, [(IDS, (3, 7, 9)), (IDS[:1, :2], (1, 2, 9))])
    contract.check_single_equals_batch(model, IDS)
    longer = np.pad(IDS, ((0, 0), (0, 4)))
    contract.check_padding_changes_nothing(model, IDS, longer, lambda array: array[:, :7])
    contract.check_save_load_equal("char_lm", config, model, {"ids": IDS}, tmp_path, vocabulary=VOCABULARY)


@pytest.mark.parametrize("cell", CELLS)
def test_learns_two_lines_by_heart(cell: str) -> None:
    keras.utils.set_random_seed(1)
    model = build_char_lm(replace(CONFIG, cell=cell, layers=1, units=24))
    model.compile(
        keras.optimizers.Adam(0.03),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    inputs = np.array([[8, 2, 3, 4, 5], [8, 5, 4, 3, 2]], np.int32)
    targets = np.array([[2, 3, 4, 5, 6], [2, 4, 3, 2, 7]], np.int32)
    targets[:, 0] = 2  # nothing tells the first letters of the two lines apart
    contract.check_overfits(model, inputs, targets, steps=200, loss_below=0.1)


def test_unknown_vocabulary_sizes_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="one entry for each row"):
        contract.check_save_load_equal(
            "char_lm", CONFIG, made(CONFIG), {"ids": IDS}, tmp_path, vocabulary=Vocabulary(["a"])
        )


def test_dropout_leaves_out_the_same_values_at_every_step() -> None:
    layer = build_char_lm(replace(CONFIG, dropout=0.5)).get_layer("dropout1")
    kept = ops.convert_to_numpy(layer(ops.ones((4, 6, 8)), training=True)) > 0
    assert (kept == kept[:, :1]).all(), "one mask a sequence"
    assert len({row.tobytes() for row in kept[:, 0]}) > 1, "another one for each sequence"


def test_dropout_is_for_training_alone() -> None:
    config = replace(CONFIG, dropout=0.5, input_dropout=0.5, token_dropout=0.5, weight_dropout=0.5)
    plain, dropped = made(CONFIG), made(config)
    for one, two in zip(plain.weights, dropped.weights, strict=True):
        two.assign(one)
    ids = ops.convert_to_tensor(IDS)
    np.testing.assert_allclose(plain(ids), dropped(ids), atol=1e-6)
    assert np.abs(ops.convert_to_numpy(dropped(ids, training=True) - plain(ids))).max() > 0.01


def test_a_share_of_tokens_is_read_as_unknown() -> None:
    layer, ids = UnknownTokens(0.25), ops.convert_to_tensor(np.full((40, 100), 7, np.int32))
    np.testing.assert_array_equal(layer(ids), ids)
    found = ops.convert_to_numpy(layer(ids, training=True))
    assert set(np.unique(found)) == {UNK, 7}
    assert 0.2 < (found == UNK).mean() < 0.3
    assert UnknownTokens.from_config(layer.get_config()).rate == 0.25


@pytest.mark.parametrize("products", [None, "float32", "bfloat16"])
def test_training_form_has_the_same_weights_and_answers(products) -> None:
    config = replace(CONFIG, dropout=0.3)
    training = made(config, batch_size=3, stateful=True, products=products)
    plain = build_char_lm(config)
    assert stable_paths(training.weights) == stable_paths(plain.weights)
    halves = [training(ops.convert_to_tensor(part), training=False) for part in (IDS[:, :3], IDS[:, 3:])]
    together = np.concatenate([ops.convert_to_numpy(half) for half in halves], axis=1)
    for one, two in zip(training.weights, plain.weights, strict=True):
        two.assign(one)
    np.testing.assert_allclose(plain(ops.convert_to_tensor(IDS)), together, atol=1e-5)


def test_carrying_state_needs_a_batch_size() -> None:
    with pytest.raises(ValueError, match="batch size must be static"):
        build_char_lm(CONFIG, stateful=True)
