"""The leaderboard: scores of all presets in reach beside what others published and what was measured here.

A difference is marked where it is within two standard errors of itself. The samples are taken as independent, which
makes the mark more frequent than a test on pairs would, and another's error as large as ours where it is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from math import hypot
from typing import Any

from apps.shared.language import N_, _
from apps.shared.reports import Stored, stored
from apps.shared.tables import Column, Report, Rows, Table
from data_prep.files import toml_beside
from models.presets.search import FoundPreset, find_presets

_shown = cache(partial(toml_beside, __file__))
_FACTS = N_("≈ before a difference: it is within two standard errors, so the scores tell nothing apart.")


def _number(row: Stored, path: str, sign: str = "") -> str | None:
    """Write a score, its error or a difference with its unit; None where there is none."""
    if row.get(path) is None:
        return None
    digits = ".2f" if row["unit"] == "%" else ".4f"
    mark = "≈ " if sign and row.get("within") else ""
    return mark + row.text(f"{{{path}:{sign}{digits}}} {{unit}}").rstrip()


LEADERBOARD = Table(
    "leaderboard",
    "python -m apps leaderboard",
    "measure",
    (
        Column("system", "system"),
        Column("score", lambda row: _number(row, "score")),
        Column("ours is better by", lambda row: _number(row, "difference", "+")),
        Column("standard error", lambda row: _number(row, "standard_error")),
        Column("examples", "n", ",", optional=True),
        Column("command", "command", lambda command: f"`python -m apps {command}`", optional=True),
        Column("protocol", "protocol", optional=True, readme=False),
    ),
    (Rows("*.*", "{text}"),),
    _FACTS,
)


def leaderboard(summary: bool = False) -> Report:
    """Fill the table: each measure of a preset, and below it the others.

    Args:
        summary: For one measure of each shipped preset only, and the best of the others.

    Raises:
        InputError: What was stored is damaged.
    """
    found = {preset.name: preset for preset in find_presets()}
    shown = _shown()
    said = {name: measures for name, measures in shown.items() if name in found}
    low = {key for one in shown.values() for key, how in one.items() if how.get("lower_is_better")}
    for name, preset in found.items():
        first = next((key for key, measure in preset.metrics.items() if "unit" in measure), None)
        if preset.where != "shipped" and first:
            said[name] = {first: {"text": first.replace("_", " "), "lower_is_better": first in low}}
    rows = {}
    for name, measures in said.items():
        for key in filter(found[name].metrics.__contains__, measures):
            own, others = _compared(found, name, key, measures[key])
            if not summary:
                rows[f"{name}.{key}"] = [own, *others]
            elif own.get("summary"):
                rows[name] = [own, *sorted(others, key=lambda other: other["difference"])[:1]]
    return LEADERBOARD.report(Stored("of the presets", rows))


def main_measure(preset: FoundPreset) -> tuple[str | None, Mapping[str, Any]]:
    """Return name and measure that the leaderboard shows of a preset, the first of several; None and empty for none."""
    shown = _shown().get(preset.name, ()) if preset.where == "shipped" else ()
    return next(
        ((key, preset.metrics[key]) for key in (*shown, *preset.metrics) if key in preset.metrics), (None, {})
    )


def _compared(
    found: Mapping[str, FoundPreset], preset: str, key: str, said: Mapping[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the row of a measure and those of the others."""
    own = {"system": f"Lectern, {preset}", **said, **found[preset].metrics[key]}
    published = own.get("published") or {}
    others = [
        {"system": _("{system}, published", system=name), "score": published[name]} for name in published
    ]
    for system, place in said.get("peers", {}).items():
        file, path = place.split(":")
        source = Stored(file, found[file].metrics) if file in found else stored(file)
        if source is not None and (value := source.get(path)) is not None:
            measured = value if isinstance(value, dict) else {"score": value, "n": own["n"]}
            others.append({**measured, "system": system})
    shared = {name: own[name] for name in ("text", "unit")}
    return own, [{**shared, **other, **_apart(own, other)} for other in others if own["score"] is not None]


def _apart(own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Say by how much ours is better, and whether that is within two standard errors; None where none is known."""
    difference = (own["score"] - other["score"]) * (-1 if own.get("lower_is_better") else 1)
    error = own.get("standard_error")
    both = None if error is None else 2 * hypot(error, other.get("standard_error") or error)
    return {"difference": difference, "within": None if both is None else abs(difference) <= both}
