"""Looking into a training while it runs: numbers and pictures now and then, and what a person asks of it.

A run that is watched has two things more in its folder: ``pictures/STEPS.json``, what the network shows after so many
steps (of all stages until then), and ``control``, a word that a person writes there: ``pause``, ``go``, or ``stop`` and
the name of a stage.
"""

from __future__ import annotations

import base64
import json
import math
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from models.storage.variables import copy_values

CONTROL, PICTURES, STOPPED = "control", "pictures", "stopped"
_FEWEST_SECONDS = 2.0  # between two pictures
_SHARE_OF_RUN = 1 / 150  # longer trainings are looked at less often, so that their pictures stay few
_SHARE_OF_TIME = 0.05  # of the training, for looking
_SECONDS_BETWEEN_LOOKS = 0.2  # at the control file

Word = Literal["go", "pause", "stop"]


class Seen(NamedTuple):
    """What a network shows: numbers for curves, and a picture of lists, texts, numbers and arrays by name."""

    numbers: Mapping[str, float]
    picture: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Limits:
    """What a run may use, None for all: minutes of training, and MiB of its folder."""

    minutes: float | None = None
    mebibytes: float | None = None


@dataclass(frozen=True)
class Observed:
    """A run that somebody looks at.

    Args:
        folder: Of the run; it stays after the preset is written.
        watch: What to look at; see :class:`models.training.task.Run`.
        limits: What the run may use.
        keep: Whether to score what was trained and write the preset; else a later call with ``resume`` does.
    """

    folder: Path
    watch: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    keep: bool = True


class Control:
    """What a person asks of a stage that trains."""

    def __init__(self, folder: Path, stage: str) -> None:
        self._path, self._stage, self._next = folder / CONTROL, stage, 0.0
        self._word: Word = "go"

    def word(self) -> Word:
        """Return what is asked; the file is read some times a second."""
        if (now := time.monotonic()) >= self._next:
            self._word, self._next = asked(self._path.parent, self._stage), now + _SECONDS_BETWEEN_LOOKS
        return self._word

    def wait(self, begin: Callable[[], None]) -> float:
        """Wait while a pause is asked for; ``begin`` is called first; return the seconds."""
        if self.word() != "pause":
            return 0.0
        begin()
        began = time.perf_counter()
        while self.word() == "pause":
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return time.perf_counter() - began


def asked(folder: Path, stage: str) -> Word:
    """Return what a person asks of a stage of the run in a folder."""
    try:
        word, _, name = (folder / CONTROL).read_text(encoding="utf-8").partition(" ")
    except OSError:
        return "go"
    if word == "stop":
        return "stop" if name == stage else "go"
    return "pause" if word == "pause" else "go"


def ask(folder: Path, word: Word, stage: str = "") -> None:
    """Ask something of the run in a folder; only ``stop`` means one stage of it."""
    temporary = folder / f".{CONTROL}.{os.getpid()}"
    temporary.write_text(f"{word} {stage}" if word == "stop" else word, encoding="utf-8")
    temporary.replace(folder / CONTROL)


@dataclass
class Looks:
    """When a training is looked at, and what comes of it.

    Args:
        folder: Of the run.
        stage: Its name.
        see: Network to what it shows; None where only the norms are seen.
        before: Steps of the stages before; pictures are numbered through the whole run.
    """

    folder: Path
    stage: str
    see: Callable[[Any], Seen] | None
    before: int = 0
    _last: float = field(default=-np.inf, init=False)
    _cost: float = field(default=0.0, init=False)

    def due(self, seconds: float) -> bool:
        """Say whether it is time, after so many seconds of training."""
        pause = max(_FEWEST_SECONDS, seconds * _SHARE_OF_RUN, self._cost / _SHARE_OF_TIME)
        return time.monotonic() - self._last >= pause

    def look(self, model: Any, steps: int, **when: Any) -> dict[str, Any]:
        """Look at a network after so many steps; keep the picture and return numbers, norms and the cost in seconds."""
        began = time.perf_counter()
        drawn = random.getstate(), np.random.get_state()
        seen = Seen({}) if self.see is None else self.see(model)
        random.setstate(drawn[0])
        np.random.set_state(drawn[1])
        measured = {"numbers": seen.numbers, "norms": gradient_norms(model)}
        values = {"steps_done": steps, **{name: _finite(numbers) for name, numbers in measured.items()}}
        if seen.picture:
            number = self.before + steps
            content = {"stage": self.stage, "steps_done": number, **when, "picture": _packed(seen.picture)}
            write_picture(self.folder, number, content)
        cost, first = time.perf_counter() - began, self._last < 0  # the first one loads what the others find
        self._last, self._cost = time.monotonic(), 0.0 if first else cost
        return {**values, "cost": cost}


