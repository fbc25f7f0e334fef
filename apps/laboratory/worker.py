"""The process that trains what was ordered, one run after the other: ``python -m apps.laboratory.worker [RUN]``.

It outlives the page's server. As many train at once as there are cores; each holds a slot, a locked file, and the lock
of its run. One that finds nothing to do waits some time, with TensorFlow loaded, so that the next order begins at once.
A run whose process was killed is taken up again, and ends at the same bits. With the name of a run it trains that one.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from apps.laboratory.offers import offers
from apps.laboratory.runs import LABORATORY, RUNS, LabRun, find_run, find_runs, is_locked
from data_prep.errors import InputError
from data_prep.files import writing_to
from models.lean_keras import import_keras_lean
from models.presets.kinds import kind_named
from models.training.task import Task
from models.training.watching import Limits, Observed

ROOT = Path(__file__).resolve().parents[2]
_IDLE_SECONDS = 180.0
_LOOK_SECONDS = 0.1
_MOST_KILLS = 25  # without an epoch in between
_NICE, _SESSION_NICE = 15, 5  # pages go first
_READY = "ready"  # what is written into the slot of a process that waits for an order
_START_SECONDS = 2.0  # of a process, until it holds a slot
_begun: list[float] = []  # when processes were started from here


def task_named(name: str) -> Task:
    """Return the task of an application.

    Raises:
        InputError: There is none.
    """
    try:
        module = importlib.import_module(f"apps.{name}.task")
    except ModuleNotFoundError as error:
        raise InputError("There is no such task", received=name) from error
    return next(
        one for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Task) and getattr(one, "name", None) == name
    )()  # fmt: skip


def ensure_workers(spare: bool = False) -> None:
    """Start a process for each run that waits, as far as there are slots; with ``spare`` one that is ready for more."""
    with writing_to(LABORATORY):
        LABORATORY.mkdir(parents=True, exist_ok=True)
    waiting = sum(_claimable(run) for run in find_runs())
    taken = [_slot_content(path) for path in _slots() if is_locked(path)]
    idle = sum(content in ("", _READY) for content in taken)
    now = time.monotonic()
    _begun[:] = [one for one in _begun if now - one < _START_SECONDS]  # they may hold no slot yet
    wanted = waiting + spare - idle - len(_begun)
    for _ in range(min(len(_slots()) - len(taken), wanted)):
        launch("apps.laboratory.worker")
        _begun.append(now)


def launch(module: str, *words: str) -> int:
    """Start a module in a process that outlives this one; return its number."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    with (LABORATORY / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, *words],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "PYTHONPATH": paths},
        ).pid  # fmt: skip


def step_back() -> None:
    """Let everything else go first."""
    os.nice(max(0, _NICE - os.nice(0)))
    with contextlib.suppress(OSError):  # Linux shares among sessions first, and this process has its own
        Path("/proc/self/autogroup").write_text(str(_SESSION_NICE), encoding="ascii")


def main() -> None:
    """Train until there has been nothing to do for some time, or the run that is named."""
    import_keras_lean()
    for key in sys.argv[1:]:
        run = find_run(key)
        with run.lock() as got:
            if got:
                train(run)
        return
    with _slot() as slot:
        if slot is None:
            return
        step_back()
        _warm_up()
        for name in offers():
            task_named(name).read_ahead()
        _say(slot, _READY)
        until = time.monotonic() + _IDLE_SECONDS
        while time.monotonic() < until:
            for run in reversed(find_runs()):
                if _claimable(run):
                    with run.lock() as got:
                        if got and _claimable(run, locked=True):
                            _say(slot, run.key)
                            train(run)
                            # A fresh process for the next one: nothing of a training is left over.
                            os.execv(sys.executable, [sys.executable, "-m", "apps.laboratory.worker"])
            time.sleep(_LOOK_SECONDS)


def _warm_up() -> None:
    """Load what trainings need and train a network of two numbers: what is done for the first time takes longest."""
    import keras
    import numpy as np

    import models.training.driver  # noqa: F401
    from data_prep.batching import as_dataset

    number = np.zeros((1, 1), np.float32)
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile("adamw", "mse")
    model.fit(as_dataset(lambda: iter([(number, number)])), verbose=0)
    keras.backend.clear_session()  # names of layers begin anew
    for name in offers():
        pkgutil.resolve_name(kind_named(task_named(name).kind).network)


