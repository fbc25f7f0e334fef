"""Pairs of trainings that show something of the lecture: what is ordered, and runs that were recorded before.

``experiments.toml`` says what is trained and what to look for; ``recorded/KEY.json.gz`` has the curves and pictures of
all runs of one, without weights. ``python -m benchmarks.experiments KEY`` records one.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from apps.laboratory.curves import Story, told
from apps.laboratory.runs import LabRun, Order
from data_prep.errors import InputError
from data_prep.files import toml_beside, write_bytes
from models.training.watching import PICTURES, unpacked

RECORDED = Path(__file__).with_name("recorded")
_STEPS_KEPT = 120  # of one run
_PICTURES_KEPT = (24, 16, 12, 8, 6, 4, 2)  # of one run; the most that fit
_MOST_BYTES = 150 * 1024  # of a recording


@dataclass(frozen=True)
class Experiment:
    """One experiment of the lecture.

    Args:
        key: Its name in addresses.
        title: For people.
        look_for: What to look for, a sentence or two.
        outcome: What was measured, also where it contradicts the lecture.
        curve: (source, name) of the curve that is compared.
        axis: What it is drawn over.
        runs: Label to order.
    """

    key: str
    title: str
    look_for: str
    outcome: str
    curve: tuple[str, str]
    axis: str
    runs: Mapping[str, Order]


@dataclass(frozen=True)
class RecordedRun:
    """A run that was recorded; it shows what :class:`apps.laboratory.runs.LabRun` shows."""

    key: str
    content: Mapping[str, Any]

    @property
    def order(self) -> Order:
        """What was ordered."""
        return Order.read(self.content["order"])

    def stories(self) -> list[Story]:
        """Return what its events say."""
        return told(self.content["events"])

    def settings(self) -> dict[str, Any]:
        """Return its recipe."""
        return dict(self.content["settings"])

    def picture_steps(self) -> list[int]:
        """Return after how many steps there are pictures, in order."""
        return [one["steps_done"] for one in self.content["pictures"]]

    def picture(self, steps: int) -> dict[str, Any]:
        """Return the picture after so many steps."""
        return unpacked(next(one for one in self.content["pictures"] if one["steps_done"] == steps))


@cache
def experiments() -> dict[str, Experiment]:
    """Return all experiments by their keys, in the order of the lecture."""
    found = {}
    for key, said in toml_beside(__file__).items():
        common = {
            name: said[name] for name in ("task", "options", "recipe", "watch", "minutes") if name in said
        }
        orders = {}
        for label, own in said["runs"].items():
            values = {**common, **own, "overrides": (*said.get("overrides", ()), *own.get("overrides", ()))}
            orders[label] = Order(title=f"{said['title']}: {label}", group=key, **values)
        texts = {name: said[name] for name in ("title", "look_for", "outcome", "axis")}
        found[key] = Experiment(key, **texts, curve=tuple(said["curve"]), runs=orders)
    return found


@cache
def recorded(key: str) -> dict[str, RecordedRun]:
    """Return the recorded runs of an experiment by their labels; none where it has not been recorded."""
    path = RECORDED / f"{key}.json.gz"
    if not path.is_file():
        return {}
    content = json.loads(gzip.decompress(path.read_bytes()))
    return {label: RecordedRun(f"{key}:{label}", one) for label, one in content.items()}


def all_recorded() -> Iterable[RecordedRun]:
    """Yield the recorded runs of all experiments."""
    for key in experiments():
        yield from recorded(key).values()


def record(key: str, runs: Mapping[str, LabRun], processor: str) -> Path:
    """Keep curves and some pictures of finished runs, by label; as many pictures as a small file has room for.

    Raises:
        InputError: A run has no events.
    """
    if without := next((run.key for run in runs.values() if not run.stories()), None):
        raise InputError("The run has no events", received=without)
    for pictures in _PICTURES_KEPT:
        content = {label: {**_kept(run, pictures), "processor": processor} for label, run in runs.items()}
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        if len(data := gzip.compress(text.encode(), 9, mtime=0)) <= _MOST_BYTES:
            break
    path = RECORDED / f"{key}.json.gz"
    path.parent.mkdir(exist_ok=True)
    write_bytes(path, data)
    recorded.cache_clear()
    return path


def _kept(run: LabRun, most: int) -> dict[str, Any]:
    """Return what is recorded of a run, with at most so many pictures."""
    own = ("step", "watch", "epoch", "begin", "end", "sample", "stop")
    events = [json.loads(line) for line in run.events.read_text(encoding="utf-8").splitlines()]
    steps = _spread([event for event in events if event["event"] == "step"], _STEPS_KEPT)
    return {
        "order": asdict(run.order),
        "settings": run.settings(),
        "events": [
            event
            for event in events
            if event["event"] in own and (event["event"] != "step" or event in steps)
        ],
        "pictures": [
            json.loads((run.training / PICTURES / f"{at:09d}.json").read_text(encoding="utf-8"))
            for at in _spread(run.picture_steps(), most)
        ],
    }


def _spread(items: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many items, evenly, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(at * (len(items) - 1) / (most - 1))] for at in range(most)]
