"""Vectors: neighbours, analogies, odd one out and similarity over word vectors, with gensim's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from apps.shared.application import Application
from apps.vectors import maps
from apps.vectors.expressions import parse_expression
from apps.vectors.results import AnalogyResult, MapResult, Neighbour, OddOneOut, PlaneResult, Term
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.tokenizer import WordTokenizer
from models.presets.kinds import kind_named
from models.presets.store import Preset

DEFAULT_PRESET = "vectors_en_wiki"
TSNE = "sklearn.manifold"  # what maps by t-SNE import
MAX_TOPN = 10_000
_RULE = WordTokenizer(punctuation=False, lower=True)
_KEY_RULE = _RULE.key
_COSMUL_EPSILON = 1e-6  # keeps the denominator of 3CosMul from zero; gensim's value
_SMALLEST = 1e-12  # floor below which the logarithm of a similarity is not taken
_SPELLINGS, _LEAST_LIKENESS = 3, 0.6
_NAMED_WORDS, _NAMED_LENGTH = 5, 40


class Vectors(Application):
    """Questions to word vectors.

    All similarities are cosines. A word is looked up as written and, if there is no such key, by the key rule
    of the vocabulary (NFC, lower case). An unknown word is an ``InputError`` with close spellings.

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
        """Open a file of word vectors; see :meth:`data_prep.text.embeddings.WordVectors.load`."""
        return cls(WordVectors.load(path, file_format))

    def key(self, word: str) -> str | None:
        """Return the key of the vector of a word as a person typed it, or None."""
        return next((key for key in (word, _KEY_RULE(word)) if key in self.word_vectors), None)

    def keys(self, words: Iterable[str]) -> list[str]:
        """Return the keys of words as a person typed them; an InputError where one is unknown."""
        found = [(word, self.key(word)) for word in words]
        if unknown := [word for word, key in found if key is None]:
            raise self._unknown(unknown)
        return [key for _, key in found if key is not None]

    @cached_property
    def _written_otherwise(self) -> bool:
        """Whether keys are written otherwise than the key rule does, so that words are looked up one by one."""
        joined = "\n".join(self.word_vectors.keys)
        return _KEY_RULE(joined) != joined

    def embed(self, texts: Iterable[str]) -> np.ndarray:
        """Describe texts by the mean of the vectors of their words, each looked up as by :meth:`key`.

        Returns:
            Float32 (texts, dimensions); zeros for a text without a known word.

        Raises:
            InputError: There is one string instead of several.
        """
        if isinstance(texts, str):
            raise InputError("Several texts are needed", allowed="a list of strings", received=texts)
        texts = list(texts)
        found = np.zeros((len(texts), self.word_vectors.dimensions), np.float32)
        for at, text in enumerate(texts):
            if self._written_otherwise:
                keys = [self.key(word.text) or "" for word in _RULE.tokenize(text)]
            else:
                keys = _RULE.keys(text)
            rows = self.word_vectors.vocabulary.encode_known(keys)
            if len(rows):
                found[at] = self.word_vectors.vectors[rows].mean(axis=0)
        return found

    def similarity(self, first: str, second: str) -> float:
        """Return the cosine of two words, from -1 to 1."""
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
            excluded += self.keys([word_or_vector])
            query = self._unit(excluded[-1:])[0]
        else:
            query = self._direction(np.asarray(word_or_vector))
        scores = self.word_vectors.normalized @ query
        return self._neighbours(self._ranked(scores, excluded, topn), scores)

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
        parsed = [(self.key(word), word, weight) for word, weight in parse_expression(expression)]
        unknown = list(dict.fromkeys(word for key, word, _ in parsed if key is None))
        terms = tuple(Term(key, weight) for key, _, weight in parsed if key is not None)
        if unknown and (not ignore_unknown or not terms):
            raise self._unknown(unknown)
        expected_key = None if expected is None else self.keys([expected])[0]
        words, weights = [term.word for term in terms], np.array([term.weight for term in terms])
        unit, terms_unit = self.word_vectors.normalized, self._unit(words)
        scores, _ = METHODS[method](unit, terms_unit, weights)
        excluded = () if allow_query_words else words
        ranked = self._ranked(scores, excluded, topn)
        _, contributions = METHODS[method](unit[ranked], terms_unit, weights)
        row = None if expected_key is None else self.word_vectors.index(expected_key)
        return AnalogyResult(
            query=expression,
            method=method,
            terms=terms,
            results=self._neighbours(ranked, scores),
            unknown=tuple(unknown),
            contributions=tuple(map(tuple, contributions().tolist())),
            expected=expected_key,
            expected_rank=None if row is None else self._rank(scores, excluded, row),
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
        """Show words in the plane of an analogy, "a is to b as c is to d"; see :func:`apps.vectors.maps.plane`."""
        keys = self.keys(words)
        return maps.plane(keys, self._unit(keys))

    def map(self, words: Sequence[str] | int = 200, method: str = "pca", seed: int = 0) -> MapResult:
        """Show words (each once), or so many of the first keys, on a map; see :func:`apps.vectors.maps.word_map`."""
        if isinstance(words, int | np.integer):
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
        return self.word_vectors.normalized[self.word_vectors.vocabulary.encode(keys)]

    def _direction(self, vector: np.ndarray) -> np.ndarray:
        """Bring any vector to length 1."""
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

    def _ranked(self, scores: np.ndarray, excluded: Sequence[str], topn: int) -> np.ndarray:
        """The first rows by falling score, the earlier key first among equals, without those of excluded keys."""
        most = min(topn + len(excluded), len(scores))
        least = np.partition(scores, len(scores) - most)[len(scores) - most]
        rows = np.flatnonzero(scores >= least)
        order = rows[np.argsort(-scores[rows], kind="stable")]
        return order[~np.isin(order, self.word_vectors.vocabulary.encode(excluded))][:topn]

    def _rank(self, scores: np.ndarray, excluded: Sequence[str], row: int) -> int | None:
        """The place of a row among all that are ranked, from 1; None for that of an excluded key."""
        before = scores > scores[row]
        before[:row] |= scores[:row] == scores[row]
        out = self.word_vectors.vocabulary.encode(excluded)
        before[out] = False
        return None if row in out else int(before.sum()) + 1

    def _neighbours(self, rows: np.ndarray, scores: np.ndarray) -> tuple[Neighbour, ...]:
        return tuple(Neighbour(self.word_vectors.keys[row], float(scores[row])) for row in rows.tolist())

    def _unknown(self, words: Sequence[str]) -> InputError:
        """Make the error that names unknown words with known ones that are spelt alike, the closest first."""
        words = list(dict.fromkeys(words))
        hints = []
        for word in words[:_NAMED_WORDS]:
            looks = {"scorer": OSA.normalized_similarity, "score_cutoff": _LEAST_LIKENESS}
            if found := process.extract(_KEY_RULE(word), self.word_vectors.keys, limit=_SPELLINGS, **looks):
                hints.append(f"for {_short(word)}: {', '.join(spelling for spelling, *_ in found)}")
        named = ", ".join(map(_short, words[:_NAMED_WORDS])) + (", …" if len(words) > _NAMED_WORDS else "")
        return InputError(
            f"{'Unknown word' if len(words) == 1 else 'Unknown words'} {named}",
            allowed=f"one of the {len(self.word_vectors)} words that have a vector",
            remedy="Close spellings " + "; ".join(hints) if hints else "No known word is spelt alike",
        )


Scored = tuple[
    np.ndarray, Callable[[], np.ndarray]
]  # of keys (keys,), and what each term adds to that (keys, terms)


def _additive(unit: np.ndarray, terms: np.ndarray, weights: np.ndarray) -> Scored:
    """Score keys by the cosine with the sum."""
    total = weights.astype(np.float32) @ terms
    length = float(np.linalg.norm(total))
    if length < 1e-6 * float(np.abs(weights).sum()):
        raise InputError("The terms of the expression cancel out", remedy="Add a word that has no opposite")
    return unit @ (total / np.float32(length)), lambda: unit @ terms.T * (weights / length)


def _multiplicative(unit: np.ndarray, terms: np.ndarray, weights: np.ndarray) -> Scored:
    """Score keys by the product; terms add to its logarithm."""
    if not (weights > 0).any():
        raise InputError(
            "The multiplicative method needs a word that is added", remedy="Use the additive method"
        )
    shifted = np.clip((1.0 + (unit @ terms.T).astype(np.float64)) / 2.0, 0.0, None)
    powers = shifted ** np.abs(weights)
    scores = powers[:, weights > 0].prod(axis=1) / (powers[:, weights < 0].prod(axis=1) + _COSMUL_EPSILON)
    return scores, lambda: np.log(np.maximum(shifted, _SMALLEST)) * weights


METHODS = {"add": _additive, "multiply": _multiplicative}


def _check_topn(topn: int) -> None:
    if isinstance(topn, bool) or not isinstance(topn, int | np.integer) or not 1 <= topn <= MAX_TOPN:
        raise InputError("The number of answers is out of range", allowed=f"1 to {MAX_TOPN}", received=topn)


def _short(word: str) -> str:
    return repr(word if len(word) <= _NAMED_LENGTH else word[: _NAMED_LENGTH - 1] + "…")
