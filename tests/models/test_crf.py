"""The CRF against enumeration of all tag sequences."""

from __future__ import annotations

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from models.layers.crf import LinearChainCRF, Potentials, log_partition, negative_log_likelihood
from models.serving.bilstm import pack
from models.serving.crf import PackedCRF

TAGS, LENGTHS = 3, (4, 3, 1, 0)


def example(time: int = 4, extra: int = 0):
    """Return logits, tags, mask and potentials of four sequences, with ``extra`` padded steps."""
    rng = np.random.default_rng(time)
    lengths = np.minimum(LENGTHS, time)
    logits = rng.normal(size=(len(lengths), time + extra, TAGS)).astype("float32")
    tags = rng.integers(0, TAGS, logits.shape[:2]).astype("int32")
    mask = np.arange(time + extra) < lengths[:, None]
    potentials = [rng.normal(size=size).astype("float32") for size in ((TAGS, TAGS), (TAGS,), (TAGS,))]
    return logits, tags, mask, Potentials(*potentials)


def tensors(logits, tags, mask, potentials):
    return (
        ops.convert_to_tensor(logits),
        ops.convert_to_tensor(tags),
        ops.convert_to_tensor(mask),
        Potentials(*map(ops.convert_to_tensor, potentials)),
    )


def all_scores(logits, potentials, length):
    """Score every tag sequence of one sentence by the definition."""
    scores = {}
    for tags in itertools.product(range(TAGS), repeat=length):
        score = potentials.start[tags[0]] + potentials.end[tags[-1]]
        score += sum(logits[step, tag] for step, tag in enumerate(tags))
        score += sum(potentials.transitions[pair] for pair in itertools.pairwise(tags))
        scores[tags] = float(score)
    return scores


@pytest.mark.parametrize("time", [1, 2, 4])
def test_likelihoods_equal_enumeration(time: int) -> None:
    logits, tags, mask, potentials = example(time)
    x, y, m, p = tensors(logits, tags, mask, potentials)
    losses = ops.convert_to_numpy(negative_log_likelihood(x, y, m, p))
    totals = ops.convert_to_numpy(log_partition(x, m, p))
    for row, length in enumerate(mask.sum(axis=1)):
        if length == 0:
            assert losses[row] == totals[row] == 0.0
            continue
        every = all_scores(logits[row], potentials, length)
        total = np.logaddexp.reduce(list(every.values()))
        assert totals[row] == pytest.approx(total, abs=1e-4)
        assert losses[row] == pytest.approx(total - every[tuple(tags[row, :length])], abs=1e-4)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
@pytest.mark.parametrize("time", [1, 2, 4])
def test_best_tags_and_marginals_equal_enumeration(time: int, temperature: float) -> None:
    logits, _, mask, potentials = example(time)
    serving, lengths = PackedCRF(*potentials), mask.sum(axis=1)[:3]  # the last one has no word
    best = serving.viterbi(logits[mask], pack(lengths))
    shares = serving.marginals(logits[mask], pack(lengths), temperature=temperature)
    start = 0
    for row, length in enumerate(lengths):
        every = all_scores(logits[row], potentials, length)
        assert tuple(best[start : start + length]) == max(every, key=every.get)
        total = np.logaddexp.reduce([score / temperature for score in every.values()])
        expected = np.zeros((length, TAGS))
        for sequence, score in every.items():
            expected[np.arange(length), list(sequence)] += np.exp(score / temperature - total)
        np.testing.assert_allclose(shares[start : start + length], expected, atol=1e-5)
        start += length


@pytest.mark.parametrize("time", [1, 2, 4])
def test_serving_knows_the_likelihood_that_is_trained(time: int) -> None:
    logits, tags, mask, potentials = example(time)
    losses = ops.convert_to_numpy(negative_log_likelihood(*tensors(logits, tags, mask, potentials)))
    serving, packing = PackedCRF(*potentials), pack(mask.sum(axis=1)[:3])
    assert serving.log_likelihood(logits[mask], packing, tags[mask]) == pytest.approx(-losses.sum(), abs=1e-4)


def test_padding_changes_nothing() -> None:
    plain, padded = tensors(*example()), tensors(*example_padded())
    np.testing.assert_allclose(
        negative_log_likelihood(*plain), negative_log_likelihood(*padded), rtol=1e-5, atol=1e-5
    )


def example_padded():
    """Return the example with two padded steps that hold other numbers."""
    logits, tags, mask, potentials = example()
    noise = np.full((len(logits), 2, TAGS), 7.0, "float32")
    return (
        np.concatenate([logits, noise], axis=1),
        np.concatenate([tags, np.full((len(tags), 2), -1, "int32")], axis=1),
        np.concatenate([mask, np.zeros((len(mask), 2), bool)], axis=1),
        potentials,
    )


def test_works_in_a_graph_of_unknown_length() -> None:
    logits, tags, mask, potentials = example()
    layer = LinearChainCRF(TAGS)
    inputs = keras.Input((None, TAGS))
    model = keras.Model(inputs, layer(inputs))
    for weight, value in zip(layer.weights, potentials, strict=True):
        weight.assign(value)
    model.compile(keras.optimizers.SGD(0.5), layer.loss)
    labels = np.where(mask, tags, -1)
    expected = np.sum(negative_log_likelihood(*tensors(logits, tags, mask, potentials))) / mask.sum()
    assert model.evaluate(logits, labels, verbose=0) == pytest.approx(expected, rel=1e-5)
    before = layer.transitions.numpy().copy()
    model.train_on_batch(logits, labels)
    assert model.evaluate(logits, labels, verbose=0) < expected
    assert np.abs(layer.transitions.numpy() - before).max() > 1e-3
    single = model.evaluate(logits[:, :1], labels[:, :1], verbose=0)
    assert np.isfinite(single)


def test_saved_and_loaded_like_any_layer(tmp_path) -> None:
    layer = LinearChainCRF(TAGS, name="crf")
    inputs = keras.Input((None, TAGS))
    model = keras.Model(inputs, layer(inputs))
    for weight, value in zip(layer.weights, example()[3], strict=True):
        weight.assign(value)
    model.save(tmp_path / "model.keras")
    revived = keras.models.load_model(tmp_path / "model.keras").get_layer("crf")
    assert revived.get_config() == layer.get_config()
    logits, tags, mask, _ = example()
    labels = np.where(mask, tags, -1)
    np.testing.assert_array_equal(revived.loss(labels, logits), layer.loss(labels, logits))
