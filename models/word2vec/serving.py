"""Presets of word vectors: a table, and cosines between its rows as the stored answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_prep.array_files import ArraySpec
from data_prep.fields import Checked, Count
from models.presets.kinds import Arrays, Kind

_COMPARED_ROWS = 64


@dataclass(frozen=True)
class WordVectorsConfig(Checked):
    """Number of words and length of a vector of a table of word vectors."""

    vocabulary_size: Count
    dimensions: Count


def vector_specs(config: WordVectorsConfig) -> dict[str, ArraySpec]:
    """Give name, shape and dtype of the table."""
    return {"vectors": ArraySpec((config.vocabulary_size, config.dimensions), "float32")}


def vectors_answer(config: WordVectorsConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Return the cosines of the asked rows with the first rows of the table, float32 (rows, at most 64)."""
    vectors = arrays["vectors"]
    asked, first = vectors[inputs["rows"]], vectors[:_COMPARED_ROWS]
    lengths = np.linalg.norm(asked, axis=1)[:, None] * np.linalg.norm(first, axis=1)[None, :]
    return {"cosines": (asked @ first.T) / np.maximum(lengths, np.finfo(np.float32).tiny)}


WORD_VECTORS = Kind(
    WordVectorsConfig,
    arrays=vector_specs,
    answer=vectors_answer,
    network="models.word2vec.network:vectors_model",
    fills=True,
    needs_vocabulary=True,
    entries=lambda config: config.vocabulary_size,
)
