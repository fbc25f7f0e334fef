"""Digit networks of drawn weights, for tests that need one and do not mind what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from apps.digits.application import Digits
from apps.digits.epochs import epochs_file, write_epochs
from apps.digits.examples import examples
from data_prep.images.preparation import digit_batch
from models.digit_cnn.config import KIND, DigitCNNConfig, digit_specs
from models.presets.card import CardText
from models.presets.store import save_preset

EPOCHS = (0, 1, 3)
LABELS = tuple("0123456789")


def digits_of(architecture: str, seed: int = 0, pooling: str = "max") -> Digits:
    """Make a network of drawn weights."""
    config = DigitCNNConfig(architecture, widths=(16, 24), blocks=1, pooling=pooling)
    random = np.random.default_rng(seed)
    arrays = {}
    for name, spec in digit_specs(config).items():
        values = random.normal(0.0, 0.3, spec.shape)
        if "moving_variance" in name or "gamma" in name:
            values = np.abs(values) + 0.5
        arrays[name] = values.astype(np.float32)
    return Digits(config, arrays, labels=LABELS)


def save_digits(target: Path, architecture: str, *, split: str = "test") -> Path:
    """Write a preset of drawn weights, with three saved epochs and two errors."""
    digits = digits_of(architecture)
    mistakes = [
        {"index": 4, "label": "9", "answer": "4", "confidence": 0.6, "label_probability": 0.4},
        {"index": 1, "label": "0", "answer": "6", "confidence": 0.9, "label_probability": 0.05},
    ]
    save_preset(
        target,
        kind=KIND,
        config=digits.config,
        weights=digits.arrays,
        golden={"image": digit_batch(examples().images[:2])},
        metrics={
            "accuracy": {
                "score": 98.0,
                "protocol": "made up",
                "n": 10_000,
                "standard_error": 0.14,
                "baseline": None,
                "split": split,
                "mistakes": mistakes,
            }
        },
        metadata={"recipe": {}, "seed": 0, "data": {"none": "none"}, "seconds": 60.0},
        card=CardText("Tiny", "For tests.", "Made up.", "None.", "Tests.", "Everything else."),
        labels=LABELS,
    )
    epochs = {epoch: digits_of(architecture, seed=epoch + 1).arrays for epoch in EPOCHS}
    write_epochs(epochs_file(target), {**epochs, EPOCHS[-1]: digits.arrays})
    return target