def steps_of_others(folder: Path, stage: str) -> int:
    """Return the steps that the other stages of a run have done."""
    paths = (path for path in folder.rglob("metrics.jsonl") if path.parent != folder / stage)
    lines = (line for path in paths for line in path.read_text(encoding="utf-8").splitlines())
    return sum(json.loads(line)["steps"] for line in lines)


def gradient_norms(model: Any) -> dict[str, float]:
    """Return the norm of the gradient of each layer, as the optimizer remembers it; nothing where it does not.

    For Adam the root of the mean square over about the last 1 / (1 - beta_2) steps, after clipping; for SGD with
    momentum the norm of the velocity divided by the learning rate, unless it is 0, and by the number of steps that it
    adds up.
    """
    optimizer = model.optimizer
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    steps = 0 if optimizer is None else int(optimizer.iterations)
    if not steps:
        return {}
    if hasattr(optimizer, "_velocities"):
        moments, power = optimizer._velocities, 1.0
        scale = 1.0 / (1.0 - optimizer.beta_2**steps)
    elif getattr(optimizer, "momentums", None) and (rate := float(optimizer.learning_rate)):
        moments, power = optimizer.momentums, 2.0
        scale = ((1.0 - optimizer.momentum) / rate) ** 2
    else:
        return {}
    squares: dict[str, float] = {}
    for variable, moment in zip(model.trainable_variables, copy_values(moments), strict=True):
        name, values = variable.path.split("/")[0], moment.astype(np.float64)
        squares[name] = squares.get(name, 0.0) + float((values**power).sum()) * scale
    return {name: float(np.sqrt(square)) for name, square in squares.items()}


def write_picture(folder: Path, steps: int, content: Mapping[str, Any]) -> None:
    """Write what was seen after so many steps, whole or not at all."""
    path = folder / PICTURES / f"{steps:09d}.json"
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    temporary.replace(path)


def picture_steps(folder: Path) -> list[int]:
    """Return after how many steps there are pictures, in order."""
    return sorted(int(path.stem) for path in (folder / PICTURES).glob("[0-9]*.json"))


def read_picture(folder: Path, steps: int) -> dict[str, Any]:
    """Return a picture with its arrays, and when it was seen.

    Raises:
        OSError: There is none.
        ValueError: It cannot be read.
    """
    return unpacked(json.loads((folder / PICTURES / f"{steps:09d}.json").read_text(encoding="utf-8")))


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    """Leave out what is not finite: a curve has a gap there."""
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def _packed(value: Any) -> Any:
    """Turn arrays inside into JSON: whole numbers as they are, others as float16; what is not finite becomes None."""
    if isinstance(value, np.ndarray):
        kind = value.dtype if value.dtype.kind in "iub" else np.float16
        array = np.ascontiguousarray(value, kind)
        coded = base64.b64encode(array.tobytes()).decode()
        return {"array": coded, "type": array.dtype.str, "shape": array.shape}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _packed(one) for key, one in value.items()}
    return [_packed(one) for one in value] if isinstance(value, list | tuple) else value


def unpacked(value: Any) -> Any:
    """Turn what :func:`_packed` made into arrays again, float32 for those with a point."""
    if isinstance(value, dict):
        if value.keys() == {"array", "type", "shape"}:
            array = np.frombuffer(base64.b64decode(value["array"]), value["type"]).reshape(value["shape"])
            return array.astype(np.float32) if array.dtype.kind == "f" else array
        return {key: unpacked(one) for key, one in value.items()}
    return [unpacked(one) for one in value] if isinstance(value, list) else value
