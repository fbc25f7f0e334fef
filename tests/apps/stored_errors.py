"""Errors as ``benchmarks.errors`` stores them, for tests of pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from apps.shared.errors import Error, packed


def store_errors(folder: Path, task: str, preset: str, errors: Sequence[Error], **counts: int) -> None:
    """Store errors of a preset that is in reach."""
    of = {"n": 100, "wrong": len(errors), **counts}
    found = {"presets": {preset: packed(preset, of["n"], of["wrong"], errors)}}
    (folder / f"errors_{task}.json").write_text(json.dumps(found), encoding="utf-8")


MANY = tuple(
    Error(
        ("neg", "pos")[at % 2],
        ("pos", "neg")[at % 2],
        0.99 - at / 50,
        length=10 + at,
        seen=at % 3 > 0,
        before=f"a <b>good</b> film {at}",
    )
    for at in range(20)
)
