"""The lecture's worked examples, as they are typed into the convolution bench."""

from __future__ import annotations

from dataclasses import dataclass

from data_prep.files import toml_beside


@dataclass(frozen=True)
class Example:
    """An example."""

    title: str  # what it shows
    values: dict[str, str]  # what is typed into each box, by its key
    about: str = ""  # what to look at


_FOUND = toml_beside(__file__)
SIGNALS, SIZES, STACKS, EXPRESSIONS = (
    {name: Example(**example) for name, example in _FOUND[kind].items()}
    for kind in ("signals", "sizes", "stacks", "expressions")
)
