"""Events of a run as curves: what was measured, by steps, epochs, seconds or examples."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

Axis = Literal["steps", "epochs", "seconds", "examples"]
_NO_METRICS = {
    "event", "stage", "time", "epoch", "step", "steps", "steps_done", "seconds", "best", "learning_rate"
}  # fmt: skip


@dataclass
class Curve:
    """One number over the training; lists of one length.

    Attributes:
        name: Of the metric.
        source: ``"training"`` (mean of the steps since the point before), ``"epoch"`` (measured at the end of an epoch)
            or ``"watch"`` (measured while the epoch runs).
        steps: Of the stage, done by then.
        seconds: Of training.
        values: The numbers.
    """

    name: str
    source: Literal["training", "epoch", "watch"]
    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


@dataclass
class Story:
    """What the events of one stage say.

    Attributes:
        stage: Its name.
        parameters: That are trained.
        epochs: Planned.
        steps_per_epoch: None where it is not known yet.
        examples: Of an epoch, None where it is not known.
        unit: What an example is, in the plural.
        curves: By (source, name).
        norms: Layer to the curve of its gradient's norm.
        rate: Steps a second, at last.
        ended: Whether the training ended or was interrupted by a signal.
        stopped: Why it was stopped, None if it was not.
        samples: (epoch, text) of what it said.
    """

    stage: str
    parameters: int = 0
    epochs: int = 0
    steps_per_epoch: int | None = None
    examples: int | None = None
    unit: str = "examples"
    curves: dict[tuple[str, str], Curve] = field(default_factory=dict)
    norms: dict[str, Curve] = field(default_factory=dict)
    rate: float | None = None
    steps_done: int = 0
    epoch: int = 0
    seconds: float = 0.0
    ended: bool = False
    stopped: str | None = None
    samples: list[tuple[int, str]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """How much of the training is done, 0 to 1."""
        if not self.steps_per_epoch or not self.epochs:
            return 0.0
        return min(1.0, self.steps_done / (self.steps_per_epoch * self.epochs))

    @property
    def seconds_left(self) -> float | None:
        """Until the last step, at the speed of now."""
        if not self.rate or not self.steps_per_epoch:
            return None
        return max(0.0, self.steps_per_epoch * self.epochs - self.steps_done) / self.rate

    def axis(self, curve: Curve, axis: Axis) -> list[float | None]:
        """Return the places of a curve's points on an axis, None where the length of an epoch is not known yet."""
        if axis in ("epochs", "examples"):
            amount = self.examples if axis == "examples" else 1
            if not (amount and self.steps_per_epoch):
                return [None] * len(curve.steps)
            return [amount * steps / self.steps_per_epoch for steps in curve.steps]
        return list(getattr(curve, axis))


