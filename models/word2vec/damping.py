"""How much the steps of very frequent words are scaled down, so that large batches stay stable.

word2vec takes one step a pair and sees the result before the next. A batch adds up all gradients of a row at once,
and for a row that several hundred pairs pull on, the sum overshoots and the vectors diverge.
"""

from __future__ import annotations

import numpy as np

from data_prep.text.word2vec_blocks import noise_distribution


def row_damping(
    counts: np.ndarray, step_tokens: int, window: int, negatives: int, limit: float, tied: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors of input and output rows, float32 (words,): ``limit`` by the pairs expected in a step."""
    if limit == 0:
        ones = np.ones(len(counts), np.float32)
        return ones, ones
    share, noise = counts / counts.sum(), noise_distribution(counts)
    pairs = step_tokens * (window + 1)
    as_input, as_output = pairs * share * (1 + negatives), pairs * (share + negatives * noise)
    if tied:
        as_input = as_output = as_input + as_output
    inputs, outputs = (np.minimum(1.0, limit / np.maximum(mass, 1e-9)) for mass in (as_input, as_output))
    return inputs.astype(np.float32), outputs.astype(np.float32)
