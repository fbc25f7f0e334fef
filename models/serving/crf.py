"""A CRF's answers in NumPy for serving, on packed sentences; ``models.layers.crf`` says what they mean."""

from __future__ import annotations

import numpy as np

from models.serving.bilstm import Packing

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

    def marginals(self, logits: np.ndarray, packing: Packing, temperature: float = 1.0) -> np.ndarray:
        """Give the probability of each tag of each word, float64 (words, tags), of logits float (words, tags)."""
        emitted = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64) / temperature)
        moved = np.exp((self.transitions - self.transitions.max()) / temperature)
        returned = np.ascontiguousarray(moved.T)
        # Rows in the order of the steps: what a step reads and writes lies side by side.
        ahead, behind = emitted[packing.ahead], emitted[packing.back]
        back = np.empty_like(behind)
        for now, before in packing.steps():
            if now.start:
                ahead[now] *= ahead[before] @ moved
                np.matmul(behind[before] * back[before], returned, out=back[now])
            else:
                ahead[now] *= np.exp(self.start / temperature)
                back[now] = np.exp(self.end / temperature)
            _normalise(ahead[now])
            _normalise(back[now])
        found = np.empty_like(emitted)
        found[packing.ahead] = ahead
        found[packing.back] *= back
        _normalise(found)
        return found

    def viterbi(self, logits: np.ndarray, packing: Packing) -> np.ndarray:
        """Find the most probable tags, int32 (words,); arguments as for :meth:`marginals`."""
        scores = logits.astype(np.float64)[packing.ahead]  # in the order of the steps
        came_from = np.zeros(scores.shape, np.intp)
        for now, before in packing.steps():
            if now.start:
                through = scores[before, :, None] + self.transitions
                through.argmax(axis=1, out=came_from[now])
                scores[now] += through.max(axis=1)
            else:
                scores[now] += self.start
        step_of = np.empty_like(packing.ahead)
        step_of[packing.ahead] = np.arange(len(step_of))
        turned = step_of[packing.back]  # the last word of each sentence first
        scores, came_from = scores[turned], came_from[turned]
        chosen = (scores + self.end).argmax(axis=1)
        for now, after in packing.steps():
            if now.start:
                rows = np.arange(after.start, after.stop)
                chosen[now] = came_from[rows, chosen[rows]]
        tags = np.empty(len(scores), np.int32)
        tags[packing.back] = chosen
        return tags


def _normalise(values: np.ndarray) -> None:
    values /= np.maximum(np.add.reduce(values, axis=1, keepdims=True), _TINY)
