"""Answers averaged over shifts: each image is answered nine times, in its place and moved by a pixel each way.

    python -m benchmarks.digit_shifts                   whether it helps on validation images
    python -m benchmarks.digit_shifts --test --store    scores the test set too, and keeps the result for documentation

A figure of its own beside the score of the preset: it costs nine answers an image.
"""

from __future__ import annotations

import argparse
from itertools import product
from typing import Any

import numpy as np

from apps.digits.application import Digits
from apps.digits.reports import PRESETS, SHIFTS
from apps.digits.sources import mnist_source
from apps.shared.measures import percent_right
from benchmarks.harness import THREADS, Option, command, settings
from data_prep.images.augmentation import Augmentation, augmented
from data_prep.images.preparation import digit_batch
from models.training.recipe import from_dict

OPTIONS = {
    "presets": Option(("digits_mnist",), "presets that answer", tuple(PRESETS)),
    "test": Option(False, "score the test set too"),
    "threads": THREADS,
}
_SEED = 18  # of what is changed in validation images


def shifted(images: np.ndarray) -> list[np.ndarray]:
    """Move images float32 (n, height, width, 1) by -1, 0 or 1 pixel down and across; what comes in is 0."""
    height, width = images.shape[1:3]
    framed = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return [
        framed[:, down : down + height, across : across + width]
        for down, across in product(range(3), repeat=2)
    ]


def averaged(digits: Digits, images: np.ndarray) -> np.ndarray:
    """Return the mean probabilities over :func:`shifted`, float64 (n, classes)."""
    return np.mean([digits.probabilities(moved) for moved in shifted(images)], axis=0)


def _score(shares: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    right = int((shares.argmax(axis=1) == labels).sum())
    accuracy, error = percent_right(right, len(labels))
    return {"accuracy": accuracy, "standard_error": error, "errors": len(labels) - right, "n": len(labels)}


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Score presets with and without shifts; the test set without them is what the preset has stored."""
    source, found = mnist_source(), {}
    for name in options.presets:
        digits, labels = Digits.from_preset(name), source.validation.labels
        changes = from_dict(Augmentation, digits.metadata["recipe"]["augmentation"])
        images = augmented(source.validation.images, changes, np.random.default_rng(_SEED))
        found[name] = {
            "validation": _score(digits.probabilities(images), labels),
            "validation_shifts": _score(averaged(digits, images), labels),
        }
        if options.test:
            found[name]["test_shifts"] = _score(
                averaged(digits, digit_batch(source.test.images)), source.test.labels
            )
    return {"settings": settings(options), "presets": found}


main = command(__name__, __doc__, SHIFTS, run, OPTIONS)
