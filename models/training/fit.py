"""The one fit wrapper: resumable to the bit, best weights kept, metrics of every epoch written down.

A run folder holds ``recipe.json`` (written first), ``state-NNNN.npz`` and ``.json`` (the last two
checkpoints: every variable of model and optimizer, seed generators included), ``best-NNNN.npz`` (the best
weights) and ``metrics.jsonl``. Keras' own ``BackupAndRestore`` forgets the state of dropout and writes in
place, so it is not used here.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

import keras

from data_prep.batching import as_dataset, prefetched
from data_prep.fields import Checked, Count, Natural
from data_prep.files import writing_to
from models.training.averaging import without_final_average
from models.training.checkpoint import TrainingState
from models.training.events import Events
from models.training.progress import ProgressBar
from models.training.recipe import to_dict
from models.training.run import Training
from models.training.run_folder import begin_run, locked


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


def training_data(
    make_batches: Callable[[], Iterable[Any]], *, fixed_shapes: bool = False, prefetch: int = 2
) -> Any:
    """Return an epoch's batches in the form that the backend reads fastest, prepared ahead.

    Args:
        make_batches: Gives the batches afresh, as ``data_prep.batching.as_dataset`` takes them.
        fixed_shapes: Whether all batches have the shape of the first.
        prefetch: Batches that are prepared ahead.

    Returns:
        What ``Model.fit`` takes as ``x``.
    """
    if keras.backend.backend() == "tensorflow":
        return as_dataset(make_batches, fixed_shapes=fixed_shapes, prefetch=prefetch)
    return prefetched(make_batches(), depth=prefetch)


@dataclass(frozen=True)
class FitSettings(Checked):
    """What decides a run besides its network, data and recipe; a resume compares it.

    Args:
        epochs: Number of epochs.
        seed: From 0 to 2**32 - 1.
        monitor: Metric that decides which weights are best.
        mode: Whether its smallest or largest value is.
        keep_best: Keep the best weights, and load them into the model at the end.
        patience: Stop after this many epochs without a better value; None to go on.
        steps_per_epoch: Needed only for data without an end.
        batch_size: For data that are arrays.
    """

    epochs: Count
    seed: Natural
    monitor: str = "loss"
    mode: Literal["min", "max"] = "min"
    keep_best: bool = True
    patience: Count | None = None
    steps_per_epoch: Count | None = None
    batch_size: Count | None = None


def fit(
    model: keras.Model,
    epoch_data: Callable[[int], Any],
    *,
    run_dir: str | Path,
    recipe: Any,
    resume: bool = False,
    evaluate: Callable[[], Mapping[str, float]] | None = None,
    sample: Callable[[], str] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    events: Callable[[Path], Events] = Events,
    progress: bool = True,
    stream: TextIO | None = None,
    **settings: Any,
) -> FitResult:
    """Train a compiled model; after a kill the same call with ``resume=True`` ends at the same bits.

    The same bits need one machine, one number of cores, and randomness that comes from ``run.epoch_rng``, from seed
    generators of the model (dropout has one) or from the global seeds, which are set anew for every epoch.

    Args:
        model: Built and compiled. With an optimizer that averages weights (``use_ema``) the averages are evaluated
            and kept, while training goes on with the plain weights.
        epoch_data: Receives the epoch (from 0) and returns its data in their final order: anything ``Model.fit``
            takes as ``x``, or a tuple ``(x, y)`` or ``(x, y, sample_weight)`` of arrays, with ``batch_size``.
        run_dir: Folder of the run; made when absent.
        recipe: Dataclass or mapping of everything that decides the result; printed and saved first.
        resume: Go on with the run in ``run_dir``; where nothing was begun, begin.
        evaluate: Called after every epoch; its metrics must not have names of training metrics.
        sample: Called after it; its text goes to the events, and above the progress bar.
        callbacks: Keras callbacks without a state of their own: ``on_train_begin`` comes with every epoch.
        events: Opens the events of the run in ``run_dir``.
        progress: Draw a progress bar.
        stream: Where recipe and progress go; standard error when None.
        settings: Fields of :class:`FitSettings`.

    Raises:
        InputError: The folder holds a run and ``resume`` is False, the recipe differs from that of the run, no
            checkpoint is whole, the folder cannot be written, the data are empty, or ``monitor`` is unknown.
        DivergedError: Loss, monitored value or a weight is NaN or infinite; the last checkpoint stays.
        ValueError: The model is not built or not compiled.
    """
    if not (model.built and model.compiled):
        raise ValueError("The model must be built and compiled before fit.")
    chosen = {**to_dict(FitSettings(**settings)), "backend": keras.backend.backend()}
    folder, out = Path(run_dir), sys.stderr if stream is None else stream
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        notices = begin_run(folder, {"recipe": to_dict(recipe), "fit": chosen}, resume, out)
        with contextlib.closing(events(folder)) as told:
            if progress:
                told.listen(ProgressBar(out))
            run = Training(model, folder, chosen, evaluate, sample, list(callbacks), out, notices, told)
            run.restore_or_start()
            with _terminate_as_interrupt(), without_final_average(model):
                run.train(epoch_data)
            run.finish()
    return _result(run.state, run.seconds, notices)


def _result(state: TrainingState, seconds: float, notices: list[str]) -> FitResult:
    return FitResult(
        epochs=state.epoch,
        history=state.history,
        best_epoch=state.best_epoch if state.best_file else None,
        best_value=state.best_value if state.best_file else None,
        seconds=seconds,
        stopped_early=state.stopped,
        notices=tuple(notices),
    )


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
