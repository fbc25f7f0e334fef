"""The kinds of preset: which code builds the network that a preset's file only fills with numbers.

Keras is imported inside the functions: the vectors of a preset open without it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data_prep.errors import InputError
from data_prep.text.vocab import Vocabulary
from models.storage.arrays import ArraySpec
from models.training.recipe import close_names

if TYPE_CHECKING:
    import keras

_COMPARED_ROWS = 64

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Kind:
    """How presets of one kind are opened, tried out, and given to Keras.

    Args:
        config_class: Frozen dataclass of every argument of the network; it refuses values that make no sense.
        arrays: Config to the specs of the arrays that a preset holds.
        answer: (config, arrays, golden inputs by name) to outputs by name, without Keras.
        network: ``"module:function"`` of (config, arrays) to the Keras network with these weights, built.
        needs_vocabulary: Whether ``vocab.json`` has to be there.
        needs_labels: Whether ``labels.json`` has to be there.
        check: (config, vocabulary or None, labels or None); raises InputError where they do not fit.
    """

    config_class: type
    arrays: Callable[[Any], dict[str, ArraySpec]]
    answer: Callable[[Any, Arrays, Arrays], Arrays]
    network: str
    needs_vocabulary: bool = False
    needs_labels: bool = False
    check: Callable[[Any, Vocabulary | None, tuple[str, ...] | None], None] | None = None

    def keras_model(self, config: Any, arrays: Arrays) -> keras.Model:
        """Build the Keras network of ``config`` with these weights."""
        module, function = self.network.split(":")
        return getattr(importlib.import_module(module), function)(config, arrays)


@dataclass(frozen=True)
class WordVectorsConfig:
    """Size of a table of word vectors.

    Args:
        vocabulary_size: Number of words.
        dimensions: Length of a vector.
    """

    vocabulary_size: int
    dimensions: int

    def __post_init__(self) -> None:
        """Refuse an empty table."""
        if self.vocabulary_size < 1 or self.dimensions < 1:
            raise InputError(
                "A table of word vectors has at least one row and one column",
                received=(self.vocabulary_size, self.dimensions),
            )


def _vector_specs(config: WordVectorsConfig) -> dict[str, ArraySpec]:
    return {"vectors": ArraySpec((config.vocabulary_size, config.dimensions), "float32")}


def _vector_similarities(config: WordVectorsConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Return the cosines of the asked rows with the first rows of the table, float32 (rows, at most 64)."""
    vectors = arrays["vectors"]
    asked, first = vectors[inputs["rows"]], vectors[:_COMPARED_ROWS]
    lengths = np.linalg.norm(asked, axis=1)[:, None] * np.linalg.norm(first, axis=1)[None, :]
    return {"cosines": (asked @ first.T) / np.maximum(lengths, np.finfo(np.float32).tiny)}


def _check_vectors(
    config: WordVectorsConfig, vocabulary: Vocabulary | None, labels: tuple[str, ...] | None
) -> None:
    if vocabulary is None or len(vocabulary) != config.vocabulary_size:
        size = None if vocabulary is None else len(vocabulary)
        raise InputError(
            "The vocabulary does not have one entry for each vector",
            allowed=f"{config.vocabulary_size} entries",
            received=size,
        )


WORD_VECTORS = Kind(
    WordVectorsConfig,
    arrays=_vector_specs,
    answer=_vector_similarities,
    network="models.word2vec.network:vectors_model",
    needs_vocabulary=True,
    check=_check_vectors,
)

# Name to the place of its Kind, "module:attribute"; a network is imported only when it is asked for. A
# preset can name a row of this table and nothing else, so its file never decides which code runs.
KINDS: dict[str, str] = {
    "word_vectors": "models.presets.kinds:WORD_VECTORS",
    "pos_tagger": "models.pos_tagger.config:POS_TAGGER",
    "segmenter": "models.segmenter.serving:SEGMENTER",
    "char_lm": "models.char_lm.config:CHAR_LM",
    "digit_cnn": "models.digit_cnn.serving:DIGIT_CNN",
    "ocr": "models.ocr.serving:OCR",
    "text_classifier": "models.text_classifier.config:TEXT_CLASSIFIER",
}


def kind_named(name: str) -> Kind:
    """Return the kind of a name.

    Raises:
        InputError: When there is no such kind.
    """
    if not isinstance(name, str) or name not in KINDS:
        raise InputError(
            "The kind of preset is unknown",
            allowed=", ".join(sorted(KINDS)),
            received=name,
            remedy=close_names(str(name), list(KINDS), kind="kind"),
        )
    module, attribute = KINDS[name].split(":")
    return getattr(importlib.import_module(module), attribute)
