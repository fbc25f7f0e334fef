"""Looking into a digit network: what every layer does for an image, which pixels count, and which digits are near.

``models.digit_cnn.inside`` meets a preset and the example digits that the project carries; no TensorFlow. The functions
of ``models.inspection`` show the same of any Keras image model.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from apps.digits.application import Digits
from apps.digits.epochs import Weights, epochs_file, read_epochs
from apps.digits.examples import examples
from apps.digits.results import DIGIT_LABELS
from apps.digits.strips import DigitLook, NearDigit, layer_look
from data_prep.errors import InputError
from data_prep.images.preparation import DIGIT_SIZE, digit_batch
from models.digit_cnn.inside import OpenNetwork
from models.inspection.occlusion import occluded
from models.presets.search import resolve_preset

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
    def network(self) -> OpenNetwork:
        """The network with its layers open."""
        return OpenNetwork(self.digits.config, self.digits.arrays)

    @cached_property
    def dead(self) -> dict[str, tuple[int, ...]]:
        """Dead filters by layer, found with every tenth example; computed at the first use."""
        return self.network.dead(digit_batch(examples().images[::DEAD_EVERY]))

    @cached_property
    def _features(self) -> np.ndarray:
        return self.network.hidden(digit_batch(examples().images))

    def look(self, image: np.ndarray, label: str | None = None) -> DigitLook:
        """Show every layer for an image.

        Args:
            image: Float32 (28, 28, 1), 1 for ink.
            label: The class whose loss is sent back; the network's own answer if not given.

        Raises:
            InputError: The image does not fit, or there is no such class.
        """
        number = None if label is None else self._class_number(label)
        shares, loss, number, layers = self.network.look(_checked(image), number)
        best = int(shares.argmax())
        return DigitLook(
            answer=self.digits.labels[best],
            probability=float(shares[best]),
            label=self.digits.labels[number],
            loss=loss,
            layers=tuple(layer_look(view, self.dead.get(view.step.name, ())) for view in layers),
        )

    def saliency(self, image: np.ndarray, label: str) -> np.ndarray:
        """Compute the gradient of a class's logit by the pixels; arguments as for :meth:`look`.

        Returns:
            Float32 (28, 28), with its sign.
        """
        return self.network.saliency(_checked(image), self._class_number(label))[..., 0]

    def occlusion(self, image: np.ndarray, label: str, patch: int = 5) -> np.ndarray:
        """Measure what a class loses when a square of ``patch`` pixels a side is covered; others as for :meth:`look`.

        Returns:
            Float32 (28, 28), lost probability.
        """
        number = self._class_number(label)
        answer = lambda images: self.digits.probabilities(images)[:, number]  # noqa: E731
        return occluded(answer, _checked(image)[None], patch=patch, stride=min(_STRIDE, patch))

    def neighbours(self, image: np.ndarray) -> tuple[NearDigit, ...]:
        """Find the training digits that the last hidden layer places nearest to an image float32 (28, 28, 1).

        Returns:
            Those among the examples, the nearest first; of equal ones the first of the training set.

        Raises:
            InputError: The image does not fit, or the network does not read digits.
        """
        if self.digits.labels != DIGIT_LABELS:
            raise InputError(
                "The examples are digits, and this network reads something else", received=self.digits.labels
            )
        own = self.network.hidden(_checked(image)[None])[0]
        distances = np.linalg.norm(self._features - own, axis=1)
        order = np.argsort(distances, kind="stable")[:NEIGHBOURS]
        images, labels, numbers = (values[order] for values in examples())
        return tuple(map(NearDigit, numbers.tolist(), map(str, labels), distances[order].tolist(), images))

    def _class_number(self, label: str) -> int:
        if label not in self.digits.labels:
            raise InputError("There is no such class", allowed=", ".join(self.digits.labels), received=label)
        return self.digits.labels.index(label)


def _checked(image: np.ndarray) -> np.ndarray:
    """Return an image as float32; refuse one of another shape or with values that are no finite numbers."""
    if np.shape(image) != (DIGIT_SIZE, DIGIT_SIZE, 1) or not np.isfinite(image).all():
        allowed = f"finite numbers ({DIGIT_SIZE}, {DIGIT_SIZE}, 1)"
        raise InputError("The image does not fit the network", allowed=allowed, received=np.shape(image))
    return np.asarray(image, np.float32)
