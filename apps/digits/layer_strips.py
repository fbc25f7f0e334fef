"""What looking into a digit network returns: layers as strips with their captions, and similar digits."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.digits.picture_strips import Strip, activation_strip, weight_strip
from apps.shared.results import Result

if TYPE_CHECKING:
    from models.inspection.image_networks import LayerView


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class WeightLook(Result):
    """One weight of a layer.

    Attributes:
        name: Such as ``kernel``.
        values: Its strip.
        gradients: The strip of the loss's gradient by it; None where it is not trained.
    """

    name: str
    values: Strip
    gradients: Strip | None

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: least and largest values."""
        return {"name": self.name, "values": _ends(self.values), "gradients": _ends(self.gradients)}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LayerLook(Result):
    """One layer as it answers one image.

    Attributes:
        name: Of the layer.
        kind: Its class, such as ``Conv2D``.
        shape: Of its output: (height, width, channels) or (units,).
        settings: Filter size and stride in words; empty for layers that have none.
        formula: How many parameters it has, and how that comes about; empty for none.
        parameters: How many.
        activations: Its output.
        gradients: The loss's gradient by its output; None where the loss does not depend on it.
        weights: Its weights.
        dead: Channels that are zero for all examples.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    settings: str
    formula: str
    parameters: int
    activations: Strip
    gradients: Strip | None
    weights: tuple[WeightLook, ...]
    dead: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold: numbers in place of pictures."""
        return {
            "name": self.name,
            "kind": self.kind,
            "shape": list(self.shape),
            "parameters": self.parameters,
            "activations": _ends(self.activations),
            "gradients": _ends(self.gradients),
            "weights": [weight.to_dict() for weight in self.weights],
            "dead": list(self.dead),
        }


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DigitLook(Result):
    """A network's answer to one image, from the inside.

    Attributes:
        answer: The most probable class.
        probability: Its probability, 0 to 1.
        label: The class whose loss was sent back.
        loss: Of that class, in nats.
        layers: In the order of the calls.
    """

    answer: str
    probability: float
    label: str
    loss: float
    layers: tuple[LayerLook, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class NearDigit(Result):
    """A training digit that the last hidden layer places near an image.

    Attributes:
        number: Its position in the training set.
        label: What it shows.
        distance: Between the two in the hidden layer (Euclidean).
        image: Uint8 (28, 28).
    """

    number: int
    label: str
    distance: float
    image: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Turn into what JSON can hold, without the image."""
        return {"number": self.number, "label": self.label, "distance": self.distance}


def layer_look(view: LayerView, dead: tuple[int, ...] = ()) -> LayerLook:
    """Lay out what one layer did.

    Args:
        view: Of any Keras image model.
        dead: Its dead channels.

    Returns:
        Strips and captions.
    """
    return LayerLook(
        name=view.name,
        kind=view.kind,
        shape=view.activations.shape,
        settings=_settings(view),
        formula=_formula(view),
        parameters=view.parameters,
        activations=activation_strip(view.activations),
        gradients=None if view.gradients is None else activation_strip(view.gradients),
        weights=tuple(
            WeightLook(
                weight.name,
                weight_strip(weight.values),
                None if weight.gradients is None else weight_strip(weight.gradients),
            )
            for weight in view.weights
        ),
        dead=dead,
    )


def _settings(view: LayerView) -> str:
    kernel = next((weight.values for weight in view.weights if weight.name == "kernel"), None)
    said = []
    if kernel is not None and kernel.ndim == 4:
        said.append(f"filter {'×'.join(map(str, kernel.shape[:3]))}")
    if (pool := getattr(view.layer, "pool_size", None)) is not None:
        said.append(f"window {'×'.join(map(str, pool))}")
    strides = getattr(view.layer, "strides", None)
    if isinstance(strides, tuple) and said:
        said.append(f"stride {strides[0] if len(set(strides)) == 1 else '×'.join(map(str, strides))}")
    return ", ".join(said)


def _formula(view: LayerView) -> str:
    """Write as the lecture does: 8×5×5×1 + 8 = 208."""
    if not view.weights:
        return ""
    parts = []
    for weight in view.weights:
        shape = weight.values.shape
        last_first = (shape[-1], *shape[:-1]) if len(shape) > 1 else shape or (1,)
        parts.append("×".join(map(str, last_first)))
    return f"{' + '.join(parts)} = {view.parameters:,}"


def _ends(strip: Strip | None) -> dict[str, float] | None:
    return None if strip is None else {"min": strip.low, "max": strip.high}
