"""Errors of presets as ``benchmarks.errors`` stores them: one form for all tasks, and one filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from apps.shared.reports import Stored, stored
from models.presets.manifest import read_manifest
from models.presets.search import resolve_preset

_WEIGHTS = "weights.npz"


@dataclass(frozen=True)
class Error:
    """A wrong answer.

    Args:
        label: What would have been right.
        answer: What was said.
        confidence: Probability of the answer, 0 to 1.
        length: Words or letters of what was read; None where it has no length.
        seen: Whether training held all of its words; None where that is no question.
        kind: Its kind, for tasks that tell kinds apart.
        before: The text in front of what is wrong, or all of it.
        marked: What is wrong in the text.
        after: The text behind it.
        more: What only this task knows, such as a picture.
    """

    label: str
    answer: str
    confidence: float
    length: int | None = None
    seen: bool | None = None
    kind: str = ""
    before: str = ""
    marked: str = ""
    after: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The text."""
        return self.before + self.marked + self.after


@dataclass(frozen=True)
class Errors:
    """Errors of a preset: ``wrong`` of ``n`` answers, of which these are stored, in the order of the page."""

    n: int
    wrong: int
    errors: tuple[Error, ...]

    @property
    def confusions(self) -> list[tuple[tuple[str, str], int]]:
        """What was mistaken for what and how often, the most frequent first."""
        return Counter(sorted((error.label, error.answer) for error in self.errors)).most_common()


_FIELDS = {one.name for one in fields(Error)} - {"more"}


def packed(preset: str, n: int, wrong: int, errors: Sequence[Error]) -> dict[str, Any]:
    """Write errors as a file of results holds them: a list each, names of its columns, and whose weights erred."""
    rows = [{**asdict(error), **error.more} for error in errors]
    columns = [key for key in {key: None for row in rows for key in row} if key != "more"]
    columns = [key for key in columns if any(row.get(key) not in (None, "") for row in rows)]
    lists = [[row.get(key) for key in columns] for row in rows]
    return {"n": n, "wrong": wrong, "weights": weights_of(preset), "columns": columns, "rows": lists}


def stored_errors(task: str, preset: str) -> Errors | None:
    """Read the stored errors of a preset, by name or folder; None where there are none, or they are of other weights.

    Raises:
        InputError: They are damaged, or there is no such preset.
    """
    found, name = stored(f"errors_{task}"), resolve_preset(preset).name
    for (key,), one in () if found is None else found.rows("presets.*"):
        if key == name and one["weights"] == weights_of(preset):
            return Errors(one["n"], one["wrong"], tuple(_read(one)))
    return None


def _read(found: Stored) -> Iterator[Error]:
    columns = found["columns"]
    try:
        for row in found["rows"]:
            values = dict(zip(columns, row, strict=True))
            known = {key: values.pop(key) for key in _FIELDS & values.keys()}
            yield Error(**known, more=values)
    except (TypeError, ValueError):
        raise found.damaged("rows") from None


def weights_of(preset: str) -> str:
    """Return the checksum of a preset's weights, which tells whose errors are stored."""
    return read_manifest(resolve_preset(preset))["files"][_WEIGHTS]["sha256"]


def chosen(
    errors: Sequence[Error],
    *,
    label: str | None = None,
    answer: str | None = None,
    kind: str | None = None,
    sure: tuple[float, float] = (0.0, 100.0),
    length: tuple[int, int] | None = None,
    seen: bool | None = None,
) -> list[tuple[int, Error]]:
    """Filter errors; None takes all.

    Args:
        errors: Errors.
        label: What would have been right.
        answer: What was said.
        kind: Kind.
        sure: Least and largest confidence, percent.
        length: Least and largest length; errors without one stay.
        seen: Whether training held all words.

    Returns:
        Those that fit, each with its number among all, from 1.
    """
    return [
        (number, error)
        for number, error in enumerate(errors, start=1)
        if label in (None, error.label)
        and answer in (None, error.answer)
        and kind in (None, error.kind)
        and seen in (None, error.seen)
        and sure[0] <= 100 * error.confidence <= sure[1]
        and (length is None or error.length is None or length[0] <= error.length <= length[1])
    ]
