"""models/flowers/config.py: every argument of the network, and the names and shapes of its weights."""

from __future__ import annotations

from dataclasses import dataclass

from data_prep.array_files import ArraySpec
from data_prep.fields import Checked, Count

MEASURES = 4


@dataclass(frozen=True)
class FlowerConfig(Checked):
    """A network with one hidden layer.

    Args:
        units: Of the hidden layer.
        classes: Number of logits.
    """

    units: Count = 8
    classes: Count = 3


def flower_specs(config: FlowerConfig) -> dict[str, ArraySpec]:
    """Give names, shapes and dtypes of the weights."""
    shapes = {
        "hidden/kernel": (MEASURES, config.units),
        "hidden/bias": (config.units,),
        "logits/kernel": (config.units, config.classes),
        "logits/bias": (config.classes,),
    }
    return {name: ArraySpec(shape, "float32") for name, shape in shapes.items()}
