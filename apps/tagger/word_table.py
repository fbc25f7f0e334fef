"""The frozen word vectors of the tagger: the shared word2vec vectors beside vectors of a word's neighbours."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data_prep.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from apps.tagger.task import TaggerRecipe
    from data_prep.text.embeddings import WordVectors
    from data_prep.text.vocab import Vocabulary


@dataclass(frozen=True)
class WordTable:
    """Vocabulary of a tagger and the frozen vectors of its rows.

    Args:
        vocabulary: As ``data_prep.text.tag_inputs.TagInputs`` takes it.
        trained_rows: So many first rows get a trained vector too.
        matrix: Float32 (rows, dimensions); zeros for words that no raw text holds.
    """

    vocabulary: Vocabulary
    trained_rows: int
    matrix: np.ndarray

    @property
    def rows(self) -> int:
        """Number of words with a row, specials included."""
        return len(self.matrix)


def word_table(recipe: TaggerRecipe, run_dir: Path, forms: Iterable[str]) -> WordTable:
    """Lay out the vocabulary and collect its vectors.

    Args:
        recipe: Of the tagger.
        run_dir: Where vectors made from raw text are kept for a resume.
        forms: The words of the training part.

    Returns:
        The table.

    Raises:
        InputError: If the vectors or a raw text cannot be had.
    """
    import numpy as np

    from data_prep.text.tag_inputs import tagger_vocabulary

    sources: list[WordVectors] = []
    if recipe.vectors is not None:
        sources.append(principal_components(open_vectors(recipe.vectors), recipe.vector_components))
    if recipe.raw_text:
        sources.append(_neighbours(recipe, run_dir))
    # Neighbour vectors know the frequency of every word; their order decides which words get a row.
    keys = list(dict.fromkeys(key for source in reversed(sources) for key in source.keys))
    vocabulary, rows, trained_rows = tagger_vocabulary(forms, keys, recipe.word_rows)
    parts = [_rows_of(source, vocabulary, rows) for source in sources] or [np.zeros((rows, 1), np.float32)]
    return WordTable(vocabulary, trained_rows, np.concatenate(parts, axis=1))


def open_vectors(name: str) -> WordVectors:
    """Open a preset of word vectors, or a file of them."""
    from apps.vectors.preset import load_vectors_preset
    from data_prep.text.embeddings import WordVectors

    path = Path(name)
    return WordVectors.load(path) if path.is_file() else load_vectors_preset(name)


def principal_components(vectors: WordVectors, components: int) -> WordVectors:
    """Turn vectors so that the first numbers hold most, keep these, and scale all to a mean square of 1.

    Args:
        vectors: Any.
        components: At most so many numbers are kept.

    Returns:
        Vectors of the same keys.
    """
    import numpy as np

    from data_prep.text.embeddings import WordVectors

    _, axes = np.linalg.eigh(vectors.vectors.T.astype(np.float64) @ vectors.vectors)
    axes = axes[:, ::-1][:, :components]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])  # a fixed sign
    turned = vectors.vectors @ axes.astype(np.float32)
    return WordVectors(vectors.keys, turned / np.sqrt(np.mean(turned**2)), vectors.counts)


def _rows_of(source: WordVectors, vocabulary: Vocabulary, rows: int) -> np.ndarray:
    import numpy as np

    matrix = np.zeros((rows, source.dimensions), np.float32)
    for row, key in enumerate(vocabulary.decode(range(rows))):
        if key in source:
            matrix[row] = source[key]
    return matrix


def _neighbours(recipe: TaggerRecipe, run_dir: Path) -> WordVectors:
    """Make the neighbour vectors, or take those that this run has made before."""
    from data_prep.text.embeddings import WordVectors
    from data_prep.text.neighbour_vectors import neighbour_vectors
    from models.training.recipe import to_dict

    settings = json.dumps([to_dict(recipe.neighbours), list(recipe.raw_text)])
    path = run_dir / f"neighbours-{hashlib.sha256(settings.encode()).hexdigest()[:12]}.npz"
    if path.is_file():
        return WordVectors.load(path)
    found = neighbour_vectors({name: raw_texts(name)() for name in recipe.raw_text}, recipe.neighbours)
    found.save(path)
    return found


def raw_texts(name: str) -> Callable[[], Iterator[str]]:
    """Return what opens the texts of a data set without tags.

    Raises:
        InputError: If there is no such data set, or it cannot be had.
    """
    from data_prep.datasets import locate
    from data_prep.text.raw_forms import review_texts, wiki_texts

    readers = {"wiki": wiki_texts, "imdb": review_texts}
    if name not in readers:
        raise InputError("There is no such raw text", allowed=", ".join(readers), received=name)
    path = locate(name)
    return lambda: readers[name](path)
