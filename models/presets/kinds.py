"""The kinds of preset: which code builds the network that a preset's file only fills with numbers.

Keras is imported inside the functions: the vectors of a preset open without it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data_prep.array_files import ArraySpec
from data_prep.errors import InputError
from data_prep.text.vocab import Vocabulary
from models.training.recipe import close_names

if TYPE_CHECKING:
    import keras

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Kind:
    """How presets of one kind are opened, tried out, and given to Keras.

    Args:
        config_class: Frozen dataclass of every argument of the network; it refuses values that make no sense.
        arrays: Config to the specs of the arrays that a preset holds.
        answer: (config, arrays, golden inputs by name) to outputs by name, without Keras.
        network: ``"module:function"`` of config to the Keras network, whose weights have the paths of the arrays.
        fills: Whether that function takes config and arrays, and fills the weights itself.
        needs_vocabulary: Whether ``vocab.json`` has to be there.
        needs_labels: Whether ``labels.json`` has to be there.
        entries: Config to the number of entries that the vocabulary has to have; None where that is not fixed.
        classes: Config to the number of labels that there have to be; None where that is not fixed.
        check: (config, vocabulary or None, labels or None); raises InputError where they do not fit.
    """

    config_class: type
    arrays: Callable[[Any], dict[str, ArraySpec]]
    answer: Callable[[Any, Arrays, Arrays], Arrays]
    network: str
    fills: bool = False
    needs_vocabulary: bool = False
    needs_labels: bool = False
    entries: Callable[[Any], int] | None = None
    classes: Callable[[Any], int] | None = None
    check: Callable[[Any, Vocabulary | None, tuple[str, ...] | None], None] | None = None

    def check_parts(self, config: Any, vocabulary: Vocabulary | None, labels: tuple[str, ...] | None) -> None:
        """Refuse a config of another class, vocabulary or labels that are missing (ValueError) or do not fit it."""
        if not isinstance(config, self.config_class):
            raise ValueError(f"The config must be a {self.config_class.__name__}. Received: {config!r}")
        if self.needs_vocabulary and vocabulary is None:
            raise InputError("This kind of preset needs a vocabulary")
        if self.needs_labels and labels is None:
            raise InputError("This kind of preset needs labels")
        for count, part, problem, unit in (
            (self.entries, vocabulary, "The vocabulary does not have one entry for each row", "entries"),
            (self.classes, labels, "There is not one label for each logit", "labels"),
        ):
            if count is not None and len(part) != count(config):
                raise InputError(
                    f"{problem} of the network", allowed=f"{count(config)} {unit}", received=len(part)
                )
        if self.check is not None:
            self.check(config, vocabulary, labels)

    def keras_model(self, config: Any, arrays: Arrays) -> keras.Model:
        """Build the Keras network of ``config`` with these weights."""
        from models.storage.variables import assign_arrays

        build = pkgutil.resolve_name(self.network)
        if self.fills:
            return build(config, arrays)
        model = build(config)
        assign_arrays(model.weights, arrays)
        return model


# Name to the place of its Kind, "module:attribute"; a network is imported only when it is asked for. A
# preset can name a row of this table and nothing else, so its file never decides which code runs.
KINDS: dict[str, str] = {
    "word_vectors": "models.word2vec.serving:WORD_VECTORS",
    "pos_tagger": "models.pos_tagger.serving:POS_TAGGER",
    "segmenter": "models.segmenter.serving:SEGMENTER",
    "char_lm": "models.char_lm.serving:CHAR_LM",
    "digit_cnn": "models.digit_cnn.serving:DIGIT_CNN",
    "ocr": "models.ocr.serving:OCR",
    "text_classifier": "models.text_classifier.serving:TEXT_CLASSIFIER",
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
    return pkgutil.resolve_name(KINDS[name])
