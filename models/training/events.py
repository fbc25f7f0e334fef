"""What happens in a training, as lines of one file; a progress bar and TensorBoard are told as well.

A guard against NaN watches every step. TensorBoard's own log is written by TensorFlow, which has the writer.

Every line of ``events.jsonl`` is a JSON object with ``event``, ``stage`` and ``time`` (seconds since 1970):

``begin``    epochs, done, steps_done and seconds of before, parameters, steps (of an epoch, None if not known yet),
             examples (of an epoch, None if not known) and their unit
``step``     epoch (from 1), step, steps (of an epoch, None if not known yet), steps_done (of the stage), seconds (of
             training, in all), learning_rate, metrics as means over the epoch so far; at most twice a second
``watch``    epoch, steps_done, seconds, numbers and norms of gradients by name, cost (in seconds); see ``watching``
``pause``, ``go``, ``stop``  what a person asked for (``stop`` also for a limit: why); epoch, steps_done
``epoch``    epoch, steps, seconds, best, the metrics of training and evaluation
``sample``   epoch, text: what the network answers by now
``end``      epochs (finished), seconds; also when the training was interrupted

After a kill, the events of the epoch that is run again come twice, and a line may be cut.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from data_prep.errors import InputError
from models.training.watching import Control, Looks

_SECONDS_BETWEEN_STEPS = 0.5
_LOG_INTERVAL_SECONDS = 30.0  # between two lines of the bar where the stream is a file and not a terminal
_SHOWN_EVERY_SECONDS = 0.2

Listener = Callable[[Mapping[str, Any]], None]


class Events:
    """The file of a run, and who listens while it is written.

    Args:
        folder: Run folder, there already.
        stage: Name of the training within the run.
        listeners: Called with every event.
    """

    def __init__(self, folder: Path, stage: str = "", listeners: Iterable[Listener] = ()) -> None:
        self._stage, self._listeners = stage, tuple(listeners)
        self._file = (folder / "events.jsonl").open("a+b")
        if self._file.tell():
            self._file.seek(-1, os.SEEK_END)
            if self._file.read() != b"\n":  # a process was killed while it wrote
                self._file.write(b"\n")
        self._last_step = 0.0

    def emit(self, event: str, **values: Any) -> None:
        """Write one event; steps that follow each other too fast are left out."""
        now = time.time()
        if event == "step":
            if now - self._last_step < _SECONDS_BETWEEN_STEPS:
                return
            self._last_step = now
        for name, value in values.items():
            value = values[name] = value() if callable(value) else value  # only for what is written
            if isinstance(value, float) and not math.isfinite(value):
                values[name] = None
        content = {"event": event, "stage": self._stage, "time": now, **values}
        self._file.write((json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n").encode())
        self._file.flush()
        for listener in self._listeners:
            listener(content)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def tensorboard_writer(folder: str | Path) -> Listener:
    """Make a listener that writes what TensorBoard shows, a run of TensorBoard for each stage.

    What an epoch gave stands over epochs; what begins with ``steps/`` stands over steps, the metrics there as means
    over the epoch so far. TensorBoard itself is needed to look at it, not to write it; writing takes TensorFlow.

    Args:
        folder: Its log folder.
    """
    import tensorflow as tf

    writers: dict[str, Any] = {}
    scalar = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"})

    def write(event: Mapping[str, Any]) -> None:
        match event["event"]:
            case "epoch":
                prefix, step, values = "", event["epoch"], event
            case "step":
                prefix, step, values = "steps/", event["steps_done"], event
            case "watch":
                norms = {f"gradient norm/{name}": norm for name, norm in event["norms"].items()}
                prefix, step, values = "steps/", event["steps_done"], {**event["numbers"], **norms}
            case _:
                return
        stage = event["stage"] or "training"
        if stage not in writers:
            writers[stage] = tf.summary.create_file_writer(f"{folder}/{stage}")
        with writers[stage].as_default(step):
            for name, value in values.items():
                if isinstance(value, float) and name != "time":
                    tf.summary.write(prefix + name, tf.constant(value), metadata=scalar)
        writers[stage].flush()

    return write


class DivergedError(InputError):
    """Training reached NaN or infinity: the settings do not work, and the last checkpoint is kept."""

    def __init__(self, what: str, folder: Path, epoch: int, step: int | None = None) -> None:
        self._made = (what, folder, epoch, step)
        place = f"epoch {epoch}" if step is None else f"step {step} of epoch {epoch}"
        super().__init__(
            f"Training diverged at {place}: {what}. The checkpoint of epoch {epoch - 1} is kept in {folder}",
            remedy="Lower the learning rate or clip the gradients, and start in another folder",
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return DivergedError, self._made


class StepWatch(keras.callbacks.Callback):
    """Count the steps of one epoch, write them to the events of a run, and stop at the first loss that is not finite.

    Between two steps it looks at the network, and does what a person asks.

    Args:
        events: Where steps go.
        epoch: Number of the epoch, from 1.
        folder: Folder of the stage, named in the error.
        before: Steps and seconds of all epochs before.
        control: What a person asks.
        looks: When the network is looked at; None for never.
        limit: The most seconds of training, None for no limit.
    """

    def __init__(
        self,
        events: Events,
        epoch: int,
        folder: Path,
        before: tuple[int, float],
        control: Control,
        looks: Looks | None = None,
        limit: float | None = None,
    ) -> None:
        super().__init__()
        self.events, self.epoch, self.folder, self.before = events, epoch, folder, before
        self.control, self.looks, self.limit = control, looks, limit
        self.steps, self.paused, self._began = 0, 0.0, time.perf_counter()
        self.stopped: str | None = None
        self.last_loss: float | None = None
        self._looked_at = -1  # after how many steps

    @property
    def seconds(self) -> float:
        """Of training, without pauses, in all epochs."""
        return self.before[1] + time.perf_counter() - self._began - self.paused

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Look at the network before its first step."""
        if not self.before[0]:
            self._look()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at one step (or one group of steps of ``steps_per_execution``)."""
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        steps = self.params.get("steps")
        # The last group of steps_per_execution may be shorter than Keras counts it.
        self.steps, self.last_loss = min(batch + 1, steps or batch + 1), metrics.get("loss")
        if self.last_loss is not None and not math.isfinite(self.last_loss):
            raise DivergedError(f"the loss is {self.last_loss}", self.folder, self.epoch, self.steps)
        when = {"steps": steps, "seconds": round(self.seconds, 3), "steps_done": self._done}
        rate = partial(_learning_rate, self.model)
        self.events.emit("step", epoch=self.epoch, step=self.steps, **when, learning_rate=rate, **metrics)
        self._look()
        self._ask()

    @property
    def _done(self) -> int:
        return self.before[0] + self.steps

    def look_at_the_end(self) -> None:
        """Look at what the training has come to."""
        if self._looked_at != self._done:
            self._look(at_once=True)

    def _look(self, at_once: bool = False) -> None:
        if self.looks is not None and (at_once or self.looks.due(self.seconds)):
            self._looked_at = self._done
            when = {"epoch": self.epoch, "seconds": round(self.seconds, 3)}
            self.events.emit("watch", **when, **self.looks.look(self.model, self._done, **when))

    def _ask(self) -> None:
        """Wait, or stop, where a person or the limit asks for it."""
        when = {"epoch": self.epoch, "steps_done": self._done}
        if waited := self.control.wait(partial(self.events.emit, "pause", **when)):
            self.paused += waited
            self.events.emit("go", **when)
        if self.control.word() == "stop":
            self.stopped = "as asked"
        elif self.limit is not None and self.seconds > self.limit:
            self.stopped = f"at the limit of {self.limit / 60:g} minutes"
        if self.stopped:
            self.model.stop_training = True

    def check_loss(self, logs: Mapping[str, float]) -> None:
        """Refuse the metrics of an epoch where Keras has put a zero in the place of the loss.

        Raises:
            ValueError: ``train_step`` returns a loss that no metric of the model has seen.
        """
        if logs.get("loss") == 0.0 and self.last_loss:
            # Model.fit prefers its metrics to what train_step returned where the names agree, and its own
            # tracker of the loss is zero as long as nobody updates it.
            raise ValueError(
                "train_step returns a loss that no metric has seen: keep it in a keras.metrics.Mean named "
                "'loss' that the model's metrics property returns."
            )


class ProgressBar:
    """A listener to events that draws one bar for the whole run: the time left is that of the run."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._epochs = self._steps_done = 0

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Draw what an event says."""
        match event["event"]:
            case "begin" if event["done"] < event["epochs"]:
                self._begin(event)
            case "step":
                self._set_steps(event["steps"])
                self._bar.set_description(f"epoch {event['epoch']}/{self._epochs}", refresh=False)
                self._bar.set_postfix(_shown(event), refresh=False)
                self._bar.update(self._steps_done + event["step"] - self._bar.n)
            case "epoch":
                self._set_steps(event["steps"])
                self._steps_done += event["steps"]
                self._bar.update(self._steps_done - self._bar.n)
                metrics = "  ".join(f"{name} {value}" for name, value in _shown(event).items())
                best = "  (best)" if event["best"] else ""
                self._bar.write(f"epoch {event['epoch']}/{self._epochs}  {metrics}{best}", file=sys.stderr)
            case "sample":
                text = "\n".join(f"    {line}" for line in event["text"].split("\n"))
                self._bar.write(text, file=sys.stderr)
            case "end" if self._bar is not None:
                self._bar.close()

    def _begin(self, event: Mapping[str, Any]) -> None:
        terminal = sys.stderr.isatty()
        self._epochs, self._steps_done = event["epochs"], event["steps_done"]
        self._bar = tqdm(
            initial=self._steps_done,
            desc=f"epoch {event['done'] + 1}/{self._epochs}",
            unit="step",
            mininterval=_SHOWN_EVERY_SECONDS if terminal else _LOG_INTERVAL_SECONDS,
            dynamic_ncols=terminal,
        )
        self._set_steps(event["steps"])

    def _set_steps(self, steps: int | None) -> None:
        if steps:
            self._bar.total = steps * self._epochs


def _learning_rate(model: Any) -> float | None:
    """Return the learning rate of the next step, None for a network that has no optimizer."""
    if hasattr(model, "jax_state_sync"):
        model.jax_state_sync()  # while it trains on JAX, a network does not hold its variables
    return None if model.optimizer is None else float(model.optimizer.learning_rate)


def _shown(event: Mapping[str, Any]) -> dict[str, str]:
    """The metrics of an event as text."""
    others = {
        "event",
        "stage",
        "time",
        "epoch",
        "step",
        "steps",
        "steps_done",
        "seconds",
        "best",
        "learning_rate",
    }
    return {name: f"{value:.5g}" for name, value in event.items() if name not in others and value is not None}
