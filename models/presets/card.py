"""Model cards: README.md of a preset, in which every number comes from its metrics and metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import StringConstraints

from data_prep.fields import Checked

SCORE_KEYS = ("score", "protocol", "n")
KEPT = "kept_networks"  # key of the metadata: how the preset was made that training went on from
Text = Annotated[str, StringConstraints(pattern=r"\S")]


@dataclass(frozen=True)
class CardText(Checked):
    """What a person writes about a preset; numbers do not belong here.

    Args:
        title: Heading.
        summary: What the model does, in a sentence or two.
        data: What it was trained on, and where that comes from.
        licence: Licence of the data and of the weights.
        intended_use: What it is good for.
        limits: What it is not good for, and known weaknesses.
    """

    title: Text
    summary: Text
    data: Text
    licence: Text
    intended_use: Text
    limits: Text


def check_metrics(metrics: Mapping[str, Any]) -> None:
    """Refuse, with a ValueError, metrics without a measure, or one without ``score``, ``protocol`` and ``n``."""
    if not metrics:
        raise ValueError("A preset needs at least one measure.")
    for name, measure in metrics.items():
        missing = [key for key in SCORE_KEYS if not isinstance(measure, Mapping) or key not in measure]
        if missing:
            raise ValueError(f"The measure {name!r} lacks {', '.join(missing)}.")


def render_card(metadata: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Render the model card of a preset's metadata and metrics, Markdown; a measure that is not complete is refused."""
    check_metrics(metrics)
    card = metadata["card"]
    parts = [f"# {card['title']}", card["summary"], "## Scores", _score_table(metrics)]
    parts += ["## Data", _data(metadata), _bullets(metadata["data"])]
    for heading in ("Licence", "Intended use", "Limits"):
        parts += [f"## {heading}", card[heading.lower().replace(" ", "_")]]
    training = {
        "seed": metadata["seed"],
        "training time": _duration(training_seconds(metadata)),
        **({"teacher": metadata["teacher"]} if "teacher" in metadata else {}),
        "processor": metadata["processor"],
        "versions": ", ".join(f"{name} {version}" for name, version in metadata["versions"].items()),
        "weights": f"{metadata['weights']['parameters']:,} numbers, stored as {metadata['weights']['dtype']}",
    }
    recipe = json.dumps(metadata["recipe"], indent=2, ensure_ascii=False)
    parts += ["## Training", _bullets(training), "Recipe:", f"```json\n{recipe}\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _data(metadata: Mapping[str, Any]) -> str:
    """Say what a preset learned from, and what those that its training went on from did, the last one first."""
    if "card" not in (before := metadata.get(KEPT, {})):
        return metadata["card"]["data"]
    return f"{metadata['card']['data']} Fine-tuned from {metadata['from']}, whose data were: {_data(before)}"


def _score_table(metrics: Mapping[str, Any]) -> str:
    rows = [
        "| measure | score | standard error | examples | baseline | protocol |",
        "|---|---|---|---|---|---|",
    ]
    for name, measure in metrics.items():
        keys = ("score", "standard_error", "n", "baseline", "protocol")
        score, *more = (_written(measure.get(key)) for key in keys)
        cells = (name, f"{score} {measure.get('unit') or ''}".rstrip(), *more)
        cells = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _bullets(values: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {_written(value)}" for name, value in values.items())


def _written(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool | Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def training_seconds(metadata: Mapping[str, Any]) -> float:
    """Return how long a preset was trained, and those before it that its training went on from."""
    return float(metadata["seconds"]) + (training_seconds(metadata[KEPT]) if KEPT in metadata else 0.0)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.3g} s"
