"""Word vectors as gensim holds them, for comparison."""

from __future__ import annotations

import numpy as np
from gensim.models import KeyedVectors

from data_prep.text.embeddings import WordVectors


def keyed_vectors(vectors: WordVectors) -> KeyedVectors:
    """Copy vectors to a new ``KeyedVectors``, with counts where they are known."""
    keyed = KeyedVectors(vectors.dimensions)
    keyed.add_vectors(list(vectors.keys), vectors.vectors)
    if vectors.counts is not None:
        keyed.expandos["count"] = np.array(vectors.counts)
    return keyed
