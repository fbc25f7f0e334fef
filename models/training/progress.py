"""What watches every training step: a progress bar with the time left, and a guard against NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TextIO

import keras
from tqdm import tqdm

from data_prep.errors import InputError

_LOG_INTERVAL_SECONDS = 30.0  # between two lines where the stream is a file and not a terminal
_SHOWN_EVERY_SECONDS = 0.2


class DivergedError(InputError):
    """Training reached NaN or infinity: the settings do not work, and the last checkpoint is kept."""

    def __init__(self, what: str, *, epoch: int, step: int | None, run_dir: object) -> None:
        self.epoch = epoch
        self.step = step
        place = f"epoch {epoch}" if step is None else f"step {step} of epoch {epoch}"
        super().__init__(
            f"Training diverged at {place}: {what}. The checkpoint of epoch {epoch - 1} is kept in {run_dir}",
            remedy="Lower the learning rate or clip the gradients, and start in another folder",
        )


class StepGuard(keras.callbacks.Callback):
    """Count the steps of one epoch and stop at the first loss that is not finite.

    Args:
        epoch: Number of the epoch, from 1.
        run_dir: Named in the error.
    """

    def __init__(self, epoch: int, run_dir: object) -> None:
        super().__init__()
        self.epoch = epoch
        self.run_dir = run_dir
        self.steps = 0
        self.last_loss: float | None = None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the loss after one step (or one group of steps of ``steps_per_execution``)."""
        self.steps = batch + 1
        loss = (logs or {}).get("loss")
        self.last_loss = loss
        if loss is not None and not math.isfinite(loss):
            raise DivergedError(
                f"the loss is {loss}", epoch=self.epoch, step=self.steps, run_dir=self.run_dir
            )

    def check_epoch(self, logs: Mapping[str, float]) -> None:
        """Refuse an epoch without data, or with a loss that Keras has put a zero in the place of.

        Args:
            logs: Metrics of the epoch, as ``Model.fit`` reports them.

        Raises:
            InputError: When there was no step.
            ValueError: When ``train_step`` returns a loss that no metric of the model has seen.
        """
        if self.steps == 0:
            raise InputError(f"The training data of epoch {self.epoch} are empty")
        if logs.get("loss") == 0.0 and self.last_loss:
            # Model.fit prefers its metrics to what train_step returned where the names agree, and its own
            # tracker of the loss is zero as long as nobody updates it.
            raise ValueError(
                "train_step returns a loss that no metric has seen: keep it in a keras.metrics.Mean named "
                "'loss' that the model's metrics property returns."
            )


class ProgressBar(keras.callbacks.Callback):
    """One bar for the whole run, so that the time left is that of the run and not of the epoch.

    Args:
        epochs: Epochs of the run.
        done: Epochs that are finished already.
        steps_done: Steps that are finished already.
        steps_per_epoch: Steps of one epoch where known; else the first epoch tells.
        stream: Where to draw.
        disable: True to draw nothing.
    """

    def __init__(
        self,
        *,
        epochs: int,
        done: int,
        steps_done: int,
        steps_per_epoch: int | None,
        stream: TextIO,
        disable: bool,
    ) -> None:
        super().__init__()
        self._epochs = epochs
        self._steps = steps_per_epoch
        self._seen = 0
        terminal = hasattr(stream, "isatty") and stream.isatty()
        self._bar = tqdm(
            total=steps_per_epoch * epochs if steps_per_epoch else None,
            initial=steps_done,
            desc=f"epoch {done + 1}/{epochs}",
            unit="step",
            file=stream,
            mininterval=_SHOWN_EVERY_SECONDS if terminal else _LOG_INTERVAL_SECONDS,
            dynamic_ncols=terminal,
            disable=disable or done >= epochs,
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Name the epoch and take the number of its steps where the data tell it."""
        self._seen = 0
        self._bar.set_description(f"epoch {epoch + 1}/{self._epochs}", refresh=False)
        self._set_steps(self.params.get("steps"))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move on, and show the metrics when the bar is due to be drawn."""
        advanced = batch + 1 - self._seen
        self._seen = batch + 1
        if self._bar.update(advanced) and logs:
            self._bar.set_postfix({name: f"{value:.4g}" for name, value in logs.items()}, refresh=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Learn the number of steps from an epoch that was run to its end."""
        self._set_steps(self._seen)

    def write(self, text: str) -> None:
        """Print a line above the bar."""
        self._bar.write(text, file=self._bar.fp) if not self._bar.disable else None

    def close(self) -> None:
        """Leave the bar as it stands and go to the next line."""
        self._bar.close()

    def _set_steps(self, steps: int | None) -> None:
        if steps and steps != self._steps:
            self._steps = steps
            self._bar.total = steps * self._epochs
