"""Pictures of word vectors in two dimensions: the plane of an analogy, and maps by PCA and t-SNE."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from apps.vectors.results import MapResult, PlaneResult
from data_prep.errors import InputError

MAX_MAP_WORDS = {"pca": 5000, "tsne": 2000}  # t-SNE of more takes over a minute on two cores
_MIN_MAP_WORDS = 4
_PERPLEXITY = 30.0  # scikit-learn's default; smaller where there are few words


def plane(words: Sequence[str], vectors: np.ndarray) -> PlaneResult:
    """Project words on the plane through the first three.

    In "a is to b as c is to d" the plane holds a, b, c and the point b + c - a, the fourth corner of the
    parallelogram, without distortion; d and other words are projected at right angles. The origin is a, the
    first axis points to b, the second is at right angles to it, towards c.

    Args:
        words: a, b, c and any others.
        vectors: Floats of shape (words, dimensions).

    Returns:
        Coordinates of every word and of the corner, with the shares of squared distance that are shown.

    Raises:
        InputError: There are fewer than three words, or the first three lie on a line.
    """
    if len(words) < 3:
        raise InputError("A plane needs three words", received=list(words))
    offsets = vectors.astype(np.float64) - vectors[0]  # (words, dimensions)
    first, second = offsets[1], offsets[2]
    length = np.linalg.norm(first)
    axis_x = first / max(length, 1e-12)
    across = second - (second @ axis_x) * axis_x
    height = np.linalg.norm(across)
    if length < 1e-6 or height < 1e-6:
        raise InputError(
            "The first three words do not span a plane",
            allowed="three different words",
            received=list(words[:3]),
        )
    coordinates = offsets @ np.stack([axis_x, across / height], axis=1)  # (words, 2)
    shown, squared = coordinates**2, (offsets**2).sum(axis=1)
    kept = np.divide(shown.sum(axis=1), squared, out=np.ones(len(words)), where=squared > 0)
    return PlaneResult(
        words=tuple(words),
        coordinates=tuple(map(tuple, coordinates.tolist())),
        corner=tuple((coordinates[1] + coordinates[2]).tolist()),
        axes=(f"{words[0]} → {words[1]}", f"towards {words[2]}, at right angles"),
        explained=tuple((shown.sum(axis=0) / squared.sum()).tolist()),
        kept=tuple(np.minimum(kept, 1.0).tolist()),
    )


def word_map(words: Sequence[str], vectors: np.ndarray, method: str = "pca", seed: int = 0) -> MapResult:
    """Lay words out in two dimensions.

    Args:
        words: Different words, 4 to 5,000 (t-SNE: 2,000).
        vectors: Floats of shape (words, dimensions).
        method: ``"pca"`` (principal components of the centred vectors; each axis points to the word that lies
            furthest out) or ``"tsne"`` (van der Maaten and Hinton 2008, scikit-learn's, started from PCA).
        seed: Of t-SNE, 0 to 4,294,967,295.

    Returns:
        Coordinates and the names of the axes.

    Raises:
        InputError: The method is unknown, there are too few or too many words, all vectors are equal, or the seed is
            none.
    """
    if method not in MAX_MAP_WORDS:
        raise InputError("Unknown method for a map", allowed=", ".join(MAX_MAP_WORDS), received=method)
    if not _MIN_MAP_WORDS <= len(words) <= MAX_MAP_WORDS[method]:
        raise InputError(
            f"A map by {method} shows {_MIN_MAP_WORDS} to {MAX_MAP_WORDS[method]} words", received=len(words)
        )
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    if not np.abs(centred).max() > 1e-6:
        raise InputError("The words of a map have different vectors", received=list(words[:5]))
    centred = np.pad(centred, ((0, 0), (0, 1)))  # a second dimension for vectors of one
    if method == "tsne":
        from sklearn.manifold import TSNE

        if seed not in range(2**32):
            raise InputError("The seed of a map does not fit", allowed="0 to 4294967295", received=seed)
        perplexity = min(_PERPLEXITY, (len(words) - 1) / 3.0)
        points = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(centred)
        axes, explained = ("t-SNE 1", "t-SNE 2"), None
    else:
        left, singular, _ = np.linalg.svd(centred, full_matrices=False)
        points = left[:, :2] * singular[:2]
        furthest = points[np.abs(points).argmax(axis=0), [0, 1]]
        points *= np.where(furthest < 0, -1.0, 1.0)
        explained = tuple((singular[:2] ** 2 / (singular**2).sum()).tolist())
        axes = tuple(_axis_name(words, points[:, axis]) for axis in (0, 1))
    return MapResult(method, tuple(words), tuple(map(tuple, points.tolist())), axes, explained)


def _axis_name(words: Sequence[str], values: np.ndarray) -> str:
    order = np.argsort(values, kind="stable")
    low, high = (", ".join(words[row] for row in rows) for rows in (order[:2], order[:-3:-1]))
    return f"{low} ↔ {high}"
