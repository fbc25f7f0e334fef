"""Pictures of the test digits that the shipped networks read wrong, for the gallery of the page.

    python -m benchmarks.digit_errors            how many there are
    python -m benchmarks.digit_errors --store    keeps their pictures for the page

Nothing is scored here: which ones they are stands in the metrics of the presets.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from apps.shared.reports import RESULTS_DIR
from benchmarks.command import ROOT, write_results
from data_prep.errors import InputError

RESULTS = RESULTS_DIR / "digit_errors.json"


def pictures_of(errors: Mapping[str, list[int]], images: np.ndarray) -> dict[str, Any]:
    """Take the pictures of errors.

    Args:
        errors: Name of a preset to positions in the test set.
        images: Uint8 (n, 28, 28), the test set.

    Returns:
        What ``apps.digits.reports.digit_errors`` reads.
    """
    from apps.shared.drawn_pictures import to_base64

    wanted = sorted({number for numbers in errors.values() for number in numbers})
    return {
        "errors": {preset: len(numbers) for preset, numbers in errors.items()},
        "images": {str(number): to_base64(images[number]) for number in wanted},
    }


def main() -> int:
    """Read the command line, collect, print and perhaps store."""
    from apps.digits.application import DEFAULT_PRESET, LECTURE_PRESET
    from apps.digits.reports import mistakes
    from data_prep.readers.mnist import read_mnist

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", default=[DEFAULT_PRESET, LECTURE_PRESET], metavar="PRESET")
    parser.add_argument("--store", action="store_true", help=f"write {RESULTS.relative_to(ROOT)}")
    options = parser.parse_args()
    try:
        errors = {preset: [mistake["index"] for mistake in mistakes(preset)[1]] for preset in options.presets}
        results = pictures_of(errors, read_mnist("test").images)
        if options.store:
            write_results(RESULTS, results)
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    for preset, count in results["errors"].items():
        print(f"{preset}: {count} errors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
