"""Labels of documents among words: where the rows of W in softmax(Wz) lie in the map of word vectors."""

from __future__ import annotations

import dataclasses

import numpy as np

from apps.reviews.application import Reviews
from apps.reviews.explain import main_member, word_scores
from apps.shared.results import Result
from apps.vectors.application import maps
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors

_RIDGE = 10.0  # of unit vectors over thousands of words: keeps rare directions from following noise
_FEWEST = 20  # words below which a direction says nothing


@dataclasses.dataclass(frozen=True, slots=True)
class LabelMap(Result):
    """Labels and words on one map.

    Attributes:
        map: Labels first, each with ``«»`` around it, then words.
        labels: How many of the points are labels.
        belongs: For each point the label that its word speaks for most; None for words that speak for none.
        fit: For each label, the share of the variance of what words say for it that word vectors explain (R²).
    """

    map: maps.MapResult
    labels: int
    belongs: tuple[str | None, ...]
    fit: tuple[float, ...]


def label_map(
    reviews: Reviews,
    vectors: WordVectors,
    *,
    words: int = 14,
    others: int = 60,
    method: str = "pca",
    member: int | None = None,
) -> LabelMap:
    """Lay labels out among words.

    The network's W and the word vectors live in different spaces. A label's place among words is the direction along
    which words speak for it: ridge regression from the unit vectors of frequent words to what each adds to the label's
    logit (:func:`apps.reviews.explain.word_scores`).

    Args:
        reviews: The classifier.
        vectors: Of words, such as those of the page "Word vectors".
        words: The nearest words of each label.
        others: Frequent words that speak for no label, for comparison.
        method: As :func:`apps.vectors.maps.word_map` takes it.
        member: Number of the network, from 0; None takes the one with the largest weight.

    Returns:
        The map.

    Raises:
        InputError: Too few words are in both vocabularies, or the method is unknown.
    """
    found, scores = word_scores(reviews, main_member(reviews) if member is None else member)
    both = [at for at, word in enumerate(found) if word in vectors]
    if len(both) < _FEWEST:
        raise InputError(
            "Too few words of this preset have a vector",
            allowed=f"{_FEWEST} words or more",
            received=len(both),
        )
    names, scores = [found[at] for at in both], scores[both]
    units = vectors.normalized[[vectors.index(name) for name in names]].astype(np.float64)
    directions, fit = _directions(units, scores)
    nearest = [np.argsort(-scores[:, at], kind="stable")[:words] for at in range(len(reviews.labels))]
    quiet = np.argsort(np.abs(scores[: 20 * others]).max(axis=1), kind="stable")[:others]
    chosen = list(dict.fromkeys([*np.concatenate(nearest).tolist(), *quiet.tolist()]))
    strongest = scores[chosen].argmax(axis=1)
    belongs: list[str | None] = list(reviews.labels)
    silent = set(quiet.tolist()) - set(np.concatenate(nearest).tolist())
    for row, label in zip(chosen, strongest.tolist(), strict=True):
        belongs.append(None if row in silent else reviews.labels[label])
    points = np.concatenate([_among(units, directions), units[chosen]])
    titles = [f"«{label}»" for label in reviews.labels] + [names[row] for row in chosen]
    return LabelMap(maps.word_map(titles, points, method), len(reviews.labels), tuple(belongs), fit)


def _among(units: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Put directions as far from the middle of the words as a word usually is."""
    middle = units.mean(axis=0)
    return middle + directions * np.linalg.norm(units - middle, axis=1).mean()


def _directions(units: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, tuple[float, ...]]:
    """Fit directions float64 (labels, dimensions) of length 1, and how much of each label's scores they explain."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    fitted = Ridge(alpha=_RIDGE).fit(units, scores)
    explained = r2_score(scores, fitted.predict(units), multioutput="raw_values")
    lengths = np.maximum(np.linalg.norm(fitted.coef_, axis=1, keepdims=True), 1e-12)
    return fitted.coef_ / lengths, tuple(explained.tolist())
