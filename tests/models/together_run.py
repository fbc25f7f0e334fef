"""The tiny training of ``training_run``, in one of several processes that a supervisor has started.

python tests/models/together_run.py FOLDER [PROCESS=WHAT]... [--resume]

``1=version`` gives process 1 another version of Keras, ``code`` another code, ``recipe`` another recipe, ``data`` none;
``kill`` ends it by SIGKILL in its second epoch, ``hang`` stops it there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import keras

from data_prep.errors import InputError
from models.training import together
from models.training.fit import fit
from models.training.processes import Place, entered
from models.training.task import Run, Stage
from tests.models import training_run as tiny


class SignalInEpoch(keras.callbacks.Callback):
    """Send this process a signal at the fourth step of an epoch."""

    def __init__(self, epoch: int, number: signal.Signals, told: Path) -> None:
        super().__init__()
        self.chosen, self.epoch, self.number, self.told = epoch - 1, None, number, told

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        if (self.epoch, batch) == (self.chosen, 3):
            self.told.write_text(str(time.time()))
            os.kill(os.getpid(), self.number)


def main(place: Place, folder: Path, wrong: str | None, resume: bool) -> None:
    if wrong == "version":
        right = together.versions()
        together.versions = lambda: {**right, "keras": "3.0.0"}
    if wrong == "code":
        together.code_checksum = lambda: "other"
    found = together.Together(place)
    if wrong == "data":
        raise InputError("There are no data")
    ends = {"kill": signal.SIGKILL, "hang": signal.SIGSTOP}
    at = [SignalInEpoch(2, ends[wrong], folder.with_name("when"))] if wrong in ends else []
    stage = Stage(
        "",
        tiny.build,
        lambda epoch: tiny.batches_of(*tiny.epoch_data(epoch)),
        epochs=tiny.EPOCHS,
        seed=tiny.SEED,
        recipe={**tiny.RECIPE, "rate": 0.1} if wrong == "recipe" else tiny.RECIPE,
        evaluate=tiny.dev_error,
        monitor="dev",
        callbacks=lambda: at,
    )
    run = Run(folder if found.is_first else place.folder / "run", resume, together=found)
    model, state = fit(stage, run)
    found.leave()
    if found.is_first:
        print(json.dumps({"epochs": state.epoch, "weights": float(abs(model.get_weights()[0]).sum())}))


if __name__ == "__main__":
    with entered() as own:
        told = dict(word.split("=") for word in sys.argv[2:] if "=" in word)
        main(own, Path(sys.argv[1]), told.get(str(own.process)), "--resume" in sys.argv)
