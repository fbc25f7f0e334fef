"""A tiny training run with dropout, a schedule and averaged weights; as a script it can kill itself.

python tests/models/training_run.py FOLDER MOMENT [--resume]
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from data_prep import files
from models.training.checkpoint import TrainingState
from models.training.fit import fit
from models.training.task import Run, Stage

SEED, EPOCHS, BATCH, ROWS = 5, 4, 8, 64
_RNG = np.random.default_rng(0)
INPUTS = _RNG.normal(size=(ROWS, 6)).astype(np.float32)
TARGETS = INPUTS.sum(axis=1, keepdims=True)
RECIPE = {"rate": 0.05, "network": {"units": 12}}


def build(optimizer: keras.optimizers.Optimizer | None = None) -> keras.Model:
    keras.utils.set_random_seed(SEED)
    inputs = keras.Input((6,))
    hidden = keras.layers.Dropout(0.3)(keras.layers.Dense(12, activation="relu")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    schedule = keras.optimizers.schedules.CosineDecay(0.05, EPOCHS * ROWS // BATCH)
    model.compile(optimizer or keras.optimizers.Adam(schedule, use_ema=True, ema_momentum=0.9), "mse")
    return model


def epoch_data(epoch: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng([SEED, epoch]).permutation(ROWS)
    return INPUTS[order], TARGETS[order]


def batches_of(inputs: np.ndarray, targets: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(inputs), BATCH):
        yield inputs[start : start + BATCH], targets[start : start + BATCH]


def dev_error(model: keras.Model) -> dict[str, float]:
    guess = keras.ops.convert_to_numpy(model(keras.ops.convert_to_tensor(INPUTS), training=False))
    return {"dev": float(np.mean((guess - TARGETS) ** 2))}


def run(
    folder: Path, model: keras.Model | None = None, *, resume: bool = False, **changes
) -> tuple[keras.Model, TrainingState]:
    arguments = {
        "name": "",
        "network": lambda: build() if model is None else model,
        "epoch": lambda epoch: batches_of(*epoch_data(epoch)),
        "epochs": EPOCHS,
        "seed": SEED,
        "recipe": RECIPE,
        "evaluate": dev_error,
        "monitor": "dev",
        "steps": ROWS // BATCH,
        **changes,
    }
    return fit(Stage(**arguments), Run(folder, resume))


class AtStep(keras.callbacks.Callback):
    """Do something after so many steps of the whole run."""

    def __init__(self, step: int, act) -> None:
        super().__init__()
        self.step, self.act = step, act

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        if int(self.model.optimizer.iterations) == self.step:
            self.act()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_while_writing(name: str, *, after_rename: bool) -> None:
    """Kill this process when the file ``name`` is half written, or when its rename has just been done."""
    replace, fsync = os.replace, os.fsync

    def replace_and_kill(source, target) -> None:
        replace(source, target)
        if after_rename and Path(target).name == name:
            kill()

    def cut_and_kill(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if not after_rename and Path(path).name.startswith(f".{name}"):
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            kill()
        fsync(descriptor)

    files.os = type("Os", (), {**vars(os), "replace": replace_and_kill, "fsync": cut_and_kill})


def main(folder: Path, moment: str, resume: bool) -> None:
    callbacks = []
    if moment.startswith("step"):
        callbacks = [AtStep(int(moment[4:]), kill)]
    elif moment.startswith("terminate"):
        callbacks = [AtStep(int(moment[9:]), lambda: os.kill(os.getpid(), signal.SIGTERM))]
    elif moment != "never":
        when, name = moment.split(":")
        kill_while_writing(name, after_rename=when == "after")
    run(folder, callbacks=lambda: callbacks, resume=resume)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], "--resume" in sys.argv)
