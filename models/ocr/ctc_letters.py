"""How probable each letter of a word is that was read from frames: it is exchanged for every other one.

The probability of a word is the sum over its paths, as in ``models.serving.ctc``; all exchanged words go through
the frames together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np


def exchanged(labels: Sequence[int], count: int) -> np.ndarray:
    """Return a word with each letter exchanged for each of ``count``, int64 (letters, count, letters)."""
    word = np.asarray(labels, np.int64)
    found = np.tile(word, (len(word), count, 1))
    places = np.arange(len(word))
    found[places, :, places] = np.arange(count)
    return found


def letter_posteriors(
    log_probabilities: np.ndarray, labels: Sequence[int], language: np.ndarray | None = None
) -> np.ndarray:
    """Give the probability of each letter at each place of a word, the other letters given.

    Args:
        log_probabilities: Float (frames, letters + 1), the blank last.
        labels: The word that was read.
        language: Logarithm of what a language model says of each word of :func:`exchanged`, float (letters, classes),
            with its weight; None for none.

    Returns:
        Float64 (places, letters); rows sum to 1. Where the frames are too few for any of the words, rows are equal.
    """
    places, count = len(labels), log_probabilities.shape[1] - 1
    if not places:
        return np.zeros((0, count))
    words = exchanged(labels, count).reshape(-1, places)  # (places * letters, places)
    scores = _log_likelihoods(np.asarray(log_probabilities, np.float64), words).reshape(places, -1)
    if language is not None:
        scores = scores + language
    best = scores.max(axis=1, keepdims=True)
    shares = np.exp(scores - best) if np.isfinite(best).all() else np.ones(scores.shape)
    return shares / shares.sum(axis=1, keepdims=True)


def spans(path: Sequence[int], blank: int) -> list[tuple[int, int, int]]:
    """Return the letters of a path of classes with their first frame and the frame after the last."""
    found, at = [], 0
    for label, frames in groupby(map(int, path)):
        start, at = at, at + len(list(frames))
        if label != blank:
            found.append((label, start, at))
    return found


def _log_likelihoods(log_probabilities: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Sum over all paths of each word int (words, letters); float64 (words,), minus infinity for no path."""
    blank = log_probabilities.shape[1] - 1
    states = np.full((len(words), 2 * words.shape[1] + 1), blank, np.int64)
    states[:, 1::2] = words
    jumps = np.zeros(states.shape)
    jumps[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    best = log_probabilities.max(axis=1)
    frames = np.exp(log_probabilities - best[:, None])
    scale = float(best[0])
    cells = np.zeros(states.shape)
    cells[:, :2] = frames[0][states[:, :2]]
    for frame, largest in zip(frames[1:], best[1:].tolist(), strict=True):
        following = cells.copy()
        following[:, 1:] += cells[:, :-1]
        following[:, 2:] += jumps[:, 2:] * cells[:, :-2]
        following *= frame[states]
        top = max(float(following.max()), 1e-300)  # one scale for all words keeps them comparable
        cells = following / top
        scale += largest + np.log(top)
    with np.errstate(divide="ignore"):
        return np.log(cells[:, -2:].sum(axis=1)) + scale
