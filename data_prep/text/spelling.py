"""Word vectors mixed with what the spelling of words says about them: a step after training, for any language.

Rare words have vectors of few examples, but parts of them stand in other words. Each n-gram of characters gets a
vector, so that the n-grams of a word add up to the vector of the word, by ridge regression in which frequent words
count more. That sum is then added to the vector of the word. Vectors are centred first; their lengths stay.

Sources: Bojanowski et al. 2017, "Enriching word vectors with subword information" (n-grams of three to six characters
with marks at the ends of the word); Mu and Viswanath 2018, "All-but-the-top" (centring).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_RIDGE = 20.0
_STEPS = 15  # of conjugate gradients
_LEAST = np.float32(1e-12)


def with_spelling(vectors: WordVectors, weight: float) -> WordVectors:
    """Return vectors of the same words and lengths that point to the centred vector plus ``weight`` times its spelling.

    Args:
        vectors: As they were trained; frequent words count more where ``counts`` are known.
        weight: 0 or more; 0 returns the vectors as they are.

    Raises:
        InputError: The weight is negative or not finite, or no two words share an n-gram.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    if not 0 <= weight < np.inf:
        raise InputError("The weight of the spelling is out of range", allowed="0 or more", received=weight)
    if weight == 0:
        return vectors
    directions = _unit(vectors.normalized - vectors.normalized.mean(axis=0))
    shares = np.sqrt(np.ones(len(vectors)) if vectors.counts is None else np.asarray(vectors.counts, float))
    shares = (shares / max(shares.mean(), 1e-12)).astype(np.float32)
    # n-grams that stand in two words or more; a word has a space before it and behind it
    counter = CountVectorizer(
        analyzer="char_wb", ngram_range=(3, 6), min_df=2, lowercase=False, dtype=np.float32
    )
    try:
        ngrams = counter.fit_transform(vectors.keys)
    except ValueError as error:
        raise InputError("No two words have letters in common: their spelling says nothing") from error
    mixed = _unit(directions + np.float32(weight) * _spelled(ngrams, directions, shares[:, None]))
    return WordVectors(vectors.vocabulary, np.linalg.norm(vectors.vectors, axis=1, keepdims=True) * mixed)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _LEAST)


def _spelled(ngrams: csr_matrix, directions: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return what n-grams say of each word: ``ngrams @ N``, N the ridge regression of the directions on them.

    The minimum of ``sum(shares * |directions - ngrams @ N|²) + ridge * |N|²`` by conjugate gradients with a diagonal
    preconditioner (Hestenes and Stiefel 1952), each dimension for itself.
    """
    transposed = ngrams.T.tocsr()
    scale = 1 / (transposed.multiply(transposed) @ shares + np.float32(_RIDGE))
    found = np.zeros((ngrams.shape[1], directions.shape[1]), np.float32)
    residual = transposed @ (shares * directions)
    step, before = 0.0, 1.0
    for _ in range(_STEPS):
        turned = scale * residual
        now = (residual * turned).sum(axis=0)
        step = turned + now / np.maximum(before, _LEAST) * step
        image = transposed @ (shares * (ngrams @ step)) + np.float32(_RIDGE) * step
        length = now / np.maximum((step * image).sum(axis=0), _LEAST)
        found, residual, before = found + length * step, residual - length * image, now
    return ngrams @ found
