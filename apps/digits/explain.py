"""Looking into a digit network: what every layer does for an image, which pixels count, and which digits are near.

The functions of ``models.inspection.image_networks`` and ``models.inspection.attribution`` take any Keras image
model; here they meet a preset and the example digits that the project carries.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from apps.digits.application import Digits
from apps.digits.epochs import epoch_arrays, epochs_file, saved_epochs
from apps.digits.examples import examples
from apps.digits.layer_strips import DigitLook, NearDigit, layer_look
from apps.digits.neighbours import example_features, neighbours_file
from apps.digits.results import DIGIT_LABELS
from data_prep.errors import InputError
from data_prep.images.preparation import digit_batch
from models.presets.search import resolve_preset

if TYPE_CHECKING:
    import keras

NEIGHBOURS = 5
MOST_NEIGHBOURS = 50
DEAD_EVERY = 10  # every tenth example is looked at for dead filters


class DigitInspector:
    """Looks into one digit network; threads can share it.

    Args:
        digits: The application whose network is looked into.
        folder: Of its preset, beside which saved epochs (``apps.digits.epochs``) and the features of the example
            digits (``apps.digits.neighbours``) may lie; None for a network without a preset.
    """

    def __init__(self, digits: Digits, folder: Path | None = None) -> None:
        self.digits, self.folder = digits, folder

    @classmethod
    def from_preset(cls, name: str | Path | None = None) -> DigitInspector:
        """Open the preset of a digit network.

        Args:
            name: Name of a preset, or its folder; None for the shipped one.

        Raises:
            InputError: There is no such preset, it is damaged, or it is of another kind.
        """
        folder = resolve_preset(name or Digits.default_preset)
        return cls(Digits.from_preset(folder), folder)

    @cached_property
    def epochs(self) -> tuple[int, ...]:
        """The saved epochs of its training, 0 for the first weights.

        Raises:
            InputError: Their file is damaged.
        """
        return () if self.folder is None else saved_epochs(epochs_file(self.folder))

    def at_epoch(self, epoch: int) -> DigitInspector:
        """Open the network as it was at a saved epoch, one of ``epochs``.

        Raises:
            InputError: That epoch was not saved, or the file is damaged.
        """
        own = self.digits
        if self.folder is None or epoch not in self.epochs:
            saved = ", ".join(map(str, self.epochs)) or "none of this preset"
            raise InputError("That epoch was not saved", allowed=saved, received=epoch)
        arrays = epoch_arrays(epochs_file(self.folder), epoch, own.arrays)
        more = {name: getattr(own, name) for name in ("labels", "metadata", "metrics")}
        return DigitInspector(Digits(own.config, arrays, **more))

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
        return example_features(self.digits, None if self.folder is None else neighbours_file(self.folder))

    def look(self, image: np.ndarray, label: str | None = None) -> DigitLook:
        """Show every layer for an image.

        Args:
            image: Float32 (28, 28, 1), 1 for ink.
            label: The class whose loss is sent back; the network's own answer if not given.

        Returns:
            The layers as strips.

        Raises:
            InputError: The image does not fit, or there is no such class.
        """
        from models.inspection.image_networks import look_inside

        inside = look_inside(self.model, image, None if label is None else self.class_number(label))
        best = int(inside.probabilities.argmax())
        return DigitLook(
            answer=self.digits.labels[best],
            probability=float(inside.probabilities[best]),
            label=self.digits.labels[inside.label],
            loss=inside.loss,
            layers=tuple(layer_look(view, self.dead.get(view.name, ())) for view in inside.layers),
        )

    def saliency(self, image: np.ndarray, label: str) -> np.ndarray:
        """Compute the gradient of a class's logit by the pixels; see ``models.inspection.attribution.saliency``.

        Args:
            image: Float32 (28, 28, 1).
            label: The class.

        Returns:
            Float32 (28, 28), with its sign.

        Raises:
            InputError: The image does not fit, or there is no such class.
        """
        from models.inspection.attribution import saliency

        return saliency(self.model, image, self.class_number(label))[..., 0]

    def occlusion(self, image: np.ndarray, label: str, patch: int = 5, stride: int = 2) -> np.ndarray:
        """Measure what a class loses when a patch is covered; see ``models.inspection.attribution.occlusion_map``.

        Args:
            image: Float32 (28, 28, 1).
            label: The class.
            patch: Side of the covered square in pixels.
            stride: Pixels from one patch to the next.

        Returns:
            Float32 (28, 28), lost probability.

        Raises:
            InputError: The image does not fit, there is no such class, or patch or stride is out of bounds.
        """
        from models.inspection.attribution import occlusion_map

        return occlusion_map(self.model, image, self.class_number(label), patch=patch, stride=stride)

    def neighbours(self, image: np.ndarray, count: int = NEIGHBOURS) -> tuple[NearDigit, ...]:
        """Find the training digits that the last hidden layer places nearest, among the examples.

        Args:
            image: Float32 (28, 28, 1).
            count: How many, 1 to 50.

        Returns:
            The nearest first; of equal ones the first of the training set.

        Raises:
            InputError: The image does not fit, the count is out of bounds, the network does not read digits, or the
                features beside the preset belong to another one.
        """
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_NEIGHBOURS:
            allowed = f"1 to {MOST_NEIGHBOURS}"
            raise InputError("The number of neighbours is out of bounds", allowed=allowed, received=count)
        if self.digits.labels != DIGIT_LABELS:
            raise InputError(
                "The examples are digits, and this network reads something else", received=self.digits.labels
            )
        stored = examples()
        distances = np.linalg.norm(self._features - self.digits.hidden(image[None])[0], axis=1)
        order = np.argsort(distances, kind="stable")[:count]
        images, labels, numbers = (values[order] for values in stored)
        return tuple(map(NearDigit, numbers.tolist(), map(str, labels), distances[order].tolist(), images))

    def class_number(self, label: str) -> int:
        """Give the position of a class among the logits.

        Raises:
            InputError: There is no such class.
        """
        if label not in self.digits.labels:
            raise InputError("There is no such class", allowed=", ".join(self.digits.labels), received=label)
        return self.digits.labels.index(label)
