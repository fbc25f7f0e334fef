from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from models.word2vec.config import VectorsRecipe
from models.word2vec.damping import row_damping
from models.word2vec.huffman import huffman_codes
from models.word2vec.network import Word2Vec, linear_decay
from models.word2vec.steps import window_tables
from tests.models.contract import check_config_round_trip

VOCABULARY, DIMENSIONS, WINDOW = 11, 6, 2
COUNTS = np.array([90, 60, 40, 30, 20, 15, 10, 8, 6, 5, 5])
TOLERANCE = 2e-5


def batch(steps: int = 2, blocks: int = 4, length: int = 5, groups: int = 2, shared: int = 3) -> dict:
    rng = np.random.default_rng(0)
    places = np.arange(length)
    reach = rng.integers(1, WINDOW + 1, (steps, blocks, length))
    left, right = np.minimum(reach, places), np.minimum(reach, length - 1 - places)
    return {
        "tokens": rng.integers(VOCABULARY, size=(steps, blocks, length)).astype(np.int32),
        "extents": (left * (WINDOW + 1) + right).astype(np.int32),
        "negatives": rng.integers(VOCABULARY, size=(steps, groups, shared)).astype(np.int32),
    }


def network(**changes) -> Word2Vec:
    config = VectorsRecipe(dimensions=DIMENSIONS, window=WINDOW, **{"damping": 0.0, **changes})
    model = Word2Vec(config, COUNTS)
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return model


def window_of(data: dict, step: int, block: int, place: int) -> list[int]:
    left, right = divmod(int(data["extents"][step, block, place]), WINDOW + 1)
    return [other for other in range(place - left, place + right + 1) if other != place]


