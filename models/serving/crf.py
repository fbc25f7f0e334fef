"""A CRF's answers for serving, on packed sentences; ``models.layers.crf`` says what they mean.

The loops are plain Python for the first few words, and machine code after that: it takes 0.4 s to load.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from models.serving.bilstm import Packing

_FEW_WORDS = 100
_TINY = np.finfo(np.float64).tiny


class PackedCRF:
    """Potentials of a trained ``LinearChainCRF``.

    Args:
        transitions: Float (tags, tags), from row to column.
        start: Float (tags,).
        end: Float (tags,).
    """

    def __init__(self, transitions: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
        self.transitions, self.start, self.end = (
            np.asarray(values, np.float64) for values in (transitions, start, end)
        )
        self._asked = 0  # words

    def marginals(self, logits: np.ndarray, packing: Packing, temperature: float = 1.0) -> np.ndarray:
        """Give the probability of each tag of each word, float64 (words, tags), of logits float (words, tags)."""
        emitted = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64) / temperature)
        moved = np.exp((self.transitions - self.transitions.max()) / temperature)
        firsts, lasts = _ends(packing)
        ahead, back = emitted.copy(), np.ones_like(emitted)
        ahead[firsts] *= np.exp(self.start / temperature)
        back[lasts] = np.exp(self.end / temperature)
        self._loop(_shares, emitted)(
            emitted, firsts, lasts, moved, np.ascontiguousarray(moved.T), ahead, back
        )
        found = ahead * back
        return found / np.maximum(found.sum(axis=1, keepdims=True), _TINY)

    def viterbi(self, logits: np.ndarray, packing: Packing) -> np.ndarray:
        """Find the most probable tags, int32 (words,); arguments as for :meth:`marginals`."""
        scores, tags = logits.astype(np.float64), np.empty(len(logits), np.int32)
        firsts, lasts = _ends(packing)
        scores[firsts] += self.start
        self._loop(_tags, scores)(scores, firsts, lasts, self.transitions, self.end, tags)
        return tags

    def log_likelihood(self, logits: np.ndarray, packing: Packing, tags: np.ndarray) -> float:
        """Sum the log-probabilities of the given tags of all sentences, int (words,), in nats."""
        emitted, given = logits[packing.ahead].astype(np.float64), tags[packing.ahead]
        firsts, lasts = _ends(packing)
        found = emitted[np.arange(len(given)), given].sum()
        found += self.start[tags[firsts]].sum() + self.end[tags[lasts]].sum()
        reached = np.zeros((0, len(self.end)))
        for here, before in packing.steps():
            going = before.stop - before.start
            found += self.transitions[given[before], given[here][:going]].sum()
            found -= np.logaddexp.reduce(reached[going:] + self.end, axis=1).sum()  # their sentence has ended
            moved = np.logaddexp.reduce(reached[:going, :, None] + self.transitions, axis=1)
            reached = (moved if going else self.start) + emitted[here]
        return float(found - np.logaddexp.reduce(reached + self.end, axis=1).sum())

    def _loop(self, function: Callable[..., None], words: np.ndarray) -> Any:
        self._asked += len(words)
        return function if self._asked <= _FEW_WORDS else _machine_code(function)


def _ends(packing: Packing) -> tuple[np.ndarray, np.ndarray]:
    """Give the places of the first and last words of the sentences."""
    count = int(packing.sizes[0])
    return packing.ahead[:count].copy(), packing.back[:count].copy()


@functools.cache
def _machine_code(function: Callable[..., None]) -> Any:
    from models.serving.compiled import compiled

    return compiled(function)


def _shares(emitted, firsts, lasts, moved, returned, ahead, back):  # type: ignore[no-untyped-def]
    """Go through sentences in both directions; each word's sum is kept at 1, so that none vanishes."""
    count = len(moved)
    came, comes = np.empty(count), np.empty(count)
    for sentence in range(len(firsts)):
        first, last = firsts[sentence], lasts[sentence]
        for step in range(last - first + 1):
            at, behind = first + step, last - step
            forth, back_here = ahead[at], back[behind]
            if step:
                for tag in range(count):
                    came[tag] = comes[tag] = 0.0
                for tag in range(count):
                    share = ahead[at - 1, tag]
                    returning = emitted[behind + 1, tag] * back[behind + 1, tag]
                    for to in range(count):
                        came[to] += share * moved[tag, to]
                        comes[to] += returning * returned[tag, to]
                for tag in range(count):
                    forth[tag] *= came[tag]
                    back_here[tag] = comes[tag]
            all_forth = all_back = 0.0
            for tag in range(count):
                all_forth += forth[tag]
                all_back += back_here[tag]
            for tag in range(count):
                forth[tag] /= max(all_forth, _TINY)
                back_here[tag] /= max(all_back, _TINY)


def _tags(scores, firsts, lasts, transitions, end, tags):  # type: ignore[no-untyped-def]
    """Find the best way to every tag of every word, and go back along the best of all."""
    count = len(end)
    came_from = np.zeros(scores.shape, np.int64)
    for sentence in range(len(firsts)):
        first, last = firsts[sentence], lasts[sentence]
        for word in range(first + 1, last + 1):
            for tag in range(count):
                best = 0
                for before in range(1, count):
                    if (
                        scores[word - 1, before] + transitions[before, tag]
                        > scores[word - 1, best] + transitions[best, tag]
                    ):
                        best = before
                came_from[word, tag] = best
                scores[word, tag] += scores[word - 1, best] + transitions[best, tag]
        tag = 0
        for other in range(1, count):
            if scores[last, other] + end[other] > scores[last, tag] + end[tag]:
                tag = other
        for word in range(last, first - 1, -1):
            tags[word] = tag
            tag = came_from[word, tag]
