"""Vectors of how a word is used: which words stand right before and behind it, and how it is capitalised.

word2vec's vectors say what a word is about; what its immediate neighbours are says what kind of word it is.
Schuetze 1995, "Distributional part-of-speech tagging"; the square roots of the shares and their principal
components follow Lebret and Collobert 2014, "Word embeddings through Hellinger PCA". Raw text is enough, so
words that a treebank lacks get a vector as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from data_prep.errors import InputError
from data_prep.fields import Checked, Count
from data_prep.text.embeddings import WordVectors
from data_prep.text.raw_forms import BORDER, numbered_forms
from data_prep.text.tag_inputs import counts_by_key, word_key

_AFTER_THESE = tuple(".!?:;\"'(-*")  # a capital after them says nothing about the word
_LOWER, _TITLE, _UPPER, _OTHER = range(4)
_CASE_PRIOR = np.array([0.5, 0.2, 0.05])
_BLOCK = 1 << 22
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class NeighbourSettings(Checked):
    """How the vectors are made.

    Args:
        max_words: At most this many keys, by falling count.
        min_count: Rarer keys are left out.
        contexts: The most frequent keys that count as neighbours one by one; all others count together.
        dimensions: Principal components kept; four more numbers hold case and frequency.
    """

    max_words: Count = 60_000
    min_count: Count = 5
    contexts: Count = 700
    dimensions: Count = 32


def neighbour_vectors(corpora: Mapping[str, Iterable[str]], settings: NeighbourSettings) -> WordVectors:
    """Make the vectors from raw text.

    Args:
        corpora: Name to texts (paragraphs, reviews); no neighbours are counted across texts.
        settings: How.

    Returns:
        One vector a key of ``tag_inputs.word_key``, by falling count, with counts: the components, then three
        numbers from -1 to 1 for the shares of lower case, title case and upper case away from the begin of
        sentences, then the scaled logarithm of the count.

    Raises:
        InputError: If no key occurs often enough.
    """
    streams = [numbered_forms(texts) for texts in corpora.values()]
    counts: Counter[str] = Counter()
    for ids, forms in streams:
        of_forms = np.bincount(ids[ids >= 0], minlength=len(forms)).tolist()
        counts += counts_by_key(dict(zip(forms, of_forms, strict=True)))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [(key, count) for key, count in ranked[: settings.max_words] if count >= settings.min_count]
    if not kept:
        raise InputError("No word of the text is frequent enough", allowed=f"{settings.min_count} times")
    rows = {key: row for row, (key, _) in enumerate(kept)}
    shares = np.zeros((len(rows), 2 * (settings.contexts + 2)), np.float32)
    cases = np.zeros((len(rows), 4))
    for ids, forms in streams:
        _count(ids, forms, rows, shares, cases)
    totals = np.array([count for _, count in kept], np.float64)
    components = _components(shares, totals, settings.dimensions)
    cases = (cases[:, :3] + _CASE_PRIOR) / (cases.sum(axis=1, keepdims=True) + _CASE_PRIOR.sum())
    frequency = np.log(totals)[:, None] / 5.0 - 1.5
    vectors = np.concatenate([components, 2.0 * np.sqrt(cases) - 1.0, frequency], axis=1)
    return WordVectors([key for key, _ in kept], vectors.astype(np.float32), totals.astype(np.int64))


def _case(form: str) -> int:
    if form.islower():
        return _LOWER
    if not form[:1].isupper():
        return _OTHER
    return _UPPER if len(form) > 1 and form.isupper() else _TITLE


def _count(
    ids: np.ndarray, forms: list[str], rows: Mapping[str, int], shares: np.ndarray, cases: np.ndarray
) -> None:
    """Add one stream's neighbours to ``shares`` and its cases to ``cases``, both (keys, ...)."""
    size = len(rows)
    contexts = shares.shape[1] // 2 - 2
    outside, border = size, size + 1
    # The last entry stands for the border, whose number is -1.
    row_of = np.array([rows.get(word_key(form), outside) for form in forms] + [border], np.int32)
    case_of = np.array([_case(form) for form in forms] + [_OTHER], np.int8)
    silent = np.zeros(size + 2, bool)
    silent[[border, *(rows[mark] for mark in _AFTER_THESE if mark in rows)]] = True
    for start in range(0, len(ids), _BLOCK):
        # One word more on both sides, so that no neighbour is lost between blocks.
        part = row_of[np.r_[BORDER if start == 0 else ids[start - 1], ids[start : start + _BLOCK + 1]]]
        if start + _BLOCK >= len(ids):
            part = np.append(part, border)
        before, here, behind = part[:-2], part[1:-1], part[2:]
        known = here < size
        for side, neighbours in enumerate((before, behind)):
            column = np.where(neighbours < contexts, neighbours, contexts)
            column = np.where(neighbours == border, contexts + 1, column) + side * (contexts + 2)
            cells = here[known].astype(np.int64) * shares.shape[1] + column[known]
            places, times = np.unique(cells, return_counts=True)
            shares.reshape(-1)[places] += times
        telling = known & ~silent[before]
        kinds = here[telling].astype(np.int64) * 4 + case_of[ids[start : start + _BLOCK]][telling]
        cases += np.bincount(kinds, minlength=4 * size).reshape(size, 4)


def _components(shares: np.ndarray, totals: np.ndarray, dimensions: int) -> np.ndarray:
    """Return the weighted principal components of the square roots of the shares, (keys, dimensions).

    Words weigh by the square root of their count (at most 1,000), since the shares of rare ones are noisy.
    The first components are many times larger than the last: their scales are brought closer together.
    """
    np.sqrt(shares / np.maximum(totals, 1.0)[:, None].astype(np.float32), out=shares)
    weights = np.minimum(np.sqrt(totals), 1000.0)
    weights /= weights.sum()
    mean = weights.astype(np.float32) @ shares
    shares -= mean
    covariance = np.zeros((shares.shape[1],) * 2)
    for start in range(0, len(shares), _ROWS_AT_ONCE):
        part = shares[start : start + _ROWS_AT_ONCE]
        covariance += (part * weights[start : start + _ROWS_AT_ONCE, None]).astype(np.float32).T @ part
    values, axes = np.linalg.eigh(covariance)
    values, axes = values[::-1][:dimensions], axes[:, ::-1][:, :dimensions]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])  # a fixed sign
    deviations = np.sqrt(np.maximum(values, 1e-12))
    evened = np.sqrt(np.maximum(deviations / deviations[0], 0.3))
    return shares @ (axes * (evened / deviations)).astype(np.float32)
