"""The lecture's worked examples, as they are typed into the convolution bench."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Example:
    """An example.

    Args:
        title: What it shows.
        values: What is typed into each box, by its key.
        about: What to look at.
    """

    title: str
    values: dict[str, str]
    about: str = ""


def _read() -> dict[str, dict[str, Example]]:
    content = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        kind: {name: Example(**example) for name, example in found.items()} for kind, found in content.items()
    }


_FOUND = _read()
SIGNALS = _FOUND["signals"]
SIZES = _FOUND["sizes"]
STACKS = _FOUND["stacks"]
EXPRESSIONS = _FOUND["expressions"]
