from __future__ import annotations

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from models.word2vec.config import VectorsRecipe
from models.word2vec.huffman import huffman_codes
from models.word2vec.network import Word2Vec, linear_decay
from tests.models.contract import check_config_round_trip
from tests.repeated import slow_but

VOCABULARY, DIMENSIONS, WINDOW = 11, 6, 2
COUNTS = np.array([90, 60, 40, 30, 20, 15, 10, 8, 6, 5, 5])
TOLERANCE = 2e-5


def batch(blocks: int = 4, length: int = 6, sets: int = 3, negatives: int = 3) -> dict:
    rng = np.random.default_rng(0)
    places = np.arange(length)
    reach = rng.integers(1, WINDOW + 1, (blocks, length))
    left, right = np.minimum(reach, places), np.minimum(reach, length - 1 - places)
    return {
        "tokens": rng.integers(VOCABULARY, size=(blocks, length)).astype(np.int32),
        "extents": (left * (WINDOW + 1) + right).astype(np.int32),
        "negatives": rng.integers(VOCABULARY, size=(blocks, sets, negatives)).astype(np.int32),
    }


def network(**changes) -> Word2Vec:
    config = VectorsRecipe(dimensions=DIMENSIONS, window=WINDOW, **{"threads": 1, **changes})
    model = Word2Vec(config, COUNTS)
    rng = np.random.default_rng(1)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return model


def window_of(data: dict, block: int, place: int) -> list[int]:
    left, right = divmod(int(data["extents"][block, place]), WINDOW + 1)
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
        noise = np.log1p(np.exp(outputs[negatives] @ query)).sum()
        return float(np.log1p(np.exp(-outputs[word] @ query)) + noise)

    for block, place in np.ndindex(*data["tokens"].shape):
        words = data["tokens"][block]
        negatives = data["negatives"][block, place % data["negatives"].shape[1]]
        window = window_of(data, block, place)
        if config.architecture == "skipgram":
            total += sum(predict(inputs[words[other]], words[place], negatives) for other in window)
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


def word_by_word(data: dict) -> list[dict]:
    """A batch for each word, in which no other word has a window."""
    found = []
    for block, place in np.ndindex(*data["tokens"].shape):
        own = {name: array[block : block + 1] for name, array in data.items()}
        alone = np.zeros_like(own["extents"])
        alone[0, place] = own["extents"][0, place]
        found.append({**own, "extents": alone})
    return found


WAYS = (("skipgram", "mean"), ("cbow", "mean"), ("cbow", "sum"))
QUICK = {(*way, tied, blocks) for way, tied, blocks in zip(WAYS, (False, True, True), (4, 4, 1), strict=True)}


@pytest.mark.parametrize(
    ("architecture", "combine", "tied", "blocks"),
    slow_but(QUICK, [(*way, tied, blocks) for way in WAYS for tied in (False, True) for blocks in (1, 4)]),
)
def test_compiled_steps_equal_automatic_differentiation(architecture, combine, tied, blocks):
    options = {"architecture": architecture, "combine": combine, "tied": tied, "context_gradient": "exact"}
    data = batch(blocks=blocks)
    results = []
    for compiled, batches in ((True, [data]), (False, word_by_word(data))):
        model = network(**options)
        before = np.asarray(model.input_vectors).copy()
        model.compile(keras.optimizers.SGD(0.1), compiled_steps=compiled)
        model.fit(as_dataset(batches), verbose=0)
        results.append([np.asarray(weight) for weight in model.trainable_weights])
        assert np.abs(results[-1][0] - before).max() > 0.01
    for compiled, automatic in zip(*results, strict=True):
        np.testing.assert_allclose(compiled, automatic, atol=TOLERANCE)


def trained(batches: list[dict], **changes) -> list[np.ndarray]:
    model = network(**changes)
    model.compile(keras.optimizers.SGD(0.1))
    model.fit(as_dataset(batches), verbose=0)
    return [np.asarray(weight) for weight in model.trainable_weights]


