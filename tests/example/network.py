"""models/flowers/network.py: the one build function; the only file of the model that imports Keras."""

from __future__ import annotations

import keras

from tests.example.config import MEASURES, FlowerConfig


def build_flower_network(config: FlowerConfig) -> keras.Model:
    """Build the network: ``measures`` float32 (flowers, 4) to logits float32 (flowers, classes)."""
    measures = keras.Input((MEASURES,), name="measures")
    hidden = keras.layers.Dense(config.units, activation="relu", name="hidden")(measures)
    return keras.Model(measures, keras.layers.Dense(config.classes, name="logits")(hidden))
