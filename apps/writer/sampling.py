"""From logits to the distribution that tokens are drawn from: temperature, then top-k, then top-p.

Holtzman et al. 2020, "The curious case of neural text degeneration" (top-p); Fan, Lewis and Dauphin 2018, "Hierarchical
neural story generation" (top-k). This shows on one distribution what the compiled loop of the generator does at every
step; a test compares the two.
"""

from __future__ import annotations

import numpy as np

from data_prep.errors import InputError
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
    if top_k is not None and top_k > len(logits):
        raise InputError("top_k does not fit", allowed=f"1 to {len(logits)}", received=top_k)
    logits = np.asarray(logits, np.float64)
    order = np.argsort(-logits, kind="stable")
    kept = np.zeros(len(logits), bool)
    if temperature == 0.0:
        kept[order[0]] = True
        return kept.astype(np.float64)
    found = softmax(logits / max(temperature, _COLDEST))
    kept[order[:top_k]] = True
    if top_p is not None:
        ranked = np.where(kept, found, 0.0)[order] / found[kept].sum()
        before = np.cumsum(ranked) - ranked  # probability of the tokens that are more probable
        kept[order[before >= top_p]] = False
        kept[order[0]] = True
    found = np.where(kept, found, 0.0)
    return found / found.sum()


def entropy_bits(probabilities: np.ndarray) -> float:
    """Return the entropy of a distribution, float (tokens,), in bits."""
    positive = probabilities[probabilities > 0]
    return float(abs(-(positive * np.log2(positive)).sum()))
