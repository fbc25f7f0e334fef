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
    """Return the factor for the rows of each word, from how many pairs of a step are expected to pull on it.

    Args:
        counts: int64 (words,), as they occur in the batches.
        step_tokens: Words in a step.
        window: Largest distance of a context word; a word has about ``window + 1`` pairs.
        negatives: Negatives a pair.
        limit: Pairs above which the factor is ``limit / pairs``; 0 for factors of 1.
        tied: One matrix serves as both, so both kinds of pairs pull on it.

    Returns:
        Factors of input rows and of output rows, both float32 (words,).
    """
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
