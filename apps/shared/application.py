"""What every application of a trained model has: it opens from a preset and hands out its Keras network."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from data_prep.text.vocab import Vocabulary
from models.presets.kinds import kind_named
from models.presets.store import Preset, load_preset

if TYPE_CHECKING:
    import keras


class Application:
    """A trained network, ready for use; threads can share it.

    Attributes:
        kind: Kind of its presets.
        default_preset: The shipped one that is opened where none is named.
        scored_by: The function of its ``evaluation`` that scores it.

    Args:
        config: Of the network.
        arrays: Its weights by path.
        vocabulary: Of the preset, where its kind has one.
        labels: The classes in the order of the outputs, where its kind has them.
        metadata: Of the preset: recipe, data, history. Empty where it is not known.
        metrics: Of the preset: the scores of its making.
    """

    kind: ClassVar[str]
    default_preset: ClassVar[str]
    scored_by: ClassVar[str] = "evaluate"

    def __init__(
        self,
        config: Any,
        arrays: Mapping[str, np.ndarray],
        *,
        vocabulary: Vocabulary | None = None,
        labels: tuple[str, ...] | None = None,
        metadata: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        self.config, self.arrays, self.vocabulary, self.labels = config, arrays, vocabulary, labels
        self.metadata, self.metrics = metadata or {}, metrics or {}

    @classmethod
    def from_preset(cls, name: str | Path | None = None) -> Self:
        """Open a preset by its name or folder; the shipped one if nothing is said.

        Raises:
            InputError: There is no such preset, it is damaged, or it is of another kind.
        """
        return cls.of(load_preset(name or cls.default_preset, kind=cls.kind))

    @classmethod
    def of(cls, preset: Preset) -> Self:
        """Make the application of an opened preset."""
        return cls(
            preset.config,
            preset.arrays,
            vocabulary=preset.vocabulary,
            labels=preset.labels,
            metadata=preset.metadata,
            metrics=preset.metrics,
        )

    def keras_model(self) -> keras.Model:
        """Build the Keras network with these weights: to look at, fine-tune, save or export; it takes TensorFlow."""
        return kind_named(self.kind).keras_model(self.config, self.arrays)

    def evaluate(self, *args: Any, **options: Any) -> Any:
        """Score it on data that it did not learn from, by the function ``scored_by`` of its application."""
        package = type(self).__module__.rpartition(".")[0]
        return getattr(importlib.import_module(f"{package}.evaluation"), self.scored_by)(
            self, *args, **options
        )
