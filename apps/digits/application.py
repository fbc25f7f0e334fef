"""Digits: what a drawn, scanned or photographed digit shows; works without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.digits.results import DigitResult
from data_prep.errors import InputError
from data_prep.images.preparation import DIGIT_SIZE, PreparedImage, Source, prepare_digit

if TYPE_CHECKING:
    import keras

    from apps.digits.results import DigitsEvaluation
    from models.digit_cnn.compiled import CompiledCNN
    from models.digit_cnn.config import DigitCNNConfig

DEFAULT_PRESET = "digits_mnist"
LECTURE_PRESET = "digits_lecture"


class Digits:
    """A trained digit network, ready for use; threads can share it.

    Args:
        config: Of the network.
        arrays: Its weights by path.
        labels: The classes in the order of the logits.
        metadata: Of the preset: recipe, data, history. Empty where it is not known.
        metrics: Of the preset: the scores of its making.
    """

    def __init__(
        self,
        config: DigitCNNConfig,
        arrays: Mapping[str, np.ndarray],
        labels: tuple[str, ...],
        metadata: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        from models.digit_cnn.serving import PackedCNN

        self.config, self.arrays, self.labels = config, arrays, labels
        self.metadata, self.metrics = metadata or {}, metrics or {}
        self.network = PackedCNN(arrays)

    @classmethod
    def from_preset(cls, name: str | Path = DEFAULT_PRESET) -> Digits:
        """Open the preset of a digit network.

        Args:
            name: Name of a shipped preset, or the folder of one's own.

        Returns:
            The application.

        Raises:
            InputError: There is no such preset, it is damaged, or it is of another kind.
        """
        from models.digit_cnn.config import KIND
        from models.presets.store import load_preset

        opened = load_preset(name, kind=KIND)
        return cls(opened.config, opened.arrays, opened.labels, opened.metadata, opened.metrics)

    def classify(self, image: Source, name: str | None = None) -> DigitResult:
        """Say what an image shows.

        Args:
            image: Bytes of a PNG or JPEG, the path of one, or an array, as
                ``data_prep.images.preparation.prepare_digit`` takes
                it: any size, dark on light or light on dark.
            name: What it is called in messages.

        Returns:
            The answer, with all probabilities and the steps from the image to what the network read.

        Raises:
            InputError: It is no image, too large, or shows nothing.
        """
        return self.classify_prepared(prepare_digit(image, name))

    def classify_prepared(self, prepared: PreparedImage) -> DigitResult:
        """Say what an image shows that went through ``data_prep.images.preparation.prepare_digit``."""
        probabilities = self.probabilities(prepared.image[None])[0]
        return DigitResult(
            self.labels[int(probabilities.argmax())], tuple(probabilities.tolist()), self.labels, prepared
        )

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Answer images that are prepared.

        Args:
            images: Float32 (n, 28, 28, 1), 0 for paper and 1 for ink.

        Returns:
            Probabilities float64 (n, classes), each row with sum 1.

        Raises:
            InputError: The images have another shape.
        """
        return _softmax(self.network.logits(_checked(images)))

    def hidden(self, images: np.ndarray) -> np.ndarray:
        """Return the last hidden layer for images float32 (n, 28, 28, 1), float32 (n, features)."""
        return self.network.hidden(_checked(images))

    def compiled(self) -> CompiledCNN:
        """Return the network for many images at once: several times as fast, but it takes TensorFlow.

        Where the processor multiplies bfloat16 fastest its logits are rounded; scores of the presets are not its.
        """
        from models.digit_cnn.compiled import CompiledCNN

        return CompiledCNN(self.arrays)

    def keras_model(self) -> keras.Model:
        """Build the Keras network with these weights, for looking inside; it takes TensorFlow."""
        from models.digit_cnn.network import build_digit_cnn
        from models.storage.variables import assign_arrays

        model = build_digit_cnn(self.config)
        assign_arrays(model.weights, self.arrays)
        return model

    def evaluate(self, folder: Path | None = None) -> DigitsEvaluation:
        """Score images that it did not learn from: the test set, or a folder; see ``apps.digits.evaluation``."""
        from apps.digits.evaluation import evaluate

        return evaluate(self, folder)


def _checked(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != (DIGIT_SIZE, DIGIT_SIZE, 1):
        raise InputError(
            "The images have a wrong shape", allowed="(n, 28, 28, 1)", received=tuple(images.shape)
        )
    return images.astype(np.float32, copy=False)


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    shares = np.exp(shifted)
    return shares / shares.sum(axis=1, keepdims=True)
