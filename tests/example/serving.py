"""models/flowers/serving.py: how it answers without Keras, and its row for models/presets/kinds.py."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from models.presets.kinds import Kind
from tests.example.config import FlowerConfig, flower_specs

Arrays = Mapping[str, np.ndarray]


def flower_logits(arrays: Arrays, measures: np.ndarray) -> np.ndarray:
    """Return logits float32 (flowers, classes) for measures float32 (flowers, 4)."""
    hidden = np.maximum(measures @ arrays["hidden/kernel"] + arrays["hidden/bias"], 0.0)
    return hidden @ arrays["logits/kernel"] + arrays["logits/bias"]


def flower_answer(config: FlowerConfig, arrays: Arrays, inputs: Arrays) -> Arrays:
    """Answer the golden input of a preset."""
    return {"logits": flower_logits(arrays, inputs["measures"])}


FLOWERS = Kind(
    FlowerConfig,
    arrays=flower_specs,
    answer=flower_answer,
    network="tests.example.network:build_flower_network",
    needs_labels=True,
)
