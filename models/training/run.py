"""One training as it goes: epochs, checkpoints, the best weights; ``models.training.fit`` is the way in."""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np

from data_prep.array_files import ArraySpec, first_non_finite, read_arrays
from data_prep.errors import InputError
from data_prep.files import write_bytes
from models.storage.records import check_file
from models.storage.variables import assign_arrays, copy_values, variable_arrays, variable_specs
from models.training.averaging import averaged_weights, averaging_optimizer
from models.training.checkpoint import (
    TrainingState,
    load_checkpoint,
    save_checkpoint,
    write_best,
)
from models.training.events import Events
from models.training.progress import DivergedError, StepEvents, StepGuard

METRICS_FILE = "metrics.jsonl"


def epoch_rng(seed: int, epoch: int) -> np.random.Generator:
    """Return the generator of one epoch: the same after a resume as in an undisturbed run."""
    return np.random.default_rng([seed, epoch])


class Training:
    """One call of :func:`models.training.fit.fit`: the model, its folder and the state reached so far."""

    def __init__(
        self,
        model: keras.Model,
        folder: Path,
        settings: Mapping[str, Any],
        evaluate: Callable[[], Mapping[str, float]] | None,
        sample: Callable[[], str] | None,
        callbacks: list[keras.callbacks.Callback],
        out: TextIO,
        notices: list[str],
        events: Events,
    ) -> None:
        self.model = model
        self.folder = folder
        self.settings = settings
        self.evaluate = evaluate
        self.sample = sample
        self.callbacks = callbacks
        self.out = out
        self.notices = notices
        self.events = events
        self.state = TrainingState()

    def restore_or_start(self) -> None:
        """Load the newest whole checkpoint, or write that of epoch 0 with the first weights."""
        loaded = load_checkpoint(self.folder, self._expected_for)
        if loaded is None:
            self._save(TrainingState())
            return
        self.state = loaded.state
        model_arrays, optimizer_arrays = _split(loaded.arrays)
        assign_arrays(self.model.variables, model_arrays)
        for variable, array in zip(_optimizer_variables(self.model), optimizer_arrays.values(), strict=True):
            variable.assign(array)
        self._write_metrics()
        for notice in loaded.notices:
            self._say(notice)
        self.notices.extend(loaded.notices)
        self._say(f"Going on after epoch {self.state.epoch} of {self.settings['epochs']}")

    def train(self, epoch_data: Callable[[int], Any]) -> None:
        """Run the epochs that are left."""
        epochs, history = self.settings["epochs"], self.state.history
        self.events.emit(
            "begin",
            epochs=epochs,
            done=self.state.epoch,
            parameters=int(sum(np.prod(weight.shape) for weight in self.model.trainable_weights)),
            steps_done=sum(line["steps"] for line in history),
            steps=history[-1]["steps"] if history else self.settings["steps_per_epoch"],
        )
        try:
            try:
                while self.state.epoch < epochs and not self.state.stopped:
                    self._one_epoch(epoch_data)
            finally:
                self.events.emit("end", epochs=self.state.epoch, seconds=self.seconds)
        except KeyboardInterrupt:
            self._say(
                f"Interrupted: {self.state.epoch} of {epochs} epochs are safe in {self.folder}; "
                "the same command with --resume goes on there"
            )
            raise

    @property
    def seconds(self) -> float:
        """Time of all finished epochs, those before a resume included."""
        return sum(line["seconds"] for line in self.state.history)

    def finish(self) -> None:
        """Put the weights to be used into the model."""
        state = self.state
        if state.best_file is not None:
            path = check_file(self.folder / state.best_file["name"], state.best_file)
            assign_arrays(self.model.weights, read_arrays(path, variable_specs(self.model.weights)))
        elif averaging_optimizer(self.model) is not None:
            averaging_optimizer(self.model).finalize_variable_values(self.model.trainable_variables)

    def _one_epoch(self, epoch_data: Callable[[int], Any]) -> None:
        epoch = self.state.epoch
        started = time.perf_counter()
        keras.utils.set_random_seed(int(epoch_rng(self.settings["seed"], epoch).integers(2**31)))
        guard = StepGuard(epoch + 1, self.folder)
        data = epoch_data(epoch)
        try:
            logs = self._fit_once(data, epoch, [guard, StepEvents(self.events), *self.callbacks])
        except (ValueError, StopIteration) as error:  # Keras looks at the first batch before it begins
            if guard.steps or not (isinstance(error, StopIteration) or "empty generator" in str(error)):
                raise
            logs = {}
        guard.check_epoch(logs)
        with averaged_weights(self.model):
            metrics = self._with_evaluation(logs)
            text = None if self.sample is None else self.sample()
            value = self._monitored(metrics, epoch + 1)
            better = self._is_better(value)
            best_file = self.state.best_file
            if better and self.settings["keep_best"]:
                best_file = write_best(
                    self.folder, epoch + 1, self._finite(variable_arrays(self.model.weights))
                )
        line = {
            "epoch": epoch + 1,
            "steps": guard.steps,
            "seconds": time.perf_counter() - started,
            "best": better,
        }
        line.update({name: number if math.isfinite(number) else None for name, number in metrics.items()})
        best_epoch = epoch + 1 if better else self.state.best_epoch
        patience = self.settings["patience"]
        self._save(
            TrainingState(
                epoch=epoch + 1,
                history=(*self.state.history, line),
                best_epoch=best_epoch,
                best_value=value if better else self.state.best_value,
                best_file=best_file,
                stopped=patience is not None and epoch + 1 - best_epoch >= patience,
            )
        )
        self.events.emit("epoch", **line)
        if text is not None:
            self.events.emit("sample", epoch=epoch + 1, text=text)

    def _fit_once(self, data: Any, epoch: int, callbacks: list[keras.callbacks.Callback]) -> dict[str, float]:
        x, y, weights = (*data, None)[:3] if isinstance(data, tuple) else (data, None, None)
        with warnings.catch_warnings():
            if self.settings["steps_per_epoch"] is None:  # the end of a generator is the end of the epoch
                warnings.filterwarnings("ignore", "Your input ran out of data", UserWarning)
            history = self.model.fit(
                x,
                y,
                sample_weight=weights,
                batch_size=self.settings["batch_size"],
                steps_per_epoch=self.settings["steps_per_epoch"],
                initial_epoch=epoch,
                epochs=epoch + 1,
                shuffle=False,  # the order is that of epoch_data
                verbose=0,
                callbacks=callbacks,
            )
        return {name: float(values[-1]) for name, values in history.history.items()}

    def _with_evaluation(self, logs: dict[str, float]) -> dict[str, float]:
        if self.evaluate is None:
            return logs
        more = {name: float(number) for name, number in self.evaluate().items()}
        if clash := sorted(logs.keys() & more.keys()):
            raise ValueError(f"evaluate() must not give metrics with names of training metrics: {clash}")
        return {**logs, **more}

    def _monitored(self, metrics: Mapping[str, float], epoch: int) -> float:
        monitor = self.settings["monitor"]
        if monitor not in metrics:
            raise InputError(f"No metric is called {monitor!r}", allowed=", ".join(metrics), received=monitor)
        value = metrics[monitor]
        if not math.isfinite(value):
            raise DivergedError(f"{monitor} is {value}", epoch=epoch, step=None, run_dir=self.folder)
        return value

    def _is_better(self, value: float) -> bool:
        best = self.state.best_value
        return best is None or (value < best if self.settings["mode"] == "min" else value > best)

    def _save(self, state: TrainingState) -> None:
        arrays = {f"model/{path}": array for path, array in variable_arrays(self.model.variables).items()}
        for index, array in enumerate(copy_values(_optimizer_variables(self.model))):
            arrays[f"optimizer/{index:04d}"] = array
        save_checkpoint(self.folder, state, self._finite(arrays, state.epoch))
        self.state = state
        self._write_metrics()

    def _finite(self, arrays: dict[str, np.ndarray], epoch: int | None = None) -> dict[str, np.ndarray]:
        """Refuse weights that are not finite: oneDNN can turn NaN weights into a loss that looks healthy."""
        bad = first_non_finite(arrays)
        if bad is not None:
            number = self.state.epoch + 1 if epoch is None else epoch
            raise DivergedError(
                f"the variable {bad} is not finite", epoch=number, step=None, run_dir=self.folder
            )
        return arrays

    def _expected_for(self, found: Mapping[str, ArraySpec]) -> dict[str, ArraySpec]:
        slots = sum(name.startswith("optimizer/") for name in found)
        optimizer = self.model.optimizer
        if optimizer is not None and slots > len(optimizer.variables) and not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        expected = {f"model/{path}": spec for path, spec in variable_specs(self.model.variables).items()}
        for index, variable in enumerate(_optimizer_variables(self.model)):
            dtype = keras.utils.standardize_dtype(variable.dtype)
            expected[f"optimizer/{index:04d}"] = ArraySpec(tuple(variable.shape), dtype)
        return expected

    def _write_metrics(self) -> None:
        """Write all lines anew: they always agree with the checkpoint, also after a kill or a fall-back."""
        lines = "".join(json.dumps(line, allow_nan=False) + "\n" for line in self.state.history)
        write_bytes(self.folder / METRICS_FILE, lines.encode())

    def _say(self, text: str) -> None:
        print(text, file=self.out, flush=True)


def _split(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    model = {name[6:]: array for name, array in arrays.items() if name.startswith("model/")}
    optimizer = {name: array for name, array in sorted(arrays.items()) if name.startswith("optimizer/")}
    return model, optimizer


def _optimizer_variables(model: keras.Model) -> list[Any]:
    return [] if model.optimizer is None else list(model.optimizer.variables)
