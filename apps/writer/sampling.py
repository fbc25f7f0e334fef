"""From logits to the distribution that tokens are drawn from: temperature, then top-k, then top-p.

Holtzman et al. 2020, "The curious case of neural text degeneration" (top-p); Fan, Lewis and Dauphin 2018, "Hierarchical
neural story generation" (top-k). This shows on one distribution what the compiled loop of the generator does at every
step; a test compares the two.
"""

from __future__ import annotations

import numpy as np

from models.char_lm.generator import Settings
from models.serving.operations import softmax

_COLDEST = 1e-30  # below it nothing changes any more, but numbers overflow


def sampling_probabilities(
    logits: np.ndarray, *, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> np.ndarray:
    """Say with which probability each token is drawn.

    Args:
        logits: Float (tokens,).
        temperature: Divides the logits; 0 leaves the most probable token alone.
        top_k: Keep at most this number of most probable tokens.
        top_p: Of those keep the fewest most probable ones that have this much probability together.

    Returns:
        Float64 (tokens,), sum 1.

    Raises:
        InputError: A setting is out of bounds.
    """
    Settings(length=1, temperature=temperature, top_k=top_k, top_p=top_p)
    order = np.argsort(-logits, kind="stable")
    ranked = softmax(logits[order] / max(temperature, _COLDEST))
    kept = np.arange(len(ranked)) < (1 if temperature == 0.0 else len(ranked) if top_k is None else top_k)
    if top_p is not None:
        before = np.append(0.0, np.cumsum(ranked * kept)[:-1])  # probability of the more probable tokens
        kept &= before < top_p * ranked[kept].sum()
    found = np.zeros(len(ranked))
    found[order] = ranked * kept
    return found / found.sum()


def entropy_bits(probabilities: np.ndarray) -> float:
    """Return the entropy of a distribution, float (tokens,), in bits."""
    positive = probabilities[probabilities > 0]
    return float(abs(-(positive * np.log2(positive)).sum()))
