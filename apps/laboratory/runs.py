"""The runs of the laboratory on disk: what was ordered, what became of it, and what a person asks of it.

A run is a folder in ``runs/laboratory``: ``order.json`` (written first), ``run/`` (the training's own, its events too),
``status.json`` (what became of it), ``keep.json`` (the name of the preset that is to be made), ``log.txt``. Whoever
trains it holds its lock. Trainings that ``fit`` began on the command line, ``runs/*.run``, are runs too, without an
order.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from apps.laboratory.curves import Story, stories
from data_prep.errors import InputError
from data_prep.files import write_json, writing_to
from models.presets.search import in_reach
from models.training.checkpoint import checkpoint_epochs
from models.training.watching import PICTURES, STOPPED, ask, asked, picture_steps, read_picture

RUNS = Path("runs")
LABORATORY = RUNS / "laboratory"
_SAME_ORDER_SECONDS = 3.0  # the second click of a double click; later where the first one's run still waits
_ALIVE_SECONDS = 60.0  # since the last event of a training on the command line

State = Literal[
    "waiting", "training", "paused", "interrupted", "trained", "stopped", "keeping", "kept", "failed"
]
GOING: tuple[State, ...] = ("waiting", "training", "paused", "interrupted", "keeping")


@dataclass(frozen=True)
class Order:
    """What a person ordered.

    Args:
        task: Name of the application.
        title: For people.
        options: Of the task, as ``fit`` takes them.
        recipe: Its name, None for the one that goes with the data.
        overrides: ``key=value`` for its fields.
        watch: What is looked at.
        minutes: Limit of the training.
        mebibytes: Limit of the run's folder.
        group: Runs that were ordered together have one name here.
    """

    task: str
    title: str
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: str | None = None
    overrides: tuple[str, ...] = ()
    watch: Mapping[str, str] = field(default_factory=dict)
    minutes: float = 60.0
    mebibytes: float = 500.0
    group: str = ""

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Order:
        """Return an order from its plain values, as JSON has them."""
        return cls(**{**content, "overrides": tuple(content["overrides"])})

    def command(self, out: str) -> str:
        """Return the command that trains the same without the page."""
        words = ["python", "-m", "apps", self.task, "fit"]
        for name, value in self.options.items():
            flag = "--" + name.replace("_", "-")
            for one in value if isinstance(value, list | tuple) else [value]:
                words += [flag] if one is True else [flag, str(one)] if one else []
        words += ["--recipe", self.recipe] if self.recipe else []
        words += [word for override in self.overrides for word in ("--set", override)]
        return shlex.join([*words, "--out", out])


@dataclass(frozen=True)
class LabRun:
    """One run; everything is read from its folder when it is asked for.

    Args:
        folder: Its own.
    """

    folder: Path

    @property
    def key(self) -> str:
        """Its name in addresses and on the command line."""
        return self.folder.name

    @property
    def ordered(self) -> bool:
        """Whether it was begun in the laboratory."""
        return (self.folder / "order.json").is_file()

    @cached_property
    def order(self) -> Order:
        """What was ordered; for a training of the command line its name alone."""
        try:
            content = json.loads((self.folder / "order.json").read_text(encoding="utf-8"))
            return Order.read(content)
        except FileNotFoundError:
            return Order("", self.key.removesuffix(".run"))
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"The run {self.key} was ordered by another version of Lectern ({error})",
                remedy=f"Remove it: python -m apps lab remove {self.key}",
            ) from error

    @property
    def training(self) -> Path:
        """Folder of the training."""
        return self.folder / "run" if self.ordered else self.folder

    @property
    def events(self) -> Path:
        """File of its events."""
        return self.training / "events.jsonl"

    def stories(self) -> list[Story]:
        """Return what its events say by now, a story for each stage.

        Raises:
            InputError: They were written by another version.
        """
        try:
            return stories(self.events)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"The events of the run {self.key} are of another version of Lectern ({error!r})",
                remedy=f"Remove it: python -m apps lab remove {self.key}",
            ) from error

    def settings(self) -> dict[str, Any]:
        """Return the recipe of its last stage, with all values; nothing before it has begun."""
        paths = sorted(self.training.rglob("recipe.json"), key=lambda path: path.stat().st_mtime)
        return _read_json(paths[-1]).get("recipe", {}) if paths else {}

    def picture_steps(self) -> list[int]:
        """Return after how many steps there are pictures, in order."""
        return picture_steps(self.training)

    def picture(self, steps: int) -> dict[str, Any]:
        """Return ``stage``, ``steps_done``, ``epoch``, ``seconds`` and ``picture``; OSError where it is gone."""
        return read_picture(self.training, steps)

    @property
    def status(self) -> dict[str, Any]:
        """What the process that trains wrote: ``state``, ``message``, ``preset``, ``kills``, ``pid``."""
        return _read_json(self.folder / "status.json")

    @property
    def state(self) -> State:
        """What is going on with it."""
        if not self.ordered:
            return self._state_of_command()
        state = self.status.get("state")
        if self.locked():
            return (
                "keeping"
                if self.keep_name
                else "paused"
                if asked(self.training, "") == "pause"
                else "training"
            )
        if state in ("kept", "failed"):
            return state
        if self.keep_name:
            return "keeping"
        if state == "trained":
            return "stopped" if any(self.training.rglob(STOPPED)) else "trained"
        return "interrupted" if self.events.is_file() else "waiting"

    def _state_of_command(self) -> State:
        last = _last_event(self.events)
        if last.get("event") == "end":
            return "trained"
        return "training" if time.time() - last.get("time", 0) < _ALIVE_SECONDS else "interrupted"

    @property
    def keep_name(self) -> str | None:
        """Name of the preset that is to be made of it."""
        return _read_json(self.folder / "keep.json").get("name")

    @property
    def created(self) -> float:
        """Seconds since 1970."""
        path = self.folder / "order.json"
        with contextlib.suppress(OSError):
            return (path if path.is_file() else self.folder).stat().st_mtime
        return 0.0

    @property
    def size(self) -> int:
        """Bytes of its files."""
        total = 0
        for path in self.folder.rglob("*"):
            with contextlib.suppress(OSError):  # removed meanwhile
                total += path.stat().st_size
        return total

    @contextlib.contextmanager
    def lock(self) -> Iterator[bool]:
        """Hold the run; says whether nobody else does."""
        try:
            file = (self.folder / ".lock").open("a")
        except OSError:  # the folder is gone
            yield False
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def locked(self) -> bool:
        """Say whether a process trains it."""
        return is_locked(self.folder / ".lock")

    def write_status(self, **values: Any) -> None:
        """Change some values of the status."""
        write_json(self.folder / "status.json", {**self.status, **values})

    def pause(self) -> None:
        """Let it wait after the step that it is at."""
        ask(self.training, "pause")

    def go_on(self) -> None:
        """Let it go on after a pause, or try again after a failure."""
        failed = self.status.get("state") == "failed"
        if failed or asked(self.training, "") == "pause":  # a stop that came meanwhile stays
            ask(self.training, "go")
        if failed:
            self.write_status(state=None, message=None, kills=0)

    def stop(self) -> None:
        """End the stage that trains after the step that it is at; what it reached is kept."""
        stage = _last_event(self.events).get("stage", "")
        ask(self.training, "stop", stage)
        if not self.locked() and checkpoint_epochs(self.training / stage):
            (self.training / stage / STOPPED).write_text("as asked", encoding="utf-8")
            self.write_status(state="trained")

    def keep(self, name: str) -> None:
        """Ask for a preset of this name, of what is trained by now; whoever trains makes it.

        Raises:
            InputError: The name does not do, or is taken, or nothing is trained yet.
        """
        if not re.fullmatch(r"[\w-]+", name):
            raise InputError(
                "The name of a preset is that of a folder", allowed="letters, digits, _, -", received=name
            )
        if name in in_reach() or (RUNS / name).exists():
            raise InputError(f"There is a preset {name} already", remedy="Choose another name")
        if not any(self.training.rglob("state-*.json")):
            raise InputError("Nothing is trained yet", remedy="Wait for the first point of the curve")
        if self.state in ("training", "paused", "interrupted", "failed"):
            self.stop()
        self.write_status(state="trained", message=None)
        write_json(self.folder / "keep.json", {"name": name})

    def remove(self) -> None:
        """End it and remove its files; a preset that was made of it stays."""
        if self.locked() and (pid := self.status.get("pid")):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)  # its files are removed: there is nothing to save
            until = time.monotonic() + 1.0
            while self.locked() and time.monotonic() < until:
                time.sleep(0.02)
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_pictures(self) -> None:
        """Remove what was seen, and keep the curves."""
        shutil.rmtree(self.training / PICTURES, ignore_errors=True)


def is_locked(path: Path) -> bool:
    """Say whether a process holds the lock on a file; no file is not locked."""
    try:
        file = path.open()
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def submit(order: Order) -> LabRun:
    """Order a run; the same order within seconds, or while its run waits, is the same run.

    Raises:
        InputError: The folder cannot be written.
    """
    for run in find_runs():
        if run.ordered and (run.state == "waiting" or time.time() - run.created < _SAME_ORDER_SECONDS):
            with contextlib.suppress(InputError):
                if run.order == order:
                    return run
    stamp, number = time.strftime("%m%d-%H%M%S"), 0
    with writing_to(LABORATORY):
        LABORATORY.mkdir(parents=True, exist_ok=True)
        while True:
            name = f"{order.task}-{stamp}" + (f"-{number}" if number else "")
            try:
                (LABORATORY / name).mkdir()
                break
            except FileExistsError:
                number += 1
        run = LabRun(LABORATORY / name)
        (run.folder / "run").mkdir()
    write_json(run.folder / "order.json", asdict(order))
    return run


def find_runs() -> list[LabRun]:
    """Return all runs in reach, newest first."""
    folders = [path.parent for path in LABORATORY.glob("*/order.json")]
    folders += [path.parent for path in RUNS.glob("*.run/events.jsonl")]
    return sorted(map(LabRun, folders), key=lambda run: (run.created, run.key), reverse=True)


def find_run(key: str) -> LabRun:
    """Return the run of this name.

    Raises:
        InputError: There is none.
    """
    found = {run.key: run for run in find_runs()}
    if key not in found:
        raise InputError(
            "There is no such run", allowed=", ".join(found) or "none is there", received=key,
            remedy="It may have been discarded; python -m apps lab list shows all",
        )  # fmt: skip
    return found[key]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _last_event(path: Path) -> dict[str, Any]:
    """Return the last whole line of a file of events."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65_536))
        for line in reversed(file.read().split(b"\n")):
            with contextlib.suppress(ValueError):
                return dict(json.loads(line))
    return {}
