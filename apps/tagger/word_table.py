"""The frozen word vectors of the tagger: the shared word2vec vectors beside vectors of a word's neighbours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apps.tagger.recipes import TaggerRecipe
from apps.vectors.application import Vectors
from data_prep.text.embeddings import WordVectors
from data_prep.text.neighbour_vectors import neighbour_vectors
from data_prep.text.tag_inputs import tagger_vocabulary
from data_prep.text.vocab import Vocabulary
from models.training.recipe import to_dict

RawTexts = Mapping[str, Callable[[], Iterator[str]]]


@dataclass(frozen=True)
class WordTable:
    """Vocabulary of a tagger and the frozen vectors of its rows.

    Args:
        vocabulary: As ``data_prep.text.tag_inputs.TagInputs`` takes it.
        trained_rows: How many of the first rows get a trained vector too.
        matrix: Float32 (rows, dimensions); zeros for words that no raw text holds.
    """

    vocabulary: Vocabulary
    trained_rows: int
    matrix: np.ndarray


def word_table(
    recipe: TaggerRecipe, texts: RawTexts, checksums: Mapping[str, str], run_dir: Path, forms: Iterable[str]
) -> WordTable:
    """Lay out the vocabulary and collect its vectors; those of raw texts are kept in the run's folder.

    Raises:
        InputError: The vectors or a raw text cannot be had.
    """
    sources: list[WordVectors] = []
    if recipe.vectors is not None:
        opened = Vectors.from_file if Path(recipe.vectors).is_file() else Vectors.from_preset
        vectors = opened(recipe.vectors).word_vectors
        sources.append(principal_components(vectors, recipe.vector_components))
    if texts:
        said = json.dumps([to_dict(recipe.neighbours), list(texts), dict(checksums)])
        path = run_dir / f"neighbours-{hashlib.sha256(said.encode()).hexdigest()[:12]}.npz"
        if not path.is_file():
            neighbour_vectors({name: text() for name, text in texts.items()}, recipe.neighbours).save(path)
        sources.append(WordVectors.load(path))
    # Neighbour vectors know the frequency of every word; their order decides which words get a row.
    keys = list(dict.fromkeys(key for source in reversed(sources) for key in source.keys))
    vocabulary, rows, trained_rows = tagger_vocabulary(forms, keys, recipe.word_rows)
    parts = [np.zeros((rows, 0 if sources else 1), np.float32)]
    words = vocabulary.decode(range(rows))
    for source in sources:
        part = np.zeros((rows, source.dimensions), np.float32)
        part[[word in source for word in words]] = source.vectors[source.vocabulary.encode_known(words)]
        parts.append(part)
    return WordTable(vocabulary, trained_rows, np.concatenate(parts, axis=1))


def principal_components(vectors: WordVectors, components: int) -> WordVectors:
    """Turn vectors so that the first numbers hold most, keep these, and scale all to a mean square of 1."""
    _, axes = np.linalg.eigh(vectors.vectors.T.astype(np.float64) @ vectors.vectors)
    axes = axes[:, ::-1][:, :components]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])  # a fixed sign
    turned = vectors.vectors @ axes.astype(np.float32)
    return WordVectors(vectors.vocabulary, turned / np.sqrt(np.mean(turned**2)))
