"""What looking into a digit network returns: layers as strips with their captions, and similar digits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.digits.picture_strips import Strip, activation_strip, png, scale, weight_strip
from apps.shared.results import Result
from data_prep.files import atomic_writer

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
        return {"name": self.name, "values": self.values.ends, "gradients": _ends(self.gradients)}


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
            "activations": self.activations.ends,
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
    """Lay out what one layer of any Keras image model did, with its dead channels."""
    weights = (
        WeightLook(weight.name, weight_strip(weight.values), _strip(weight_strip, weight.gradients))
        for weight in view.weights
    )
    return LayerLook(
        name=view.name,
        kind=view.kind,
        shape=view.activations.shape,
        settings=_settings(view),
        formula=_formula(view),
        parameters=view.parameters,
        activations=activation_strip(view.activations),
        gradients=_strip(activation_strip, view.gradients),
        weights=tuple(weights),
        dead=dead,
    )


def write_strips(look: DigitLook, folder: Path) -> list[Path]:
    """Write every strip as a PNG, one pixel a value, and return the files.

    Raises:
        InputError: The folder cannot be written.
    """
    one_sided = scale([(227, 221, 208), (15, 124, 144)])
    two_sided = scale([(184, 72, 31), (227, 221, 208), (15, 124, 144)])
    written = []
    for at, layer in enumerate(look.layers, start=1):
        start = f"{at:03d}-{''.join(c if c.isalnum() or c in '-_' else '_' for c in layer.name)}"
        strips = {"activations": layer.activations, "activations-gradient": layer.gradients}
        for weight in layer.weights:
            strips |= {weight.name: weight.values, f"{weight.name}-gradient": weight.gradients}
        for name, strip in strips.items():
            if strip is None:
                continue
            written.append(folder / f"{start}-{name}.png")
            with atomic_writer(written[-1], overwrite=True) as file:
                file.write(png(strip, two_sided if strip.signed else one_sided))
    return written


def _strip(layout: Callable[[np.ndarray], Strip], values: np.ndarray | None) -> Strip | None:
    return None if values is None else layout(values)


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
    return None if strip is None else strip.ends
