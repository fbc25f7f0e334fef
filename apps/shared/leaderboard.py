"""The leaderboard: scores of all presets in reach beside what others published and what was measured here.

A difference is marked where it is within two standard errors of itself. The samples are taken as independent, which
makes the mark more frequent than a test on pairs would, and another's error as large as ours where it is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import hypot
from typing import Any

from apps.shared.language import N_, _
from apps.shared.reports import Stored, stored
from apps.shared.tables import Column, Report, Rows, Table
from data_prep.files import toml_beside
from models.presets.search import FoundPreset, find_presets

WITHIN = "≈"
_FACTS = N_("≈ before a difference: it is within two standard errors, so the scores tell nothing apart.")


def _number(row: Stored, path: str, sign: str = "") -> str | None:
    """Write a score, its error or a difference with its unit; None where there is none."""
    if row.get(path) is None:
        return None
    unit = row["unit"]
    return row.text(f"{{{path}:{sign}{'.2f' if unit == '%' else '.4f'}}}") + f" {unit}".rstrip()


def _difference(row: Stored) -> str | None:
    mark = f"{WITHIN} " if row.get("within") else ""
    found = _number(row, "difference", "+")
    return None if found is None else mark + found


def _best(row: Stored) -> str | None:
    score = _number(row, "best.score")
    return None if score is None else row.text("{0} ({best.system})", score)


_SCORE = Column("score", lambda row: _number(row, "score"))
_ERROR = Column("standard error", lambda row: _number(row, "standard_error"))
_EXAMPLES = Column("examples", "n", ",", optional=True)
_COMMAND = Column("command", "command", lambda command: f"`python -m apps {command}`", optional=True)
LEADERBOARD = Table(
    "leaderboard",
    "python -m apps leaderboard",
    "measure",
    (
        Column("system", "system"),
        _SCORE,
        _ERROR,
        _EXAMPLES,
        Column("ours is better by", _difference),
        Column("protocol", "protocol", optional=True),
    ),
    (Rows("*.*", "{text}"),),
    _FACTS,
)
SUMMARY = replace(
    LEADERBOARD,
    header="preset",
    columns=(
        Column("measured", "text"),
        _SCORE,
        _ERROR,
        _EXAMPLES,
        Column("best of others", _best),
        Column("ours is better by", _difference),
        _COMMAND,
    ),
    rows=(Rows("*", "`{preset}`"),),
)


def leaderboard() -> Report:
    """Fill the table of all systems: each measure of a preset, and below it the others.

    Raises:
        InputError: What was stored is damaged.
    """
    rows = {f"{own['preset']}.{own['measure']}": [own, *others] for own, others in _measures()}
    return LEADERBOARD.report(Stored("of the presets", rows))


def summary() -> Report:
    """Fill the table of one measure of each shipped preset, with the best of the others.

    Raises:
        InputError: What was stored is damaged.
    """
    rows = {}
    for own, others in _measures():
        if own.get("summary"):
            best = max(others, key=lambda other: -other["difference"], default=None)
            compared = {} if best is None else {name: best[name] for name in ("difference", "within")}
            rows[str(len(rows))] = {**own, **compared, "best": best}
    return SUMMARY.report(Stored("of the presets", rows))


def _measures() -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return the row of each measure with those of the others: as the data file says, then one's own presets."""
    found = {preset.name: preset for preset in find_presets()}
    said = {name: measures for name, measures in toml_beside(__file__).items() if name in found}
    for name, preset in found.items():
        if preset.where != "shipped" and preset.metrics:
            first = next(iter(preset.metrics))
            said[name] = {first: {"text": first.replace("_", " ")}}
    return [
        _compared(found, name, key, measure)
        for name, measures in said.items()
        for key, measure in measures.items()
        if key in found[name].metrics
    ]


def _compared(
    found: Mapping[str, FoundPreset], preset: str, key: str, said: Mapping[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    own = {
        "system": f"Lectern, {preset}",
        "preset": preset,
        "measure": key,
        **said,
        **found[preset].metrics[key],
    }
    others = [
        {"system": _("{system}, published", system=system), "score": score}
        for system, score in (own.get("published") or {}).items()
    ]
    for system, place in said.get("peers", {}).items():
        file, path = place.split(":")
        source = Stored(file, found[file].metrics) if file in found else stored(file)
        if source is not None and (value := source.get(path)) is not None:
            others.append(
                {"system": system, **(value if isinstance(value, dict) else {"score": value, "n": own["n"]})}
            )
    shared = {name: own[name] for name in ("text", "unit")}
    return own, [{**shared, **other, **_apart(own, other)} for other in others if own["score"] is not None]


def _apart(own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Say by how much ours is better, and whether that is within two standard errors; None where none is known."""
    difference = (own["score"] - other["score"]) * (-1 if own.get("lower_is_better") else 1)
    error = own.get("standard_error")
    within = (
        None if error is None else abs(difference) <= 2 * hypot(error, other.get("standard_error") or error)
    )
    return {"difference": difference, "within": within}
