"""Pictures of the test digits that the shipped networks read wrong, for the gallery of the page.

    python -m benchmarks.digit_errors            how many there are
    python -m benchmarks.digit_errors --store    keeps their pictures for the page

Nothing is scored here: which ones they are stands in the metrics of the presets.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import numpy as np

from apps.digits.reports import PRESETS, mistakes
from apps.shared.drawn_pictures import to_base64
from apps.shared.tables import Column, Rows, Table
from benchmarks.harness import Option, command
from data_prep.readers.mnist import read_mnist

ERRORS = Table(
    "digit_errors",
    "python -m benchmarks.digit_errors --store",
    "preset",
    (Column("errors", ""),),
    (Rows("errors.*"),),
)
OPTIONS = {"presets": Option(tuple(PRESETS), "presets whose errors are wanted")}


def pictures_of(errors: Mapping[str, list[int]], images: np.ndarray) -> dict[str, Any]:
    """Take the pictures of errors, positions in the test set uint8 (n, 28, 28) by preset, as the page reads them."""
    wanted = sorted({number for numbers in errors.values() for number in numbers})
    return {
        "errors": {preset: len(numbers) for preset, numbers in errors.items()},
        "images": {str(number): to_base64(images[number]) for number in wanted},
    }


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Collect the pictures."""
    errors = {preset: [mistake.index for mistake in mistakes(preset)[1]] for preset in options.presets}
    return pictures_of(errors, read_mnist("test").images)


main = command(__name__, __doc__, ERRORS, run, OPTIONS)