def test_blocks_of_a_batch_follow_each_other():
    data = batch(blocks=3)
    parts = [{name: array[block : block + 1] for name, array in data.items()} for block in range(3)]
    for one, other in zip(trained([data]), trained(parts), strict=True):
        np.testing.assert_allclose(one, other, atol=TOLERANCE)


def test_blocks_side_by_side_start_from_the_same_vectors_and_add_what_they_change():
    data = batch(blocks=3)
    first = [np.asarray(weight) for weight in network().trainable_weights]
    parts = [{name: array[block : block + 1] for name, array in data.items()} for block in range(3)]
    alone = [trained([part]) for part in parts]
    for number, found in enumerate(trained([data], threads=3)):
        expected = first[number] + sum(one[number] - first[number] for one in alone)
        np.testing.assert_allclose(found, expected, atol=TOLERANCE)


@pytest.mark.parametrize("tied", [False, True])
def test_several_threads_give_the_same_bits(tied):
    data = batch(blocks=40)
    first = trained([data, data], threads=3, tied=tied)
    for _ in range(5):
        for one, other in zip(first, trained([data, data], threads=3, tied=tied), strict=True):
            np.testing.assert_array_equal(one, other)


def test_full_context_gradient_is_that_of_every_context_word_by_itself():
    data = batch(blocks=1, length=3)
    data["extents"][:] = 0
    data["extents"][0, 1] = 1 * (WINDOW + 1) + 1  # only the middle word has a context, of two words
    data["tokens"][:] = [[1, 2, 3]]
    changes = {}
    for gradient in ("full", "exact"):
        model = network(architecture="cbow", context_gradient=gradient)
        before = np.asarray(model.input_vectors).copy()
        model.compile(keras.optimizers.SGD(0.1))
        model.fit(as_dataset([data]), verbose=0)
        changes[gradient] = np.asarray(model.input_vectors) - before
    np.testing.assert_allclose(changes["full"], 2 * changes["exact"], atol=1e-6)
    assert np.abs(changes["full"][[1, 3]]).min() > 0


@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax", "full_softmax"])
@pytest.mark.parametrize("architecture", ["skipgram", "cbow"])
def test_training_lowers_the_loss(loss, architecture):
    data = batch()
    model = network(loss=loss, architecture=architecture)
    model.compile(keras.optimizers.SGD(0.05))
    before = model.mean_loss(data)
    model.fit(as_dataset([data] * 30), verbose=0)
    assert model.mean_loss(data) < 0.8 * before


def test_padding_has_no_loss_and_no_gradient():
    data = batch()
    data["extents"][2:] = 0
    short = {**data, "tokens": data["tokens"].copy()}
    short["tokens"][2:] = 0
    model = network()
    np.testing.assert_allclose(np.asarray(model(data)), np.asarray(model(short)), atol=1e-6)
    assert (np.asarray(model(data))[2:] == 0).all()


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
        "seed": 9,
        "shrinking": False,
        "sample": 0.5,
        "block_length": 16,
        "blocks": 12,
        "negative_sets": 8,
        "min_count": 2,
        "max_vocabulary": 90,
        "kept_words": 80,
        "output_words": 70,
        "spelling": 0.5,
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
        ({"window": 0}, "window does not fit. Allowed: greater than or equal to 1"),
        ({"block_length": 2}, "longer than the window"),
        ({"block_length": 8, "negative_sets": 3}, "negative_sets must divide"),
        ({"sample": -0.1}, "sample does not fit. Allowed: greater than or equal to 0"),
        ({"tied": True, "loss": "hierarchical_softmax"}, "cannot be tied"),
    ],
)
def test_wrong_config_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        VectorsRecipe(**changes)


def as_dataset(batches: list[dict]):
    from data_prep.batching import as_dataset as dataset

    return dataset(lambda: iter(batches), fixed_shapes=True)
