"""A CRF's answers in NumPy for serving, on packed sentences; ``models.crf`` says what they mean."""

from __future__ import annotations

import numpy as np

from models.packed_bilstm import Packing


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

    def marginals(self, logits: np.ndarray, packing: Packing, temperature: float = 1.0) -> np.ndarray:
        """Give the probability of each tag of each word.

        Args:
            logits: Float (words, tags), sentence behind sentence.
            packing: Of the sentences' lengths.
            temperature: All scores are divided by it.

        Returns:
            Float64 (words, tags).
        """
        emitted = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64) / temperature)
        moved = np.exp((self.transitions - self.transitions.max()) / temperature)
        first, last = np.exp(self.start / temperature), np.exp(self.end / temperature)
        ahead, back = np.empty_like(emitted), np.empty_like(emitted)
        start = previous = 0
        for size in packing.sizes.tolist():
            places, reached = packing.ahead[start : start + size], packing.back[start : start + size]
            if start:
                before = packing.ahead[start - previous : start][:size]
                behind = packing.back[start - previous : start][:size]
                ahead[places] = _normalised((ahead[before] @ moved) * emitted[places])
                back[reached] = _normalised((emitted[behind] * back[behind]) @ moved.T)
            else:
                ahead[places] = _normalised(first * emitted[places])
                back[reached] = last
            start, previous = start + size, size
        return _normalised(ahead * back)

    def viterbi(self, logits: np.ndarray, packing: Packing) -> np.ndarray:
        """Find the most probable tags, int32 (words,); arguments as for :meth:`marginals`."""
        scores = logits.astype(np.float64)
        came_from = np.zeros(scores.shape, np.int32)
        start = previous = 0
        for size in packing.sizes.tolist():
            places = packing.ahead[start : start + size]
            if start:
                best = scores[packing.ahead[start - previous : start][:size]]
                through = best[:, :, None] + self.transitions
                came_from[places] = through.argmax(axis=1)
                scores[places] += through.max(axis=1)
            else:
                scores[places] += self.start
            start, previous = start + size, size
        tags = np.empty(len(scores), np.int32)
        start = previous = 0
        for size in packing.sizes.tolist():
            places = packing.back[start : start + size]
            if start:
                after = packing.back[start - previous : start][:size]
                tags[places] = came_from[after, tags[after]]
            else:
                tags[places] = (scores[places] + self.end).argmax(axis=1)
            start, previous = start + size, size
        return tags


def _normalised(values: np.ndarray) -> np.ndarray:
    return values / np.maximum(values.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
