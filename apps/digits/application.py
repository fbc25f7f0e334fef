"""Digits: what a drawn, scanned or photographed digit shows; works without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.digits.examples import Examples, examples
from apps.digits.results import DigitResult
from apps.shared.application import Application
from data_prep.errors import InputError
from data_prep.images.decoding import Source
from data_prep.images.preparation import DIGIT_SIZE, is_prepared, prepare_digit
from models.digit_cnn.serving import PackedCNN
from models.serving.operations import softmax

if TYPE_CHECKING:
    from models.digit_cnn.compiled import CompiledCNN

DEFAULT_PRESET = "digits_mnist"
LECTURE_PRESET = "digits_lecture"


class Digits(Application):
    """A trained digit network, ready for use; threads can share it."""

    kind = "digit_cnn"
    default_preset = DEFAULT_PRESET

    def __init__(self, config: Any, arrays: Mapping[str, np.ndarray], **more: Any) -> None:
        super().__init__(config, arrays, **more)
        self.network = PackedCNN(config, arrays)

    def classify(self, image: Source, name: str | None = None) -> DigitResult:
        """Say what an image shows.

        Args:
            image: Bytes of a PNG or JPEG, the path of one, or an array, as
                ``data_prep.images.preparation.prepare_digit`` takes it: any size, dark on light or light on dark.
            name: What it is called in messages.

        Returns:
            The answer, with all probabilities and the steps from the image to what the network read.

        Raises:
            InputError: It is no image, too large, or shows nothing.
        """
        prepared = prepare_digit(image, name)
        probabilities = self.probabilities(prepared.image[None])[0]
        return DigitResult(
            self.labels[int(probabilities.argmax())], tuple(probabilities.tolist()), self.labels, prepared
        )

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Answer prepared images float32 (n, 28, 28, 1), 1 for ink, with probabilities float64 (n, classes).

        Raises:
            InputError: The images have another shape, or values that are no floats from 0 to 1.
        """
        images = np.asarray(images)
        if images.shape[1:] != (DIGIT_SIZE, DIGIT_SIZE, 1):
            raise InputError("The images have a wrong shape", allowed="(n, 28, 28, 1)", received=images.shape)
        if not is_prepared(images):
            raise InputError("The images are not prepared", allowed="floats, 0 to 1", received=images.dtype)
        return softmax(self.network.logits(images))

    @staticmethod
    def examples() -> Examples:
        """Return the training images that the project carries, 50 of each class, with their labels."""
        return examples()

    def compiled(self) -> CompiledCNN:
        """Return the network for many images at once: several times as fast, but it takes TensorFlow.

        Where the processor multiplies bfloat16 fastest its logits are rounded; scores of the presets are not its.
        """
        from models.digit_cnn.compiled import CompiledCNN

        return CompiledCNN(self.config, self.arrays)
