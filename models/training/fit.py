"""The one fit wrapper: resumable to the bit, best weights kept, metrics of every epoch written down.

A run folder holds ``recipe.json`` (written first), ``state-NNNN.npz`` and ``.json`` (the last two
checkpoints: every variable of model and optimizer, seed generators included), ``best-NNNN.npz`` (the best
weights) and ``metrics.jsonl``. Keras' own ``BackupAndRestore`` forgets the state of dropout and writes in
place, so it is not used here.
"""

from __future__ import annotations

import contextlib
import json
import math
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

import keras
import numpy as np

from data_prep.batching import as_dataset, prefetched
from data_prep.errors import InputError
from models.storage.arrays import ArraySpec, first_non_finite, read_arrays
from models.storage.atomic import write_bytes, writing_to
from models.storage.variables import assign_arrays, copy_values, variable_arrays, variable_specs
from models.training.averaging import averaged_weights, averaging_optimizer, without_final_average
from models.training.checkpoint import (
    TrainingState,
    check_record,
    load_checkpoint,
    save_checkpoint,
    write_best,
)
from models.training.progress import DivergedError, ProgressBar, StepGuard
from models.training.recipe import to_dict
from models.training.run_folder import begin_run, locked

METRICS_FILE = "metrics.jsonl"


@dataclass(frozen=True)
class FitResult:
    """What a finished run leaves.

    Args:
        epochs: Finished epochs.
        history: One mapping for each epoch: number from 1, steps, seconds, metrics.
        best_epoch: Epoch (from 1) of the weights that the model now holds; None without ``keep_best``.
        best_value: The monitored value of that epoch.
        seconds: Time of all epochs, those before a resume included.
        stopped_early: True when patience ran out.
        notices: What was said about damaged checkpoints or other versions.
    """

    epochs: int
    history: tuple[dict[str, Any], ...]
    best_epoch: int | None
    best_value: float | None
    seconds: float
    stopped_early: bool
    notices: tuple[str, ...] = ()


def epoch_rng(seed: int, epoch: int) -> np.random.Generator:
    """Return the generator of one epoch: the same after a resume as in an undisturbed run."""
    return np.random.default_rng([seed, epoch])


def training_data(make_batches: Callable[[], Iterable[Any]], *, fixed_shapes: bool = False) -> Any:
    """Return an epoch's batches in the form that the backend reads fastest, prepared ahead.

    Args:
        make_batches: Gives the batches afresh, as ``data_prep.batching.as_dataset`` takes them.
        fixed_shapes: Whether all batches have the shape of the first.

    Returns:
        What ``Model.fit`` takes as ``x``.
    """
    if keras.backend.backend() == "tensorflow":
        return as_dataset(make_batches, fixed_shapes=fixed_shapes)
    return prefetched(make_batches())


def fit(
    model: keras.Model,
    epoch_data: Callable[[int], Any],
    *,
    epochs: int,
    run_dir: str | Path,
    seed: int,
    recipe: Any,
    resume: bool = False,
    evaluate: Callable[[], Mapping[str, float]] | None = None,
    monitor: str = "loss",
    mode: Literal["min", "max"] = "min",
    keep_best: bool = True,
    patience: int | None = None,
    steps_per_epoch: int | None = None,
    batch_size: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: bool = True,
    stream: TextIO | None = None,
) -> FitResult:
    """Train a compiled model; after a kill the same call with ``resume=True`` ends at the same bits.

    The same bits need one machine, one number of cores, and randomness that comes from ``epoch_rng``, from
    seed generators of the model (dropout has one) or from the global seeds, which are set anew for every
    epoch.

    Args:
        model: Built and compiled; a custom ``train_step`` is fine. With an optimizer that averages weights
            (``use_ema``) the averages are evaluated and kept, while training goes on with the plain weights.
        epoch_data: Receives the epoch (from 0) and returns its data in their final order: anything
            ``Model.fit`` takes as ``x``, or a tuple ``(x, y)`` or ``(x, y, sample_weight)`` of arrays, with
            ``batch_size``.
        epochs: Number of epochs, at least 1.
        run_dir: Folder of the run; made when absent.
        seed: From 0 to 2**32 - 1.
        recipe: Dataclass or mapping of everything that decides the result; printed and saved first.
        resume: Go on with the run in ``run_dir``; where nothing was begun, begin.
        evaluate: Called after every epoch; its metrics must not have names of training metrics.
        monitor: Metric that decides which weights are best.
        mode: "min" or "max".
        keep_best: Keep the best weights, and load them into the model at the end.
        patience: Stop after this many epochs without a better value; None to go on.
        steps_per_epoch: Needed only for data without an end.
        batch_size: For arrays.
        callbacks: Keras callbacks without a state of their own: ``on_train_begin`` comes with every epoch.
        progress: Draw a progress bar.
        stream: Where recipe and progress go; standard error when None.

    Returns:
        History and best epoch. The model holds the best weights, or with ``keep_best=False`` the last ones.

    Raises:
        InputError: When the folder holds a run and ``resume`` is False, the recipe differs from that of the
            run, no checkpoint is whole, the folder cannot be written, the data are empty, or ``monitor`` is
            unknown.
        DivergedError: When loss, monitored value or a weight is NaN or infinite; the last checkpoint stays.
        ValueError: When the model is not built or not compiled, or an argument is out of its range.
    """
    if not (model.built and model.compiled):
        raise ValueError("The model must be built and compiled before fit.")
    if epochs < 1 or mode not in ("min", "max") or (patience is not None and patience < 1):
        raise ValueError(f"Bad epochs, mode or patience. Received: {epochs!r}, {mode!r}, {patience!r}")
    settings = {
        "epochs": epochs,
        "seed": seed,
        "monitor": monitor,
        "mode": mode,
        "keep_best": keep_best,
        "patience": patience,
        "steps_per_epoch": steps_per_epoch,
        "batch_size": batch_size,
        "backend": keras.backend.backend(),
    }
    folder = Path(run_dir)
    out = sys.stderr if stream is None else stream
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        notices = begin_run(folder, {"recipe": to_dict(recipe), "fit": settings}, resume, out)
        run = _Run(model, folder, settings, evaluate, list(callbacks), out, notices)
        run.restore_or_start()
        with _terminate_as_interrupt(), without_final_average(model):
            run.train(epoch_data, progress)
        return run.finish()


