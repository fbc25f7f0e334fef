"""One hostile case: what a command of the command line is given, and what its answer has to be."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.campaign.damage import Draw

_ODD_NAMES = (
    "two words",
    "-x",
    "line\nbreak",
    "\x1b[31mred",
    "quote'\"",
    "ünï",
    "\udcff",
    "a" * 200,
    "%s{0}[b]",
)


@dataclass(frozen=True)
class Case:
    """One case.

    Args:
        verb: What is asked, such as ``digits classify``; cases of one verb share what is normal for it.
        what: What is hostile.
        work: Runs in a fork; ends as a command does.
        words: Of the command line, or values of a page's address.
        stdin: What it reads.
        refused: Whether an answer would be wrong.
        several: Whether each wrong part has a message of its own.
        guarded: Whether address space is limited.
        json: Whether the answer is JSON, one object a line.
    """

    verb: str
    what: str
    work: Callable[[], None]
    words: tuple[str, ...] = ()
    stdin: bytes = b""
    refused: bool = False
    several: bool = False
    guarded: bool = True
    json: bool = True


Build = Callable[[Draw, Path, bool], Case]  # what is drawn, an empty folder, whether all of it is to be good


def command(what: str, *words: str | Path, **more: Any) -> Case:
    """Make a case of a command line."""
    argv = list(map(str, words))

    def work() -> None:
        from apps.__main__ import run

        sys.argv = ["lectern", *argv]
        run()

    return Case(" ".join(argv[:2]), what, work, tuple(argv), json="--json" in argv, **more)


def given(folder: Path, draw: Draw, suffix: str, data: bytes, good: bool) -> Path:
    """Write a file for a command, one in eight under an odd name."""
    stem = draw.choice(_ODD_NAMES) if not good and draw.random() < 1 / 8 else "given"
    path = folder / f"{stem}{suffix}"
    path.write_bytes(data)
    return path


def problem_of(text: str) -> str | None:
    """Say what is wrong with an answer in JSON, one object a line; None where nothing is."""
    if not text.strip():
        return "exit code 0 without an answer"
    try:
        for line in filter(None, text.split("\n")):
            _check(json.loads(line, parse_constant=_not_finite))
    except (ValueError, RecursionError) as error:
        return f"the answer is wrong: {error}"
    return None


def _not_finite(name: str) -> float:
    raise ValueError(f"{name} in it")


def _check(value: Any, name: str = "") -> None:
    """Refuse numbers that are not finite, and probabilities that are none."""
    if isinstance(value, dict):
        for key, one in value.items():
            _check(one, key)
    elif isinstance(value, list):
        for one in value:
            _check(one, name)
    elif isinstance(value, float) and (
        not math.isfinite(value)
        or (name.startswith(("probabilit", "confidence")) and not 0 <= value <= 1.0001)
    ):
        raise ValueError(f"{name} is {value}")
