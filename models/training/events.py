"""What happens in a training, as lines of one file; a progress bar and TensorBoard are told as well.

TensorBoard's own log is written by TensorFlow, which has the writer.

Every line of ``events.jsonl`` is a JSON object with ``event``, ``stage`` and ``time`` (seconds since 1970):

``begin``    epochs, done (epochs of before), parameters
``step``     epoch (from 1), step, steps (of an epoch, None if not known yet), metrics so far; at most twice a second
``epoch``    epoch, steps, seconds, best, the metrics of training and evaluation
``sample``   epoch, text: what the network answers by now
``end``      epochs (finished), seconds; also when the training was interrupted

After a kill, the events of the epoch that is run again come twice, and a line may be cut.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

_SECONDS_BETWEEN_STEPS = 0.5

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

    TensorBoard itself is needed to look at it, not to write it; writing takes TensorFlow.

    Args:
        folder: Its log folder.
    """
    import tensorflow as tf

    writers: dict[str, Any] = {}

    def write(event: Mapping[str, Any]) -> None:
        if event["event"] != "epoch":
            return
        stage = event["stage"] or "training"
        if stage not in writers:
            writers[stage] = tf.raw_ops.SummaryWriter(shared_name=f"{folder}/{stage}", container="")
            tf.raw_ops.CreateSummaryFileWriter(
                writer=writers[stage],
                logdir=str(Path(folder) / stage),
                max_queue=100,
                flush_millis=1000,
                filename_suffix=".v2",
            )
        step = tf.constant(event["epoch"], tf.int64)
        for name, value in event.items():
            if isinstance(value, float) and name != "time":
                tf.raw_ops.WriteScalarSummary(writer=writers[stage], step=step, tag=name, value=value)
        tf.raw_ops.FlushSummaryWriter(writer=writers[stage])

    return write
