"""The most probable words where every letter has probabilities and a language model knows what follows what.

Beam search: the words so far, best first, are continued by every letter and cut back to as many as are kept. With a
beam as wide as there are words it is the exact answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data_prep.readers.letters import LETTERS, decode_word, encode_word
from models.ocr.letter_lm import LetterLM


class Hypothesis(NamedTuple):
    """A word that was found: its score, a logarithm, and its probability among those that were found (sum 1)."""

    text: str
    score: float
    probability: float


def beam_search(
    scores: np.ndarray,
    *,
    scorer: LetterLM | None = None,
    weight: float = 1.0,
    width: int = 16,
    alphabet: str = LETTERS,
    temperature: float = 1.0,
) -> tuple[Hypothesis, ...]:
    """Find the best words of as many letters as there are rows, at most ``width``, best first.

    Args:
        scores: Logarithm of the probability of each letter at each place, float (places, letters), 1 place or more.
        scorer: The language model; None for none.
        weight: Its logarithms are multiplied by it.
        width: Words that are kept.
        alphabet: The letters.
        temperature: As for :func:`ranked`.
    """
    count = scores.shape[1]
    words, totals = np.zeros((1, 0), np.int64), np.zeros(1)
    states = None if scorer is None else np.array([scorer.first])
    for letters in scores:
        following = totals[:, None] + letters
        if scorer is not None:
            following += weight * scorer.logs[states, :count]
        best = np.argsort(-following.ravel(), kind="stable")[:width]  # of equal ones the first
        totals = following.ravel()[best]
        words = np.concatenate([words[best // count], (best % count)[:, None]], axis=1)
        if scorer is not None:
            states = scorer.after[states[best // count], best % count]
    if scorer is not None:
        totals = totals + weight * scorer.logs[states, count]
    return ranked([decode_word(word, alphabet) for word in words.tolist()], totals, temperature)


def ranked(texts: Sequence[str], totals: np.ndarray, temperature: float = 1.0) -> tuple[Hypothesis, ...]:
    """Sort words by their scores, the best first, and share the probability among them, by scores / temperature."""
    order = np.argsort(-totals, kind="stable")
    shares = np.exp((totals - totals.max()) / temperature)
    shares /= shares.sum()
    return tuple(Hypothesis(texts[at], float(totals[at]), float(shares[at])) for at in order)


def letter_shares(hypotheses: Sequence[Hypothesis], alphabet: str = LETTERS) -> np.ndarray:
    """Return the probability of each letter at each place by words of one length, float64 (places, letters)."""
    found = np.zeros((len(hypotheses[0].text), len(alphabet)))
    for hypothesis in hypotheses:
        labels = encode_word(hypothesis.text, alphabet)
        found[np.arange(len(labels)), labels] += hypothesis.probability
    return found
