"""What is exported of a digit network."""

from __future__ import annotations

from typing import Any

from apps.digits.examples import examples
from data_prep.files import toml_beside
from data_prep.images.preparation import digit_batch
from lectern.export.written import INPUTS, Exportable, example_picture


def exportable(digits: Any) -> Exportable:
    """Give network, labels and one of the digits that the project carries, of an application ``Digits``."""
    images = digit_batch(examples().images[:INPUTS])
    return Exportable(
        "A picture of 28 x 28 pixels to its class",
        digits.keras_model(),
        images,
        lambda some: {"image": some},
        {"labels.json": list(digits.labels), "example.png": example_picture(images[0, ..., 0])},
        toml_beside(__file__)["code"],
    )
