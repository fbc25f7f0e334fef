"""Distillation: a network learns from labels and from the softened answers of a trained network, its teacher.

Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network". A task says what its teacher answers, the
rest is here: the batches get the answers (``data_prep.batching.Taught``), and the loss of the network becomes

    (1 - weight) * own loss + weight * temperature^2 * KL(softmax(teacher / temperature), softmax(own / temperature))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from data_prep.batching import Taught
from data_prep.errors import InputError
from data_prep.fields import Checked, Natural, Portion, Positive
from models.presets.store import WEIGHTS, Preset, load_preset

if TYPE_CHECKING:
    import keras

Answer = Callable[[Any], Any]  # inputs of a batch to logits, in the structure of the network's outputs
Epoch = Callable[[int], Iterable[Any]]


@dataclass(frozen=True)
class Teaching(Checked):
    """How a network learns from a teacher.

    Args:
        preset: Preset of the teacher, of the same kind and with the same classes; none for no teacher.
        weight: Share of the teacher's answers in the loss; the rest are the labels.
        temperature: Logits of both networks are divided by it, so that what a teacher holds for possible counts too.
        views: Where examples are changed at random, the changes repeat after so many epochs, and the teacher answers
            them once; 0 for new ones in every epoch.
    """

    preset: str | None = None
    weight: Portion = 0.5
    temperature: Positive = 2.0
    views: Natural = 0


@dataclass(frozen=True)
class Teacher:
    """A trained network that teaches another one."""

    preset: Preset
    teaching: Teaching

    @property
    def name(self) -> str:
        """What it is called."""
        return self.preset.path.name

    @property
    def checksum(self) -> str:
        """SHA-256 of its weights."""
        return self.preset.metadata["files"][WEIGHTS]["sha256"]

    def check(self, what: str, own: Sequence[str], other: Sequence[str]) -> None:
        """Refuse a teacher whose classes, ``other``, are not those of the network, in their order.

        Raises:
            InputError: They are not.
        """
        if tuple(own) != tuple(other):
            raise InputError(
                f"The teacher {self.name} has other {what}",
                allowed=_listed(own),
                received=_listed(other),
                remedy="Name a preset that learned from the same data with --teacher",
            )

    def epochs(self, epoch: Epoch, begin: Callable[[], Answer]) -> Epoch:
        """Add the teacher's answers to the batches of every epoch.

        Args:
            epoch: Number of an epoch to its batches of inputs and labels.
            begin: Makes what answers the batches of one epoch in turn: NaN where there is no answer.
        """
        kept: dict[int, list[Any]] = {}

        def taught(number: int) -> Iterator[Any]:
            views = self.teaching.views
            view = number % views if views else number
            known, found, answer = kept.get(view), [], begin()
            for at, (inputs, labels) in enumerate(epoch(view)):
                answers = answer(inputs) if known is None else known[at]
                found.append(answers if views else None)
                yield inputs, Taught(labels, answers)
            if views:
                kept[view] = found

        return taught

    def change_loss(self, model: keras.Model) -> None:
        """Let a compiled network learn from the answers as well, where batches have them (``Taught``)."""
        own, teaching = model.compute_loss, self.teaching

        def compute_loss(
            x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
        ) -> Any:
            if not isinstance(y, Taught):
                return own(x, y, y_pred, sample_weight, training)
            loss = own(x, y.labels, y_pred, sample_weight, training)
            found, answers = ((one,) if not isinstance(one, dict) else one for one in (y_pred, y.answers))
            names = range(1) if isinstance(found, tuple) else sorted(answers)
            taught = sum(divergence(answers[name], found[name], teaching.temperature) for name in names)
            return (1.0 - teaching.weight) * loss + teaching.weight * taught

        model.compute_loss = compute_loss


def divergence(answers: Any, logits: Any, temperature: float) -> Any:
    """Return the mean of temperature^2 * KL(softmax(answers / temperature), softmax(logits / temperature)).

    Args:
        answers: Logits of the teacher, float (batch, ..., classes); NaN where there are none, which does not count.
        logits: Those of the network, of the same shape.
        temperature: Above 0.
    """
    from keras import ops

    known = ops.logical_not(ops.isnan(answers[..., 0]))
    wanted = ops.log_softmax(ops.where(known[..., None], answers, 0.0) / temperature, axis=-1)
    found = ops.log_softmax(ops.cast(logits, wanted.dtype) / temperature, axis=-1)
    apart = ops.sum(ops.exp(wanted) * (wanted - found), axis=-1)
    known = ops.cast(known, apart.dtype)
    return temperature**2 * ops.sum(apart * known) / ops.maximum(ops.sum(known), 1.0)


def teacher_of(recipe: Any, kind: str) -> Teacher | None:
    """Open the teacher that a recipe names; None where it names none.

    Raises:
        InputError: There is no such preset, or it is of another kind than ``kind``.
    """
    teaching = getattr(recipe, "teaching", None)
    if teaching is None or teaching.preset is None:
        return None
    return Teacher(load_preset(teaching.preset, kind=kind), teaching)


def in_rows(answers: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Lay answers float32 (places, classes) into the rows of a batch where bool (batch, time) is True, else NaN."""
    rows = np.full((*mask.shape, answers.shape[-1]), np.nan, np.float32)
    rows[mask] = answers
    return rows


def _listed(names: Sequence[str]) -> str:
    return f"{len(names)}: {' '.join(map(str, names)):.80}"
