"""Every error of a digit network on the official test set, with its picture, for the gallery of the page.

    python -m benchmarks.digit_errors            the shipped presets
    python -m benchmarks.digit_errors --store    keeps the result for the page

It scores finished networks once more and chooses nothing by the result.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from data_prep.errors import InputError

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "digit_errors.json"


def errors_of(
    probabilities: np.ndarray, images: np.ndarray, labels: np.ndarray, names: tuple[str, ...]
) -> dict[str, Any]:
    """List the errors.

    Args:
        probabilities: Float (n, classes).
        images: Uint8 (n, 28, 28).
        labels: Int (n,), the right classes.
        names: Of the classes.

    Returns:
        What ``apps.digit_reports.digit_errors`` reads.
    """
    from apps.drawn_pictures import to_base64

    answers = probabilities.argmax(axis=1)
    return {
        "n": len(labels),
        "errors": [
            {
                "number": int(at),
                "label": names[labels[at]],
                "answer": names[answers[at]],
                "confidence": round(float(probabilities[at, answers[at]]), 6),
                "label_probability": round(float(probabilities[at, labels[at]]), 6),
                "image": to_base64(images[at]),
            }
            for at in np.flatnonzero(answers != labels)
        ],
    }


def run(presets: list[str]) -> dict[str, Any]:
    """Score presets.

    Args:
        presets: Their names.

    Returns:
        Name of a preset to its errors.

    Raises:
        InputError: A preset or the data set is missing or damaged.
    """
    from apps.digits import Digits
    from data_prep.images import digit_batch
    from data_prep.readers.mnist import read_mnist

    networks = {name: Digits.from_preset(name) for name in presets}
    test = read_mnist().test
    return {
        name: errors_of(digits.probabilities(digit_batch(test.images)), test.images, test.labels, digits.labels)
        for name, digits in networks.items()
    }


def main() -> int:
    """Read the command line, score, print and perhaps store."""
    from apps.digits import DEFAULT_PRESET, LECTURE_PRESET

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", default=[DEFAULT_PRESET, LECTURE_PRESET], metavar="PRESET")
    parser.add_argument("--store", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    try:
        results = run(options.presets)
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    if options.store:
        from models.atomic import write_json

        RESULTS.parent.mkdir(exist_ok=True)
        write_json(RESULTS, results)
    if options.json:
        print(json.dumps(results))
    else:
        for name, found in results.items():
            print(f"{name}: {len(found['errors'])} errors in {found['n']:,} images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
