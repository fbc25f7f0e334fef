"""The lecture's worked examples, as they are typed into the convolution bench."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Example:
    """An example."""

    title: str  # what it shows
    values: dict[str, str]  # what is typed into each box, by its key
    about: str = ""  # what to look at


_FOUND = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SIGNALS, SIZES, STACKS, EXPRESSIONS = (
    {name: Example(**example) for name, example in _FOUND[kind].items()}
    for kind in ("signals", "sizes", "stacks", "expressions")
)
