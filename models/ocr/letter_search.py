"""The most probable words where every letter has probabilities and a language model knows what follows what.

Beam search: the words so far, best first, are continued by every letter and cut back to as many as are kept. With a
beam as wide as there are words it is the exact answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from data_prep.readers.letters import LETTERS, encode_word


class Hypothesis(NamedTuple):
    """A word that was found: its score, a logarithm, and its probability among those that were found (sum 1)."""

    text: str
    score: float
    probability: float


class Scorer(Protocol):
    """What knows how words go on, as ``models.ocr.letter_lm.LetterLM`` does."""

    def log_probabilities(self, history: str) -> np.ndarray:
        """Return logarithms for each letter and, last, for the end of the word, float (27,)."""


class Transitions(NamedTuple):
    """Scores of neighbours, as a CRF learns them: ``pairs`` (26, 26), from row to column, ``start``, ``end`` (26,)."""

    pairs: np.ndarray
    start: np.ndarray
    end: np.ndarray


def beam_search(
    scores: np.ndarray,
    *,
    scorer: Scorer | None = None,
    weight: float = 1.0,
    width: int = 16,
    transitions: Transitions | None = None,
) -> tuple[Hypothesis, ...]:
    """Find the best words of as many letters as there are rows.

    Args:
        scores: Logarithm of the probability of each letter at each place, float (letters, 26), 1 letter or more.
        scorer: The language model; None for none.
        weight: Its logarithms are multiplied by it.
        width: Words that are kept.
        transitions: Scores of neighbours; None for none.

    Returns:
        At most ``width`` words, best first.
    """
    count = scores.shape[1]
    texts, last, totals = [""], np.zeros(0, np.int64), np.zeros(1)
    for at, letters in enumerate(scores):
        following = totals[:, None] + letters
        if transitions is not None:
            following += transitions.start if at == 0 else transitions.pairs[last]
        if scorer is not None:
            following += weight * _next(scorer, texts)[:, :count]
        best = _best(following.ravel(), width)
        last, totals = best % count, following.ravel()[best]
        texts = [texts[word] + LETTERS[letter] for word, letter in zip(best // count, last, strict=True)]
    if transitions is not None:
        totals = totals + transitions.end[last]
    if scorer is not None:
        totals = totals + weight * _next(scorer, texts)[:, count]
    return ranked(texts, totals)


def ranked(texts: Sequence[str], totals: np.ndarray) -> tuple[Hypothesis, ...]:
    """Sort words by their scores, the best first, and share the probability among them."""
    order = np.argsort(-totals, kind="stable")
    shares = np.exp(totals - totals.max())
    shares /= shares.sum()
    return tuple(Hypothesis(texts[at], float(totals[at]), float(shares[at])) for at in order)


def letter_shares(hypotheses: Sequence[Hypothesis], letters: int = 26) -> np.ndarray:
    """Return the probability of each letter at each place by words of one length, float64 (places, letters)."""
    found = np.zeros((len(hypotheses[0].text), letters))
    for hypothesis in hypotheses:
        labels = encode_word(hypothesis.text)
        found[np.arange(len(labels)), labels] += hypothesis.probability
    return found


def _next(scorer: Scorer, texts: Sequence[str]) -> np.ndarray:
    return np.array([scorer.log_probabilities(text) for text in texts])


def _best(values: np.ndarray, width: int) -> np.ndarray:
    """Return the places of the largest values; of equal ones the first."""
    return np.argsort(-values, kind="stable")[:width]
