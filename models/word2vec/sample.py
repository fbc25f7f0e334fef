"""The loss of a fixed sample of predictions in NumPy, without touching the network: it can be taken at any step."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.word2vec.config import VectorsRecipe
from models.word2vec.huffman import HuffmanCodes

if TYPE_CHECKING:
    from models.word2vec.blocks import Batch


class Predictions(NamedTuple):
    """Words that are predicted, n of them.

    ``contexts`` int32 (n, m): words that a prediction reads; ``shares`` float32 (n, m): what each of them counts.
    ``targets`` int32 (n,): the words that stand there. ``negatives`` int32 (n, N): their negatives.
    """

    contexts: np.ndarray
    shares: np.ndarray
    targets: np.ndarray
    negatives: np.ndarray


def predictions(recipe: VectorsRecipe, batch: Batch, most: int | None = None) -> Predictions:
    """Take the predictions of a batch, evenly spread and at most so many: pairs of skip-gram, windows of CBOW."""
    tokens, (left, right) = batch["tokens"], np.divmod(batch["extents"], recipe.window + 1)
    length, sets = tokens.shape[1], batch["negatives"].shape[1]
    offsets = np.array([offset for offset in range(-recipe.window, recipe.window + 1) if offset])
    at = np.clip(np.arange(length)[:, None] + offsets, 0, length - 1)
    inside = np.where(offsets < 0, left[..., None] >= -offsets, right[..., None] >= offsets)
    contexts, negatives = tokens[:, at], np.tile(batch["negatives"], (1, length // sets, 1))
    if recipe.architecture == "skipgram":
        block, place, _ = found = np.nonzero(inside)
        contexts, shares = contexts[found][:, None], np.ones((len(block), 1), np.float32)
    else:
        block, place = np.nonzero(inside.any(axis=2))
        contexts, shares = contexts[block, place], inside[block, place].astype(np.float32)
        if recipe.combine == "mean":
            shares /= shares.sum(axis=1, keepdims=True)
    whole = Predictions(contexts, shares, tokens[block, place], negatives[block, place])
    count = len(block)
    chosen = np.linspace(0, count - 1, min(count, most or count)).astype(int)
    return Predictions(*(array[chosen] for array in whole))


def own_loss(
    recipe: VectorsRecipe,
    sample: Predictions,
    inputs: np.ndarray,
    outputs: np.ndarray,
    codes: HuffmanCodes | None = None,
) -> float:
    """Return the mean loss that the recipe trains with, in nats; matrices float32 (rows, dimensions)."""
    if recipe.loss == "full_softmax":
        return softmax_loss(sample, inputs, outputs)
    if codes is not None:
        rows, signs = codes.nodes[sample.targets], codes.signs[sample.targets]
    else:
        rows = np.concatenate([sample.targets[:, None], sample.negatives], axis=1)
        signs = np.where(np.arange(rows.shape[1]) == 0, np.float32(1), np.float32(-1)) * np.ones_like(rows)
    scores = np.einsum("nd,nld->nl", _queries(sample, inputs), outputs[rows])
    return float((np.logaddexp(0.0, -scores * signs) * np.abs(signs)).sum(axis=1).mean(dtype=np.float64))


def softmax_loss(
    sample: Predictions, inputs: np.ndarray, outputs: np.ndarray, prior: np.ndarray | float = 0.0
) -> float:
    """Return the mean loss over the whole vocabulary in nats: one measure for networks of different losses.

    Args:
        sample: Of n predictions.
        inputs: Float32 (words, dimensions).
        outputs: The same.
        prior: What is added to the score of each word, float32 (words,), as :func:`prior_of` gives it.
    """
    scores = _queries(sample, inputs) @ outputs.T + prior
    scores -= scores.max(axis=1, keepdims=True)
    right = scores[np.arange(len(scores)), sample.targets]
    return float((np.log(np.exp(scores, out=scores).sum(axis=1)) - right).mean(dtype=np.float64))


def prior_of(recipe: VectorsRecipe, counts: np.ndarray) -> np.ndarray:
    """Return what belongs to the score of each word, float32 (words,), so that scores say how probable it is.

    The score of negative sampling tends to the logarithm of p(word | context) / (N noise(word)) (Levy and Goldberg
    2014); and where frequent words are left out now and then, vectors learn how probable words are among those that
    are left.
    """
    from models.word2vec.blocks import keep_probabilities, noise_distribution  # they load Numba

    prior = -np.log(keep_probabilities(counts, recipe.sample))
    if recipe.loss == "negative_sampling":
        prior = prior + np.log(noise_distribution(counts))
    return prior.astype(np.float32)


def _queries(sample: Predictions, inputs: np.ndarray) -> np.ndarray:
    return np.einsum("nmd,nm->nd", inputs[sample.contexts], sample.shares)