def _claimable(run: LabRun, locked: bool = False) -> bool:
    """Say whether a run waits for someone who trains it."""
    if not run.ordered or not (locked or not run.locked()):
        return False
    return run.status.get("state") not in ("failed", "kept") and (
        run.keep_name is not None or run.status.get("state") != "trained"
    )


def train(run: LabRun) -> None:
    """Train a run, or make its preset, and write down what became of it."""
    with (run.folder / "log.txt").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        attempt(run)


def attempt(run: LabRun) -> None:
    """As :func:`train`, but what is printed goes where it goes."""
    try:
        epochs = len(list(run.training.rglob("state-*.json"))) and _epochs(run)
        kills = run.status.get("kills", 0) + 1 if epochs == run.status.get("epochs") else 0
        run.write_status(pid=os.getpid(), kills=kills, epochs=epochs, state=None)
        if kills > _MOST_KILLS:
            raise InputError(
                f"The process that trains ended {kills} times within one epoch",
                remedy="Is there enough memory? A smaller network or batch needs less",
            )
        _fit(run)
        if run.keep_name:  # asked for meanwhile
            _fit(run)
    except InputError as error:
        _write_failure(run, str(error))
    except OSError as error:
        traceback.print_exc()
        _write_failure(
            run, f"Cannot write or read {error.filename or run.training}: {error.strerror or error}"
        )
    except KeyboardInterrupt:
        raise SystemExit from None
    except Exception as error:
        traceback.print_exc()
        _write_failure(
            run, f"{type(error).__name__}: {error} (the whole text is in {run.folder / 'log.txt'})"
        )


def _fit(run: LabRun) -> None:
    """Run the driver, and write the status."""
    from models.training.driver import fit_task

    order, name = run.order, run.keep_name
    task = task_named(order.task)
    made = fit_task(
        task,
        RUNS / (name or run.key),
        options=typed(task, order.options),
        recipe=order.recipe,
        overrides=order.overrides,
        resume=True,
        observed=Observed(
            run.training, order.watch, Limits(order.minutes, order.mebibytes), keep=name is not None
        ),
    )
    if name is None:
        run.write_status(state="trained")
        return
    run.write_status(state="kept", preset=name, made=json.loads(json.dumps(made, default=str)))
    (run.folder / "keep.json").unlink(missing_ok=True)  # last: a kill in between loses nothing


def typed(task: Task, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of an order, with paths where the task takes paths."""
    paths = {option.name for option in task.options if option.type is Path}
    as_paths = {
        name: list(map(Path, value)) if isinstance(value, list) else Path(value)
        for name, value in options.items()
        if name in paths and value
    }
    return {**options, **as_paths}


def _write_failure(run: LabRun, message: str) -> None:
    for _ in range(2):
        try:
            (run.folder / "keep.json").unlink(missing_ok=True)
            run.write_status(state="failed", message=message)
            return
        except (InputError, OSError):  # the folder is gone, or the disk full: then the pictures make room
            run.remove_pictures()


def _epochs(run: LabRun) -> int:
    """Return how many epochs of all stages are finished."""
    from models.training.checkpoint import checkpoint_epochs

    stages = {path.parent for path in run.training.rglob("state-*.json")}
    return sum(max(checkpoint_epochs(stage), default=0) for stage in stages)


def _slots() -> list[Path]:
    return [LABORATORY / f".slot-{number}" for number in range(os.cpu_count() or 1)]


@contextlib.contextmanager
def _slot() -> Iterator[IO[str] | None]:
    """Hold a free slot; None if there is none."""
    LABORATORY.mkdir(parents=True, exist_ok=True)
    for path in _slots():
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        with file:
            _say(file, "")
            yield file
        return
    yield None


def _say(slot: IO[str], text: str) -> None:
    """Write into a slot what its holder does."""
    slot.seek(0)
    slot.truncate()
    slot.write(text)
    slot.flush()


def _slot_content(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8")
    return ""


if __name__ == "__main__":
    main()
