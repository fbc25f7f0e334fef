"""The loss of a fixed sample beside the network's own."""

from __future__ import annotations

import numpy as np
import pytest

from models.word2vec.blocks import keep_probabilities, noise_distribution
from models.word2vec.sample import own_loss, predictions, prior_of, softmax_loss
from tests.models.test_word2vec import COUNTS, batch, network


@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax", "full_softmax"])
@pytest.mark.parametrize(
    ("architecture", "combine"), [("skipgram", "mean"), ("cbow", "mean"), ("cbow", "sum")]
)
def test_the_loss_of_all_predictions_is_that_of_the_network(loss, architecture, combine):
    model, data = network(loss=loss, architecture=architecture, combine=combine), batch()
    sums = np.asarray(model(data), np.float64).sum(axis=0)
    sample = predictions(model.config, data)
    assert len(sample.targets) == sums[1]
    found = own_loss(model.config, sample, *model.matrices(), model.codes)
    assert found == pytest.approx(sums[0] / sums[1], rel=1e-5)


def test_a_part_of_the_predictions_is_spread_evenly():
    model, data = network(), batch()
    whole, part = predictions(model.config, data), predictions(model.config, data, 5)
    chosen = np.linspace(0, len(whole.targets) - 1, 5).astype(int)
    for all_rows, rows in zip(whole, part, strict=True):
        np.testing.assert_array_equal(all_rows[chosen], rows)


def test_scores_of_negative_sampling_are_read_with_the_noise_and_without_what_is_left_out():
    model = network(architecture="cbow", sample=0.01)
    sample, prior = predictions(model.config, batch()), prior_of(model.config, COUNTS)
    inputs, outputs = (np.array(matrix, np.float64) for matrix in model.matrices())
    noise, keep = noise_distribution(COUNTS), keep_probabilities(COUNTS, 0.01)
    assert keep.min() < 0.6
    total = 0.0
    for contexts, shares, target in zip(sample.contexts, sample.shares, sample.targets, strict=True):
        weights = np.exp(outputs @ (shares @ inputs[contexts])) * noise / keep
        total -= np.log(weights[target] / weights.sum())
    found = softmax_loss(sample, *model.matrices(), prior)
    assert found == pytest.approx(total / len(sample.targets), rel=1e-5)


def test_other_losses_have_no_noise():
    assert not prior_of(network(loss="full_softmax", sample=0.0).config, COUNTS).any()
