"""How much the steps of very frequent words are scaled down, so that large batches stay stable.

word2vec takes one step a pair and sees the result before the next. A batch adds up all gradients of a row at once,
and for a row that several hundred pairs pull on, the sum overshoots and the vectors diverge.
"""

from __future__ import annotations

import numpy as np

from data_prep.text.word2vec_blocks import noise_distribution
from models.word2vec.config import VectorsRecipe


def row_damping(counts: np.ndarray, step_tokens: int, config: VectorsRecipe) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors of input and output rows, float32 (words,): the limit by the pairs expected in a step."""
    if config.damping == 0:
        ones = np.ones(len(counts), np.float32)
        return ones, ones
    share, noise = counts / counts.sum(), noise_distribution(counts)
    pairs = step_tokens * (config.window + 1)
    as_input, as_output = pairs * share * (1 + config.negatives), pairs * (share + config.negatives * noise)
    if config.tied:
        as_input = as_output = as_input + as_output
    inputs, outputs = (
        np.minimum(1.0, config.damping / np.maximum(mass, 1e-9)) for mass in (as_input, as_output)
    )
    return inputs.astype(np.float32), outputs.astype(np.float32)
