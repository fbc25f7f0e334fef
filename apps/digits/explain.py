"""Looking into a digit network: what every layer does for an image, which pixels count, and which digits are near.

The functions of ``models.inspection`` take any Keras image model; here they meet a preset and the example digits that
the project carries.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.digits.application import Digits
from apps.digits.epochs import Weights, epochs_file, read_epochs
from apps.digits.examples import examples
from apps.digits.results import DIGIT_LABELS
from apps.digits.strips import DigitLook, NearDigit, layer_look
from data_prep.errors import InputError
from data_prep.images.preparation import digit_batch
from models.presets.search import resolve_preset

if TYPE_CHECKING:
    import keras

NEIGHBOURS = 5
DEAD_EVERY = 10  # every tenth example is looked at for dead filters
_STRIDE = 2  # pixels from one covered patch to the next


class DigitInspector:
    """Looks into one digit network; threads can share it.

    Saved epochs (``apps.digits.epochs``) may lie beside the ``folder`` of its preset; None for a network without one.
    """

    def __init__(self, digits: Digits, folder: Path | None = None) -> None:
        self.digits, self.folder = digits, folder

    @classmethod
    def from_preset(cls, name: str | Path | None = None) -> DigitInspector:
        """Open the preset of a digit network, by name or folder, None for the shipped one; errors as for ``Digits``."""
        folder = resolve_preset(name or Digits.default_preset)
        return cls(Digits.from_preset(folder), folder)

    @cached_property
    def epochs(self) -> dict[int, Weights]:
        """The saved epochs of its training, 0 for the first weights; an ``InputError`` where their file is damaged."""
        return {} if self.folder is None else read_epochs(epochs_file(self.folder), self.digits.arrays)

    def at_epoch(self, epoch: int) -> DigitInspector:
        """Open the network as it was at one of ``epochs``; an ``InputError`` where it was not saved."""
        if epoch not in self.epochs:
            saved = ", ".join(map(str, self.epochs)) or "none of this preset"
            raise InputError("That epoch was not saved", allowed=saved, received=epoch)
        return DigitInspector(Digits(self.digits.config, self.epochs[epoch], labels=self.digits.labels))

    @cached_property
    def model(self) -> keras.Model:
        """The Keras network, built at the first use."""
        return self.digits.keras_model()

    @cached_property
    def dead(self) -> dict[str, tuple[int, ...]]:
        """Dead filters by layer, found with every tenth example; computed at the first use."""
        from models.inspection.image_networks import dead_filters

        return dead_filters(self.model, digit_batch(examples().images[::DEAD_EVERY]))

    @cached_property
    def _features(self) -> np.ndarray:
        from models.inspection.image_networks import hidden_features

        return hidden_features(self.model, digit_batch(examples().images)).values

    def look(self, image: np.ndarray, label: str | None = None) -> DigitLook:
        """Show every layer for an image.

        Args:
            image: Float32 (28, 28, 1), 1 for ink.
            label: The class whose loss is sent back; the network's own answer if not given.

        Raises:
            InputError: The image does not fit, or there is no such class.
        """
        from models.inspection.image_networks import look_inside

        inside = look_inside(self.model, image, None if label is None else self._class_number(label))
        best = int(inside.probabilities.argmax())
        return DigitLook(
            answer=self.digits.labels[best],
            probability=float(inside.probabilities[best]),
            label=self.digits.labels[inside.label],
            loss=inside.loss,
            layers=tuple(layer_look(view, self.dead.get(view.name, ())) for view in inside.layers),
        )

    def saliency(self, image: np.ndarray, label: str) -> np.ndarray:
        """Compute the gradient of a class's logit by the pixels; arguments as for :meth:`look`.

        Returns:
            Float32 (28, 28), with its sign.
        """
        from models.inspection.attribution import saliency

        return saliency(self.model, image, self._class_number(label))[..., 0]

    def occlusion(self, image: np.ndarray, label: str, patch: int = 5) -> np.ndarray:
        """Measure what a class loses when a square of ``patch`` pixels a side is covered; others as for :meth:`look`.

        Returns:
            Float32 (28, 28), lost probability.
        """
        from models.inspection.attribution import occlusion_map

        number = self._class_number(label)
        return occlusion_map(self.model, image, number, patch=patch, stride=min(_STRIDE, patch))

    def neighbours(self, image: np.ndarray) -> tuple[NearDigit, ...]:
        """Find the training digits that the last hidden layer places nearest to an image float32 (28, 28, 1).

        Returns:
            Those among the examples, the nearest first; of equal ones the first of the training set.

        Raises:
            InputError: The image does not fit, or the network does not read digits.
        """
        from models.inspection.image_networks import hidden_features

        if self.digits.labels != DIGIT_LABELS:
            raise InputError(
                "The examples are digits, and this network reads something else", received=self.digits.labels
            )
        own = hidden_features(self.model, image[None]).values[0]
        distances = np.linalg.norm(self._features - own, axis=1)
        order = np.argsort(distances, kind="stable")[:NEIGHBOURS]
        images, labels, numbers = (values[order] for values in examples())
        return tuple(map(NearDigit, numbers.tolist(), map(str, labels), distances[order].tolist(), images))

    def _class_number(self, label: str) -> int:
        if label not in self.digits.labels:
            raise InputError("There is no such class", allowed=", ".join(self.digits.labels), received=label)
        return self.digits.labels.index(label)
