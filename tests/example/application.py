"""apps/flowers/application.py: what a person does with the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from apps.shared.application import Application
from apps.shared.measures import percent_right
from apps.shared.results import Result
from models.serving.operations import softmax
from tests.example.serving import flower_logits


@dataclass(frozen=True)
class FlowerScore(Result):
    """Right answers in percent, their standard error, and the number of flowers."""

    accuracy: float
    standard_error: float
    n: int


class Flowers(Application):
    """Tells the species of an iris by four measures."""

    kind = "flowers"
    default_preset = "flowers"

    def probabilities(self, measures: np.ndarray) -> np.ndarray:
        """Return probabilities float64 (flowers, species) for measures float32 (flowers, 4) in cm."""
        return softmax(flower_logits(self.arrays, measures))

    def score(self, measures: np.ndarray, species: np.ndarray) -> FlowerScore:
        """Score flowers whose species (numbers) are known."""
        right = int((self.probabilities(measures).argmax(axis=1) == species).sum())
        return FlowerScore(*percent_right(right, len(species)), n=len(species))
