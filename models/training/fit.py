"""One training: resumable to the bit, best weights kept, metrics of every epoch written down.

The folder of a stage holds ``recipe.json`` (written first), ``state-NNNN.npz`` and ``.json`` (the last two checkpoints:
every variable of model and optimizer, seed generators included), ``best-NNNN.npz`` (the best weights) and
``metrics.jsonl``. Keras' own ``BackupAndRestore`` forgets the state of dropout and writes in place, so it is not used.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import signal
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from data_prep.array_files import first_non_finite, read_arrays, specs_of
from data_prep.batching import as_dataset, as_tuples
from data_prep.errors import InputError
from data_prep.files import write_bytes, writing_to
from models.presets.store import Preset
from models.storage.folders import check_file
from models.storage.variables import assign_arrays, copy_values, fitting_arrays, stable_paths, variable_arrays
from models.training.averaging import averaged_weights, averaging_optimizer, without_final_average
from models.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint, write_best
from models.training.events import DivergedError, Events, Listener, ProgressBar, StepWatch
from models.training.losses import begin_losses
from models.training.recipe import to_dict
from models.training.run_folder import begin_run, locked
from models.training.task import Run, Stage
from models.training.watching import STOPPED, Control, Looks, steps_of_others

_DECIDING = ("epochs", "seed", "monitor", "mode", "keep", "steps")  # fields of a stage that a resume compares
_NAMED_WEIGHTS = 5  # that are listed where they do not fit


def fit(stage: Stage, run: Run, listeners: Sequence[Listener] = ()) -> tuple[keras.Model, TrainingState]:
    """Train one network; after a kill the same call with ``run.resume`` ends at the same bits.

    The same bits need one machine, one number of cores, and randomness that comes from seed and epoch, from seed
    generators of the network (dropout has one) or from those of Python and NumPy, which are set anew for every epoch.
    With an optimizer that averages weights (``use_ema``) the averages are evaluated and kept, while training goes on
    with the plain weights.

    Args:
        stage: What to train.
        run: Where; the stage has a sub-folder of its own.
        listeners: Called with every event, before the progress bar.

    Returns:
        The network with the weights to be used, and what was reached.

    Raises:
        InputError: The folder holds a run and ``run.resume`` is False, the recipe differs from that of the run, no
            checkpoint is whole, the folder cannot be written, there are no data, ``monitor`` is unknown, or nothing of
            ``run.start`` fits.
        DivergedError: Loss, monitored value or a weight is NaN or infinite; the last checkpoint stays.
        ValueError: The network is not built or not compiled.
    """
    keras.utils.set_random_seed(stage.seed)
    model, recipe, folder = stage.network(), to_dict(stage.recipe), run.folder / stage.name
    if not (model.built and model.compiled):
        raise ValueError("The model must be built and compiled before fit.")
    if keras.backend.backend() == "jax":
        model.jit_compile = True  # else Keras runs every operation by itself
    if run.start is not None and stage.start is not None:
        take_over(model, run.start, stage.start(run.start))
        recipe["start"] = str(run.start.path)
    if run.teacher is not None:
        run.teacher.change_loss(model)
        recipe["teacher"] = run.teacher.checksum
    begin_losses(model)
    decides = {name: getattr(stage, name) for name in _DECIDING}
    content = {"recipe": recipe, "fit": {**decides, "backend": keras.backend.backend()}}
    run.together.agree("recipe", content)
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        begin_run(folder, content, run.resume)
        events = Events(run.folder, stage.name, [*listeners, ProgressBar()])
        with contextlib.closing(events):
            training = _Training(model, stage, run, events)
            training.restore_or_start()
            with _terminate_as_interrupt(), without_final_average(model):
                training.train()
            training.finish()
    return model, training.state


class _Training:
    """One training as it goes: its network, its folder and the state reached so far."""

    def __init__(self, model: keras.Model, stage: Stage, run: Run, events: Events) -> None:
        self.model, self.stage, self.run, self.events = model, stage, run, events
        self.folder, self.state = run.folder / stage.name, TrainingState()
        self.looks = None
        if run.watch is not None:
            see = None if stage.see is None else lambda model: stage.see(model, run.watch)
            self.looks = Looks(run.folder, stage.name, see, steps_of_others(run.folder, stage.name))
        if model.optimizer is not None and not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)

    def restore_or_start(self) -> None:
        """Load the newest whole checkpoint, or write that of epoch 0 with the first weights."""
        state, arrays = self.run.together.from_first(self._checkpoint)
        if state is None:
            self._save(self.state)
            return
        self.state = TrainingState(**{**state, "history": tuple(state["history"])})
        for name, variable in self._variables().items():
            variable.assign(arrays[name])
        self._write_metrics()
        _say(f"Going on after epoch {self.state.epoch} of {self.stage.epochs}")

    def _checkpoint(self) -> tuple[dict[str, Any] | None, Mapping[str, np.ndarray]]:
        found = load_checkpoint(self.folder, specs_of(self._arrays()))
        return (None, {}) if found is None else (vars(found[0]), found[1])

    def train(self) -> None:
        """Run the epochs that are left."""
        epochs, history = self.stage.epochs, self.state.history
        self.events.emit(
            "begin",
            epochs=epochs,
            done=self.state.epoch,
            parameters=int(sum(np.prod(weight.shape) for weight in self.model.trainable_weights)),
            steps_done=sum(line["steps"] for line in history),
            seconds=self.state.seconds,
            steps=history[-1]["steps"] if history else self.stage.steps,
            examples=self.stage.examples,
            unit=self.stage.unit,
        )
        try:
            try:
                while self.state.epoch < epochs and not (self.folder / STOPPED).exists():
                    self._one_epoch(self.state.epoch + 1)
            finally:
                self.events.emit("end", epochs=self.state.epoch, seconds=self.state.seconds)
        except KeyboardInterrupt:
            _say(
                f"Interrupted: {self.state.epoch} of {epochs} epochs are safe in {self.folder}; "
                "the same command with --resume goes on there"
            )
            raise

    def finish(self) -> None:
        """Put the weights to be used into the model."""
        if self.state.best_file is not None:
            assign_arrays(self.model.weights, self.run.together.from_first(self._best)[1])
        elif (optimizer := averaging_optimizer(self.model)) is not None:
            optimizer.finalize_variable_values(self.model.trainable_variables)

    def _best(self) -> tuple[None, dict[str, np.ndarray]]:
        path = check_file(self.folder / self.state.best_file["name"], self.state.best_file)
        return None, read_arrays(path, specs_of(variable_arrays(self.model.weights)))

    def _one_epoch(self, number: int) -> None:
        """Train, evaluate and save the epoch of this number, from 1."""
        stage, state, run = self.stage, self.state, self.run
        seed = int(np.random.default_rng([stage.seed, number - 1]).integers(2**31))
        # Not keras.utils.set_random_seed: TensorFlow then forgets its compiled functions, about a second an epoch.
        random.seed(seed)
        np.random.seed(seed)
        before = sum(line["steps"] for line in state.history), state.seconds
        control, minutes = Control(run.folder, stage.name), run.limits.minutes
        limit = None if minutes is None else 60.0 * minutes
        watch = StepWatch(self.events, number, self.folder, before, control, self.looks, limit)
        logs = self._keras_epoch(number, watch)
        watch.check_loss(logs)
        if number == stage.epochs or watch.stopped:
            watch.look_at_the_end()
        with averaged_weights(self.model):
            metrics, value = self._measured(logs, number)
            text = None if stage.sample is None else stage.sample(self.model)
            better = state.best_value is None or (
                value < state.best_value if stage.mode == "min" else value > state.best_value
            )
            best_file = state.best_file
            if better and stage.keep == "best":
                arrays = self._finite(variable_arrays(self.model.weights), number)
                best_file = write_best(self.folder, number, arrays)
        seconds = watch.seconds - state.seconds
        line = {"epoch": number, "steps": watch.steps, "seconds": seconds, "best": better}
        line.update({name: one if math.isfinite(one) else None for name, one in metrics.items()})
        best = (number, value) if better else (state.best_epoch, state.best_value)
        if watch.stopped:
            write_bytes(self.folder / STOPPED, watch.stopped.encode())
        # Before it is safe: after a kill in between it comes twice, not never.
        self.events.emit("epoch", **line)
        if text is not None:
            self.events.emit("sample", epoch=number, text=text)
        self._save(TrainingState(number, (*state.history, line), *best, best_file))
        self._check_size()
        if watch.stopped:
            self.events.emit("stop", epoch=number, steps_done=before[0] + watch.steps, why=watch.stopped)

    def _check_size(self) -> None:
        """Refuse to go on where the run has grown too large; what is saved stays."""
        most, files = self.run.limits.mebibytes, self.run.folder.rglob("*")
        if most is not None and (size := sum(path.stat().st_size for path in files) / 2**20) > most:
            raise InputError(
                f"The run in {self.run.folder} has grown too large",
                allowed=f"{most:g} MiB",
                received=f"{size:.0f} MiB",
                remedy="Choose a smaller network, or a higher limit",
            )

    def _keras_epoch(self, number: int, watch: StepWatch) -> dict[str, float]:
        """Let Keras train one epoch; return its metrics."""
        stage = self.stage

        def batches() -> Iterable[Any]:
            return stage.epoch(number - 1)

        if keras.backend.backend() == "jax":
            padded = partial(map, stage.few_shapes) if stage.few_shapes else iter
            data = as_tuples(lambda: padded(batches()))
        else:
            data = as_dataset(batches, fixed_shapes=stage.fixed_shapes, prefetch=stage.prefetch)
        with warnings.catch_warnings(), self.run.together.spread(self.model):
            if stage.steps is None:  # the end of the batches is the end of the epoch
                warnings.filterwarnings("ignore", "Your input ran out of data", UserWarning)
            history = self.model.fit(
                data,
                steps_per_epoch=stage.steps,
                initial_epoch=number - 1,
                epochs=number,
                shuffle=False,  # the order is that of the stage
                verbose=0,
                callbacks=[watch, *stage.callbacks()],
            )
        return {name: float(values[-1]) for name, values in history.history.items()}

    def _measured(self, logs: dict[str, float], epoch: int) -> tuple[dict[str, float], float]:
        """Evaluate; return all metrics of the epoch, and the one that is monitored."""
        stage, more = self.stage, {}
        if stage.evaluate is not None:
            more = {name: float(number) for name, number in stage.evaluate(self.model).items()}
        if clash := sorted(logs.keys() & more.keys()):
            raise ValueError(f"evaluate() must not give metrics with names of training metrics: {clash}")
        metrics, monitor = {**logs, **more}, stage.monitor
        if monitor not in metrics:
            raise InputError(f"No metric is called {monitor!r}", allowed=", ".join(metrics), received=monitor)
        if not math.isfinite(metrics[monitor]):
            raise DivergedError(f"{monitor} is {metrics[monitor]}", self.folder, epoch)
        return metrics, metrics[monitor]

    def _variables(self) -> dict[str, Any]:
        """Return all variables of network and optimizer by names that are the same in every process."""
        model = self.model
        named = zip(stable_paths(model.variables), model.variables, strict=True)
        own = enumerate([] if model.optimizer is None else model.optimizer.variables)
        return {
            **{f"model/{path}": variable for path, variable in named},
            **{f"optimizer/{number:04d}": variable for number, variable in own},
        }

    def _arrays(self) -> dict[str, np.ndarray]:
        variables = self._variables()
        return dict(zip(variables, copy_values(variables.values()), strict=True))

    def _save(self, state: TrainingState) -> None:
        save_checkpoint(self.folder, state, self._finite(self._arrays(), state.epoch))
        self.state = state
        self._write_metrics()

    def _finite(self, arrays: dict[str, np.ndarray], epoch: int) -> dict[str, np.ndarray]:
        """Refuse weights that are not finite: oneDNN can turn NaN weights into a loss that looks healthy."""
        bad = first_non_finite(arrays)
        if bad is not None:
            raise DivergedError(f"the variable {bad} is not finite", self.folder, epoch)
        return arrays

    def _write_metrics(self) -> None:
        """Write all lines anew: they always agree with the checkpoint, also after a kill or a fall-back."""
        lines = "".join(json.dumps(line, allow_nan=False) + "\n" for line in self.state.history)
        write_bytes(self.folder / "metrics.jsonl", lines.encode())


def take_over(model: keras.Model, preset: Preset, arrays: Mapping[str, Any]) -> None:
    """Put a preset's weights into a network where name and shape agree, and say what could not be taken over.

    Raises:
        InputError: Nothing fits.
    """
    own = variable_arrays(model.weights)
    fitting = fitting_arrays(own, arrays)
    left = [name for name in own if name not in fitting]
    if not any(array.ndim > 1 for array in fitting.values()):  # biases alone are no network
        raise InputError(
            f"The preset {preset.path.name} has no weights that fit this network",
            allowed=_listed(own, list(own)),
            received=_listed(arrays, list(arrays)),
            remedy="Give the recipe or the sizes that made it, with --recipe or --set, or start without --from",
        )
    assign_arrays(model.weights, {**own, **fitting})
    print(f"From {preset.path.name}: {len(fitting)} of {len(own)} arrays taken over", file=sys.stderr)
    if left:
        print(f"Not taken over, started at random: {_listed(own, left)}", file=sys.stderr)


def _listed(arrays: Mapping[str, Any], names: Sequence[str]) -> str:
    shown = ", ".join(f"{name} {arrays[name].shape}" for name in names[:_NAMED_WEIGHTS])
    more = len(names) - _NAMED_WEIGHTS
    return shown + (f" and {more} more" if more > 0 else "")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does (possible in the main thread only)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