def stories(path: Path) -> list[Story]:
    """Read a file of events, also one that is being written; stages in their order; none where there is no file.

    Everybody who looks at the same state of the file gets the same stories; they are never changed.
    """
    try:
        state = path.stat()
    except OSError:
        return []
    return _stories(path.resolve(), state.st_ino, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _stories(path: Path, *state: int) -> list[Story]:
    try:
        return told(_parsed(path.read_bytes().split(b"\n")))
    except OSError:  # removed meanwhile
        return []


def _parsed(lines: Iterable[bytes]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:  # cut by a kill, or not written to its end yet
            continue
        if isinstance(event, dict) and "event" in event:
            yield event


def told(events: Iterable[Mapping[str, Any]]) -> list[Story]:
    """Turn events into one story for each stage."""
    readers: dict[str, _Reader] = {}
    for event in events:
        name = event.get("stage", "")
        readers.setdefault(name, _Reader(Story(name))).take(event)
    return [reader.story for reader in readers.values()]


class _Reader:
    """Reads the events of one stage."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self._before: dict[str, tuple[int, float]] = {}  # metric to step of the epoch and its mean until then
        self._last: tuple[float, int] | None = None
        self._finished = 0, 0.0  # steps and seconds of whole epochs

    def take(self, event: Mapping[str, Any]) -> None:
        """Take the next event; metrics that are None were not finite, and leave a gap."""
        story = self.story
        match event["event"]:
            case "begin":
                self._begin(event)
            case "step":
                self._step(event)
            case "watch":
                self._moved(event)
                place = event["steps_done"], event["seconds"]
                for name, value in event["numbers"].items():
                    self._add(story.curves, ("watch", name), Curve(name, "watch"), *place, value)
                for name, value in event["norms"].items():
                    self._add(story.norms, name, Curve(name, "watch"), *place, value)
            case "epoch":
                self._epoch(event)
            case "sample":
                story.samples.append((event["epoch"], event["text"]))
            case "stop":
                story.stopped = event["why"]
            case "pause" | "go":
                self._last = None
            case "end":
                story.ended, self._last = True, None

    def _begin(self, event: Mapping[str, Any]) -> None:
        """Forget what came after the checkpoint that the training goes on from."""
        story = self.story
        story.epochs, story.parameters = event["epochs"], event["parameters"]
        story.examples, story.unit = event.get("examples"), event.get("unit", "examples")
        story.steps_per_epoch = event["steps"] or story.steps_per_epoch
        story.ended, self._last, self._before = False, None, {}
        done = event["steps_done"]
        self._finished = done, event.get("seconds", 0.0)
        story.steps_done, story.epoch = done, event["done"]
        for curve in [*story.curves.values(), *story.norms.values()]:
            kept = sum(steps <= done for steps in curve.steps)
            for values in (curve.steps, curve.seconds, curve.values):
                del values[kept:]
        story.samples = [one for one in story.samples if one[0] <= story.epoch]

    def _step(self, event: Mapping[str, Any]) -> None:
        story, step = self.story, event["step"]
        story.steps_per_epoch = event["steps"] or story.steps_per_epoch
        if event["epoch"] != story.epoch:
            self._before = {}
        self._moved(event)
        now = event["time"], event["steps_done"]
        if self._last is not None and now[0] > self._last[0]:
            rate = (now[1] - self._last[1]) / (now[0] - self._last[0])
            story.rate = rate if story.rate is None else 0.7 * story.rate + 0.3 * rate
        self._last = now
        place = event["steps_done"], event["seconds"]
        for name, mean in event.items():
            if name in _NO_METRICS or mean is None:
                continue
            before, earlier = self._before.get(name, (0, 0.0))
            if step > before:
                value = (mean * step - earlier * before) / (step - before)
                self._add(story.curves, ("training", name), Curve(name, "training"), *place, value)
                self._before[name] = step, mean
        if (rate := event.get("learning_rate")) is not None:
            self._add(
                story.curves, ("training", "learning_rate"), Curve("learning_rate", "training"), *place, rate
            )

    def _epoch(self, event: Mapping[str, Any]) -> None:
        story = self.story
        story.steps_per_epoch = max(event["steps"], story.steps_per_epoch or 0)
        self._finished = self._finished[0] + event["steps"], self._finished[1] + event["seconds"]
        self._moved({"epoch": event["epoch"], "steps_done": self._finished[0], "seconds": self._finished[1]})
        self._before = {}
        for name, value in event.items():
            if name not in _NO_METRICS and value is not None:
                place = story.steps_done, story.seconds
                self._add(story.curves, ("epoch", name), Curve(name, "epoch"), *place, value)

    def _moved(self, event: Mapping[str, Any]) -> None:
        story = self.story
        story.epoch, story.steps_done = event["epoch"], event["steps_done"]
        story.seconds = max(story.seconds, event["seconds"])

    def _add(
        self,
        curves: dict[Any, Curve],
        key: Any,
        fresh: Curve,
        steps: int,
        seconds: float,
        value: float | None,
    ) -> None:
        if value is None or not np.isfinite(value):
            return
        curve = curves.setdefault(key, fresh)
        curve.steps.append(steps)
        curve.seconds.append(seconds)
        curve.values.append(value)