class _Run:
    """One call of :func:`fit`: the model, its folder and the state reached so far."""

    def __init__(
        self,
        model: keras.Model,
        folder: Path,
        settings: Mapping[str, Any],
        evaluate: Callable[[], Mapping[str, float]] | None,
        callbacks: list[keras.callbacks.Callback],
        out: TextIO,
        notices: list[str],
    ) -> None:
        self.model = model
        self.folder = folder
        self.settings = settings
        self.evaluate = evaluate
        self.callbacks = callbacks
        self.out = out
        self.notices = notices
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

    def train(self, epoch_data: Callable[[int], Any], progress: bool) -> None:
        """Run the epochs that are left."""
        epochs = self.settings["epochs"]
        history = self.state.history
        bar = ProgressBar(
            epochs=epochs,
            done=self.state.epoch,
            steps_done=sum(line["steps"] for line in history),
            steps_per_epoch=history[-1]["steps"] if history else self.settings["steps_per_epoch"],
            stream=self.out,
            disable=not progress or self.state.stopped,
        )
        try:
            while self.state.epoch < epochs and not self.state.stopped:
                self._one_epoch(epoch_data, bar)
        except KeyboardInterrupt:
            bar.close()
            self._say(
                f"Interrupted: {self.state.epoch} of {epochs} epochs are safe in {self.folder}; "
                "the same command with --resume goes on there"
            )
            raise
        finally:
            bar.close()

    def finish(self) -> FitResult:
        """Put the weights to be used into the model and sum up."""
        state = self.state
        if state.best_file is not None:
            path = check_record(self.folder, state.best_file)
            assign_arrays(self.model.weights, read_arrays(path, variable_specs(self.model.weights)))
        elif averaging_optimizer(self.model) is not None:
            averaging_optimizer(self.model).finalize_variable_values(self.model.trainable_variables)
        return FitResult(
            epochs=state.epoch,
            history=state.history,
            best_epoch=state.best_epoch if state.best_file else None,
            best_value=state.best_value if state.best_file else None,
            seconds=sum(line["seconds"] for line in state.history),
            stopped_early=state.stopped,
            notices=tuple(self.notices),
        )

    def _one_epoch(self, epoch_data: Callable[[int], Any], bar: ProgressBar) -> None:
        epoch = self.state.epoch
        started = time.perf_counter()
        keras.utils.set_random_seed(int(epoch_rng(self.settings["seed"], epoch).integers(2**31)))
        guard = StepGuard(epoch + 1, self.folder)
        data = epoch_data(epoch)
        try:
            logs = self._fit_once(data, epoch, [guard, bar, *self.callbacks])
        except (ValueError, StopIteration) as error:  # Keras looks at the first batch before it begins
            if guard.steps or not (isinstance(error, StopIteration) or "empty generator" in str(error)):
                raise
            logs = {}
        guard.check_epoch(logs)
        with averaged_weights(self.model):
            metrics = self._with_evaluation(logs)
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
        shown = "  ".join(f"{name} {number:.5g}" for name, number in metrics.items())
        bar.write(f"epoch {epoch + 1}/{self.settings['epochs']}  {shown}{'  (best)' if better else ''}")

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


@contextlib.contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does (possible in the main thread only)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt(f"signal {number}")

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
