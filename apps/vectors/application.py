"""Vectors: neighbours, analogies, odd one out and similarity over word vectors, with gensim's answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from apps.shared.application import Application
from apps.vectors import maps
from apps.vectors.expressions import parse_expression
from apps.vectors.lookup import WordLookup
from apps.vectors.results import AnalogyResult, MapResult, Neighbour, OddOneOut, PlaneResult, Term
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from models.presets.kinds import kind_named
from models.presets.store import Preset

DEFAULT_PRESET = "vectors_en_wiki"
METHODS = ("add", "multiply")
MAX_TOPN = 10_000
_COSMUL_EPSILON = 1e-6  # keeps the denominator of 3CosMul from zero; gensim's value
_SMALLEST = 1e-12  # floor below which the logarithm of a similarity is not taken


class Vectors(WordLookup, Application):
    """Questions to word vectors.

    All similarities are cosines. A word is looked up as written and, if there is no such key, by the key rule
    of the vocabulary (NFC, lower case).

    Args:
        word_vectors: The vectors; never changed, so one object can serve many threads.
        more: Metadata and metrics of the preset, where there is one.
    """

    kind = "word_vectors"
    default_preset = DEFAULT_PRESET

    def __init__(self, word_vectors: WordVectors, **more: Any) -> None:
        config = kind_named(self.kind).config_class(len(word_vectors), word_vectors.dimensions)
        super().__init__(config, {"vectors": word_vectors.vectors}, **more)
        self.word_vectors = word_vectors

    @classmethod
    def of(cls, preset: Preset) -> Vectors:
        """Make the application of an opened preset."""
        vectors = WordVectors(preset.vocabulary, preset.arrays["vectors"])
        return cls(vectors, metadata=preset.metadata, metrics=preset.metrics)

    @classmethod
    def from_file(cls, path: Path | str, file_format: str | None = None) -> Vectors:
        """Open a file of word vectors.

        Args:
            path: npz, word2vec text or word2vec binary.
            file_format: ``"npz"``, ``"text"``, ``"binary"`` or None to look.

        Returns:
            The application.

        Raises:
            InputError: The file is missing or not well-formed.
        """
        return cls(WordVectors.load(path, file_format))

    def similarity(self, first: str, second: str) -> float:
        """Cosine of two words.

        Args:
            first: A word.
            second: Another.

        Returns:
            From -1 to 1.

        Raises:
            InputError: A word is unknown.
        """
        return float(np.dot(*self._unit(self.keys([first, second]))))

    def neighbours(
        self, word_or_vector: str | np.ndarray, topn: int = 10, exclude: Iterable[str] = ()
    ) -> tuple[Neighbour, ...]:
        """Find the closest words, as gensim's ``similar_by_word`` and ``similar_by_vector``.

        Args:
            word_or_vector: A word, which is not its own neighbour, or any vector of shape (dimensions,).
            topn: How many, 1 to 10,000; fewer come back where there are no more.
            exclude: Known words to leave out besides.

        Returns:
            Words and cosines, the closest first.

        Raises:
            InputError: A word is unknown, or the vector has another shape, is zero or not finite.
        """
        _check_topn(topn)
        excluded = self.keys(exclude)
        if isinstance(word_or_vector, str):
            (key,) = self.keys([word_or_vector])
            excluded.append(key)
            query = self._unit([key])[0]
        else:
            query = self._unit_query(np.asarray(word_or_vector))
        return self._best(self.word_vectors.normalized @ query, excluded, topn)

    def analogy(
        self,
        expression: str,
        *,
        topn: int = 10,
        method: str = "add",
        allow_query_words: bool = False,
        expected: str | None = None,
        ignore_unknown: bool = False,
    ) -> AnalogyResult:
        """Answer an expression, as gensim's ``most_similar`` and ``most_similar_cosmul``.

        Additive (3CosAdd, Mikolov et al. 2013): the cosine with the weighted sum of the unit vectors.
        Multiplicative (3CosMul, Levy and Goldberg 2014, equation 4): the product of the similarities ``(1 +
        cos) / 2`` with the added words over the product of those with the subtracted words plus 1e-6;
        weights are exponents.

        Args:
            expression: See :mod:`apps.vectors.expressions`.
            topn: How many answers, 1 to 10,000.
            method: ``"add"`` or ``"multiply"``.
            allow_query_words: Whether a word of the expression may be an answer.
            expected: A word whose rank among the answers is wanted.
            ignore_unknown: Leave unknown words out and name them, instead of refusing.

        Returns:
            The answers with the contribution of each term.

        Raises:
            InputError: The expression is malformed, words are unknown (always if all are), the terms cancel
                out, or the multiplicative method has no added word.
        """
        _check_topn(topn)
        if method not in METHODS:
            raise InputError("Unknown method for analogies", allowed=", ".join(METHODS), received=method)
        terms, unknown = self._known_terms(expression, ignore_unknown)
        expected_key = None if expected is None else self.keys([expected])[0]
        weights = np.array([term.weight for term in terms])
        cosines = self.word_vectors.normalized @ self._unit([term.word for term in terms]).T  # (keys, terms)
        score_and_explain = self._additive if method == "add" else self._multiplicative
        scores, explain = score_and_explain(terms, weights, cosines)
        excluded = [] if allow_query_words else [term.word for term in terms]
        results = self._best(scores, excluded, topn)
        rows = [self.word_vectors.index(result.word) for result in results]
        row = None if expected_key is None else self.word_vectors.index(expected_key)
        return AnalogyResult(
            query=expression,
            method=method,
            terms=terms,
            results=results,
            unknown=unknown,
            contributions=tuple(tuple(map(float, row)) for row in explain(cosines[rows])),
            expected=expected_key,
            expected_rank=None if row is None else self._rank(scores, row, excluded),
            expected_score=None if row is None else float(scores[row]),
        )

    def odd_one_out(self, words: Sequence[str]) -> OddOneOut:
        """Find the word that fits least, as gensim's ``doesnt_match``.

        Args:
            words: Three or more different words.

        Returns:
            The word whose cosine with the mean of the unit vectors is the smallest, and all those cosines.

        Raises:
            InputError: A word is unknown, or there are fewer than three different ones.
        """
        keys = self.keys(words)
        if len(set(keys)) < 3:
            raise InputError(
                "Three different words or more are needed to find the odd one out", received=list(words)
            )
        unit = self._unit(keys)
        mean = unit.mean(axis=0)
        length = np.linalg.norm(mean)
        scores = unit @ (mean / length if length > 0 else mean)
        ranked = sorted(zip(map(float, scores), keys, strict=True), reverse=True)
        return OddOneOut(ranked[-1][1], tuple(Neighbour(key, score) for score, key in ranked))

    def plane(self, words: Sequence[str]) -> PlaneResult:
        """Show words in the plane of an analogy; see :func:`apps.vectors.maps.plane`.

        Args:
            words: For "a is to b as c is to d": a, b, c, then d and any others.

        Returns:
            Coordinates, axes and how much of the distances the plane shows.

        Raises:
            InputError: A word is unknown, there are fewer than three, or the first three lie on a line.
        """
        keys = self.keys(words)
        return maps.plane(keys, self._unit(keys))

    def map(self, words: Sequence[str] | int = 200, method: str = "pca", seed: int = 0) -> MapResult:
        """Show words on a map; see :func:`apps.vectors.maps.word_map`.

        Args:
            words: The words (each is shown once), or how many of the first keys.
            method: ``"pca"`` or ``"tsne"``.
            seed: For t-SNE.

        Returns:
            Coordinates and the names of the axes.

        Raises:
            InputError: A word is unknown, there are too few or too many, or the method is unknown.
        """
        if isinstance(words, int):
            if words < 1:
                raise InputError("The number of words on a map is positive", received=words)
            words = self.word_vectors.keys[:words]
        keys = list(dict.fromkeys(self.keys(words)))
        return maps.word_map(keys, self._unit(keys), method, seed)

    def export(
        self, path: Path | str, file_format: str = "npz", *, storage: str = "float32", overwrite: bool = False
    ) -> None:
        """Write the vectors to a file; see :meth:`data_prep.text.embeddings.WordVectors.save`."""
        self.word_vectors.save(path, file_format, storage=storage, overwrite=overwrite)

    def _unit(self, keys: Sequence[str]) -> np.ndarray:
        return self.word_vectors.normalized[[self.word_vectors.index(key) for key in keys]]

    def _unit_query(self, vector: np.ndarray) -> np.ndarray:
        if vector.shape != (self.word_vectors.dimensions,) or vector.dtype.kind not in "fiu":
            raise InputError(
                "The vector does not fit these word vectors",
                allowed=f"numbers of shape ({self.word_vectors.dimensions},)",
                received=vector.shape,
            )
        length = np.linalg.norm(vector.astype(np.float64))
        if not np.isfinite(length) or length == 0:
            raise InputError(
                "A vector without a direction has no neighbours", allowed="finite numbers, not all zero"
            )
        return (vector / length).astype(np.float32)

    def _known_terms(self, expression: str, ignore_unknown: bool) -> tuple[tuple[Term, ...], tuple[str, ...]]:
        parsed = [(self.key(word), word, weight) for word, weight in parse_expression(expression)]
        unknown = list(dict.fromkeys(word for key, word, _ in parsed if key is None))
        terms = tuple(Term(key, weight) for key, _, weight in parsed if key is not None)
        if unknown and (not ignore_unknown or not terms):
            raise self.unknown_words(unknown)
        return terms, tuple(unknown)

    def _additive(self, terms: Sequence[Term], weights: np.ndarray, cosines: np.ndarray):
        total = weights.astype(np.float32) @ self._unit([term.word for term in terms])
        length = float(np.linalg.norm(total))
        if length < 1e-6 * float(np.abs(weights).sum()):
            raise InputError(
                "The terms of the expression cancel out", remedy="Add a word that has no opposite"
            )
        scores = self.word_vectors.normalized @ (total / np.float32(length))
        return scores, lambda chosen: chosen * (weights / length)

    def _multiplicative(self, terms: Sequence[Term], weights: np.ndarray, cosines: np.ndarray):
        if not (weights > 0).any():
            raise InputError(
                "The multiplicative method needs a word that is added", remedy="Use the additive method"
            )

        def shifted(values: np.ndarray) -> np.ndarray:
            return np.clip((1.0 + values.astype(np.float64)) / 2.0, 0.0, None)

        def product(chosen: np.ndarray) -> np.ndarray:
            return np.prod(shifted(cosines[:, chosen]) ** np.abs(weights[chosen]), axis=1)

        scores = product(weights > 0) / (product(weights < 0) + _COSMUL_EPSILON)
        return scores, lambda chosen: np.log(np.maximum(shifted(chosen), _SMALLEST)) * weights

    def _best(self, scores: np.ndarray, excluded: Sequence[str], topn: int) -> tuple[Neighbour, ...]:
        """The words of the highest scores, the earlier key first among equals."""
        left_out = {self.word_vectors.index(key) for key in excluded}
        wanted = min(topn + len(left_out), len(scores))
        rows = np.flatnonzero(scores >= np.partition(scores, -wanted)[-wanted])
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        return tuple(
            Neighbour(self.word_vectors.keys[row], float(scores[row]))
            for row in rows.tolist()
            if row not in left_out
        )[:topn]

    def _rank(self, scores: np.ndarray, row: int, excluded: Sequence[str]) -> int | None:
        left_out = {self.word_vectors.index(key) for key in excluded}
        if row in left_out:
            return None
        better = (scores > scores[row]) | ((scores == scores[row]) & (np.arange(len(scores)) < row))
        return 1 + int(better.sum()) - sum(bool(better[other]) for other in left_out)


def _check_topn(topn: int) -> None:
    if isinstance(topn, bool) or not isinstance(topn, int) or not 1 <= topn <= MAX_TOPN:
        raise InputError("The number of answers is out of range", allowed=f"1 to {MAX_TOPN}", received=topn)
