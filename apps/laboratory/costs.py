"""What a training will cost, told by a short timing of its own steps: ``python -m apps.laboratory.costs KEY``.

The process reads the data, builds the network of each stage, times some steps of it and goes on with the next, without
training any to its end. What it finds stands in ``runs/laboratory/costs/KEY.json``, for the next who asks the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.laboratory import worker
from apps.laboratory.runs import LABORATORY, Order
from data_prep.errors import InputError
from data_prep.files import write_json

if TYPE_CHECKING:
    import keras

    from models.training.task import Stage

COSTS = LABORATORY / "costs"
_TIMED_SECONDS, _COUNTED_SECONDS = 1.5, 5.0  # of a stage: steps, and counting the batches of an epoch
_MOST_SECONDS = 90  # in all
_ASKED_SECONDS = 120.0  # after which an answer that has not come is asked for again
_PID = "pid"


@dataclass(frozen=True)
class StageCost:
    """What one stage costs.

    Args:
        name: Of the stage.
        parameters: That are trained.
        epochs: Planned.
        steps: Of an epoch, None where that is not known.
        step_seconds: Of one step.
        epoch_seconds: Of what follows an epoch: scoring what is held out.
    """

    name: str
    parameters: int
    epochs: int
    steps: int | None
    step_seconds: float
    epoch_seconds: float

    @property
    def seconds(self) -> float | None:
        """Of the stage."""
        if self.steps is None:
            return None
        return self.epochs * (self.steps * self.step_seconds + self.epoch_seconds)


@dataclass(frozen=True)
class Cost:
    """What a training costs, as far as it is known.

    Args:
        stages: Those that were timed, in order.
        read_seconds: Of reading the data.
        whole: Whether there are no more stages.
        done: Whether nothing more comes.
        problem: What is wrong with the order, or None.
    """

    stages: tuple[StageCost, ...] = ()
    read_seconds: float = 0.0
    whole: bool = False
    done: bool = False
    problem: str | None = None

    @property
    def parameters(self) -> int:
        """Of all stages."""
        return sum(stage.parameters for stage in self.stages)

    @property
    def seconds(self) -> float | None:
        """Of all stages and of reading, None where it is not known."""
        each = [stage.seconds for stage in self.stages]
        return None if None in each or not each else self.read_seconds + sum(filter(None, each))


def key_of(order: Order) -> str:
    """Return the name of what decides the cost of an order."""
    decides = {name: getattr(order, name) for name in ("task", "options", "recipe", "overrides")}
    text = json.dumps(decides, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def known(order: Order) -> Cost | None:
    """Return what is known by now; None where nobody has asked, or got no answer."""
    path = COSTS / f"{key_of(order)}.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))["cost"]
        cost = Cost(**{**said, "stages": tuple(StageCost(**one) for one in said["stages"])})
        late = not cost.done and time.time() - path.stat().st_mtime > _ASKED_SECONDS
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if late else cost


def ask(order: Order) -> None:
    """Begin to time an order; one that is being timed is left."""
    cancel()
    COSTS.mkdir(parents=True, exist_ok=True)
    key = key_of(order)
    write_json(COSTS / f"{key}.json", {"order": asdict(order), "cost": asdict(Cost())})
    pid = worker.launch("apps.laboratory.costs", key)
    (COSTS / _PID).write_text(f"{pid} {key}", encoding="utf-8")


def cancel() -> None:
    """End a timing that runs: what is trained goes first."""
    with contextlib.suppress(OSError, ValueError):
        pid, key = (COSTS / _PID).read_text(encoding="utf-8").split()
        (COSTS / _PID).unlink()
        command = Path(f"/proc/{pid}/cmdline")
        # Numbers of processes are given again; without /proc it ends by itself.
        if command.exists() and key.encode() in command.read_bytes():
            os.kill(int(pid), signal.SIGKILL)
        for left in COSTS.glob(f"{key}-*"):
            shutil.rmtree(left, ignore_errors=True)
        path = COSTS / f"{key}.json"
        if not json.loads(path.read_text(encoding="utf-8"))["cost"]["done"]:
            path.unlink()


def main() -> None:
    """Time the order of the key that is given."""
    worker.step_back()
    path = COSTS / f"{sys.argv[1]}.json"
    said = json.loads(path.read_text(encoding="utf-8"))["order"]
    order = Order.read(said)
    signal.signal(signal.SIGALRM, _end)
    signal.alarm(_MOST_SECONDS)
    timing = _Timing()

    def write(**more: Any) -> None:
        cost = Cost(tuple(timing.stages), timing.read_seconds, **more)
        write_json(path, {"order": said, "cost": asdict(cost)})

    whole, problem = False, None
    try:
        with tempfile.TemporaryDirectory(prefix=f"{sys.argv[1]}-", dir=COSTS) as folder:
            for _ in timing.stages_of(order, Path(folder)):
                write()
        whole = True
    except InputError as error:
        problem = str(error)
    except TimeoutError:
        pass
    finally:
        signal.alarm(0)
    write(whole=whole, done=True, problem=problem)


def _end(*_: Any) -> None:
    raise TimeoutError


class _Timing:
    """Times the stages of an order, one after the other."""

    def __init__(self) -> None:
        self.stages: list[StageCost] = []
        self.read_seconds = 0.0

    def stages_of(self, order: Order, folder: Path) -> Any:
        """Time an order; yields after each stage."""
        from models.training.task import Run

        task, run = worker.task_named(order.task), Run(folder)
        options = task.given("fit", worker.typed(task, order.options))
        recipe = task.recipe(order.recipe, options, order.overrides)
        began = time.perf_counter()
        source = task.source(recipe, options, run)
        self.read_seconds = time.perf_counter() - began
        stages, model = task.stages(recipe, source, run), None
        while True:
            try:
                stage = stages.send(model)
            except StopIteration:
                return
            model, cost = _timed(stage)
            self.stages.append(cost)
            yield


def _timed(stage: Stage) -> tuple[keras.Model, StageCost]:
    """Build the network of a stage and time some steps of it."""
    import keras
    import numpy as np

    from data_prep.batching import as_dataset

    keras.utils.set_random_seed(stage.seed)
    model = stage.network()
    parameters = int(sum(np.prod(weight.shape) for weight in model.trainable_weights))
    clock = _clock()
    data = as_dataset(lambda: stage.epoch(0), fixed_shapes=stage.fixed_shapes, prefetch=stage.prefetch)
    model.fit(
        data, steps_per_epoch=stage.steps, shuffle=False, verbose=0, callbacks=[clock, *stage.callbacks()]
    )
    steps = stage.steps or clock.all_steps or _counted(stage)
    after = 0.0
    if stage.evaluate is not None:
        began = time.perf_counter()
        stage.evaluate(model)
        after = time.perf_counter() - began
    return model, StageCost(stage.name, parameters, stage.epochs, steps, clock.step_seconds, after)


def _counted(stage: Stage) -> int | None:
    """Count the batches of an epoch, if that takes no long time."""
    until, count = time.perf_counter() + _COUNTED_SECONDS, 0
    for _ in stage.epoch(0):
        count += 1
        if time.perf_counter() > until:
            return None
    return count


def _clock() -> Any:
    """Return a callback that ends the epoch after some time; the first step, which is traced, does not count."""
    import keras

    class Clock(keras.callbacks.Callback):
        began, ended = 0.0, False
        first: tuple[float, int] | None = None
        last = 0.0, 0

        def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            self.began = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
            now = time.perf_counter(), batch + 1
            self.first, self.last = self.first or now, now
            if now[0] - self.first[0] > _TIMED_SECONDS:
                self.model.stop_training = self.ended = True

        @property
        def step_seconds(self) -> float:
            (began, before), (now, steps) = self.first or self.last, self.last
            if steps == before:  # all in one: what tracing took is in it
                return (now - self.began) / max(1, steps)
            return (now - began) / (steps - before)

        @property
        def all_steps(self) -> int | None:
            """Steps of the epoch where it was run whole."""
            return None if self.ended else self.last[1]

    return Clock()


if __name__ == "__main__":
    main()
