"""What ``benchmarks.robustness`` stores, for tests of pages."""

from __future__ import annotations

import json
from pathlib import Path


def store_robustness(folder: Path, *presets: str) -> None:
    """Store two conditions of each preset, negations, and other things."""
    row = {"score": 90.0, "standard_error": 1.0, "n": 1000}
    found = {
        "settings": {"seed": 1, "processor": "one"},
        "presets": {preset: {"clean": row, "typos_1": {**row, "score": 80.0}} for preset in presets},
        "contrasts": {"negation": {**row, "templates": 20}},
        "origins": {"goods": row},
    }
    (folder / "robustness.json").write_text(json.dumps(found), encoding="utf-8")