def direct_loss(model: Word2Vec, data: dict) -> float:
    """The loss word by word, straight from the formulas, in float64."""
    config = model.config
    inputs = np.asarray(model.input_vectors, np.float64)
    outputs = np.asarray(model.output_vectors, np.float64)
    codes = huffman_codes(COUNTS)
    total = 0.0

    def predict(query: np.ndarray, word: int, negatives: np.ndarray) -> float:
        if config.loss == "full_softmax":
            scores = outputs @ query
            return float(np.log(np.exp(scores).sum()) - scores[word])
        if config.loss == "hierarchical_softmax":
            path = codes.signs[word] != 0
            scores = outputs[codes.nodes[word][path]] @ query * codes.signs[word][path]
            return float(np.log1p(np.exp(-scores)).sum())
        noise = np.log1p(np.exp(outputs[negatives] @ query)).sum() * config.negatives / len(negatives)
        return float(np.log1p(np.exp(-outputs[word] @ query)) + noise)

    steps, blocks, length = data["tokens"].shape
    groups = data["negatives"].shape[1]
    for step, block, place in itertools.product(range(steps), range(blocks), range(length)):
        words = data["tokens"][step, block]
        negatives = data["negatives"][step, block * groups // blocks]
        window = window_of(data, step, block, place)
        if config.architecture == "skipgram":
            total += sum(predict(inputs[words[place]], words[other], negatives) for other in window)
        elif window:
            query = inputs[words[window]].sum(0)
            query = query / len(window) if config.combine == "mean" else query
            total += predict(query, words[place], negatives)
    return total


@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax", "full_softmax"])
@pytest.mark.parametrize(
    ("architecture", "combine", "tied"),
    [("skipgram", "mean", False), ("skipgram", "mean", True), ("cbow", "mean", False), ("cbow", "sum", True)],
)
def test_every_loss_equals_its_formula(loss, architecture, combine, tied):
    if tied and loss == "hierarchical_softmax":
        tied = False  # tree nodes are not words: refused, see below
    model = network(loss=loss, architecture=architecture, combine=combine, tied=tied)
    data = batch()
    total = float(np.asarray(model(data))[:, 0].sum())
    assert total == pytest.approx(direct_loss(model, data), rel=1e-5)


def test_number_of_predictions():
    data = batch()
    pairs = sum(len(window_of(data, *where)) for where in np.ndindex(*data["tokens"].shape))
    assert np.asarray(network()(data))[:, 1].sum() == pairs
    assert np.asarray(network(architecture="cbow")(data))[:, 1].sum() == data["tokens"].size


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the hand-written step is TensorFlow's")
@pytest.mark.parametrize("blocks", [1, 4])  # one part, and two parts side by side
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(
    ("architecture", "combine"), [("skipgram", "mean"), ("cbow", "mean"), ("cbow", "sum")]
)
def test_hand_written_step_equals_automatic_differentiation(architecture, combine, tied, blocks):
    options = {"architecture": architecture, "combine": combine, "tied": tied, "context_gradient": "exact"}
    data = batch(steps=1, blocks=blocks, groups=min(2, blocks))
    results = []
    for hand_written in (True, False):
        model = network(**options)
        before = np.asarray(model.input_vectors).copy()
        model.compile(keras.optimizers.SGD(0.1), hand_written=hand_written)
        model.fit(as_dataset([data]), verbose=0)
        results.append([np.asarray(weight) for weight in model.trainable_weights])
        assert np.abs(results[-1][0] - before).max() > 0.01
    for by_hand, automatic in zip(*results, strict=True):
        np.testing.assert_allclose(by_hand, automatic, atol=TOLERANCE)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the hand-written step is TensorFlow's")
def test_steps_of_a_batch_follow_each_other():
    data = batch(steps=3)
    together, apart = network(), network()
    together.compile(keras.optimizers.SGD(0.1))
    apart.compile(keras.optimizers.SGD(0.1))
    together.fit(as_dataset([data]), verbose=0)
    parts = [{name: array[step : step + 1] for name, array in data.items()} for step in range(3)]
    apart.fit(as_dataset(parts), verbose=0)
    for one, other in zip(together.trainable_weights, apart.trainable_weights, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=TOLERANCE)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the hand-written step is TensorFlow's")
def test_full_context_gradient_is_that_of_every_context_word_by_itself():
    data = batch(steps=1, blocks=1, length=3, groups=1)
    data["extents"][:] = 0
    data["extents"][0, 0, 1] = 1 * (WINDOW + 1) + 1  # only the middle word has a context, of two words
    data["tokens"][:] = [[[1, 2, 3]]]
    changes = {}
    for gradient in ("full", "exact"):
        model = network(architecture="cbow", context_gradient=gradient)
        before = np.asarray(model.input_vectors).copy()
        model.compile(keras.optimizers.SGD(0.1))
        model.fit(as_dataset([data]), verbose=0)
        changes[gradient] = np.asarray(model.input_vectors) - before
    np.testing.assert_allclose(changes["full"], 2 * changes["exact"], atol=1e-6)
    assert np.abs(changes["full"][[1, 3]]).min() > 0


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the hand-written step is TensorFlow's")
def test_damping_scales_the_rows_of_frequent_words():
    data = batch(steps=1)
    changes = []
    for damping in (0.0, 20.0):
        model = network(damping=damping)
        before = np.asarray(model.input_vectors).copy()
        model.compile(keras.optimizers.SGD(0.1))
        model.fit(as_dataset([data]), verbose=0)
        changes.append(np.asarray(model.input_vectors) - before)
    factors, _ = row_damping(COUNTS, 20, network(damping=20.0).config)
    assert factors[0] < 1 and factors[-1] == 1
    np.testing.assert_allclose(changes[1], changes[0] * factors[:, None], atol=1e-6)


@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax", "full_softmax"])
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_training_lowers_the_loss(loss, architecture):
    data = batch(steps=1)
    model = network(loss=loss, architecture=architecture)
    model.compile(keras.optimizers.SGD(0.05))
    before = model.mean_loss(data)
    model.fit(as_dataset([data] * 30), verbose=0)
    assert model.mean_loss(data) < 0.8 * before


def test_padding_has_no_loss_and_no_gradient():
    data = batch(steps=1)
    data["extents"][:, 2:] = 0
    short = {**data, "tokens": data["tokens"].copy()}
    short["tokens"][:, 2:] = 0
    model = network()
    np.testing.assert_allclose(np.asarray(model(data)), np.asarray(model(short)), atol=1e-6)
    assert (np.asarray(model(data))[2:] == 0).all()


def test_window_tables_agree_with_the_mask_of_the_network():
    data = batch()
    masks, pairs = window_tables(5, WINDOW)
    extents = data["extents"].reshape(-1, 5)
    rows = np.arange(5) * (WINDOW + 1) ** 2 + extents
    np.testing.assert_array_equal(
        masks[rows], np.asarray(network()._window_mask(keras.ops.convert_to_tensor(extents)))
    )
    np.testing.assert_array_equal(pairs[extents], masks[rows].sum(-1))


def test_huffman_codes_are_a_prefix_code_with_short_paths_for_frequent_words():
    codes = huffman_codes(COUNTS)
    lengths = (codes.signs != 0).sum(1)
    assert (2.0**-lengths).sum() == pytest.approx(1.0)
    assert (np.diff(lengths) >= 0).all()
    paths = {
        tuple(zip(nodes[:n], signs[:n], strict=True)) for nodes, signs, n in zip(*codes, lengths, strict=True)
    }
    assert len(paths) == VOCABULARY
    assert codes.nodes.max() == VOCABULARY - 2


def test_probabilities_of_the_tree_sum_to_one():
    codes = huffman_codes(COUNTS)
    nodes, query = np.random.default_rng(0).normal(size=(VOCABULARY - 1, 4)), np.ones(4)
    score = (nodes[codes.nodes] @ query) * codes.signs
    probability = np.where(codes.signs != 0, 1 / (1 + np.exp(-score)), 1.0).prod(1)
    assert probability.sum() == pytest.approx(1.0)


def test_learning_rate_falls_in_a_straight_line():
    schedule = linear_decay(0.1, 0.0, 10)
    assert [float(schedule(step)) for step in (0, 5, 10, 12)] == pytest.approx(
        [0.1, 0.05, 0.0, 0.0], abs=1e-7
    )


def test_recipe_survives_saving():
    values = {
        "dimensions": 3,
        "architecture": "cbow",
        "combine": "sum",
        "tied": True,
        "loss": "full_softmax",
        "negatives": 2,
        "window": 4,
        "context_gradient": "exact",
        "damping": 3.0,
        "seed": 9,
        "shrinking": False,
        "sample": 0.5,
        "block_length": 16,
        "blocks": 12,
        "blocks_per_group": 4,
        "shared_negatives": 7,
        "steps": 3,
        "min_count": 2,
        "max_vocabulary": 90,
        "kept_words": 80,
        "output_words": 70,
        "storage": "float32",
        "learning_rate": 0.5,
        "minimum_learning_rate": 0.25,
        "epochs": 6,
        "threads": 1,
    }
    check_config_round_trip(VectorsRecipe, values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dimensions": 0}, "dimensions does not fit. Allowed: greater than or equal to 1"),
        ({"negatives": 0}, "negatives does not fit. Allowed: greater than or equal to 1"),
        ({"damping": -1.0}, "damping does not fit. Allowed: greater than or equal to 0"),
        ({"tied": True, "loss": "hierarchical_softmax"}, "cannot be tied"),
    ],
)
def test_wrong_config_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        VectorsRecipe(**changes)


def as_dataset(batches: list[dict]):
    from data_prep.batching import as_dataset as dataset

    return dataset(lambda: iter(batches), fixed_shapes=True)
