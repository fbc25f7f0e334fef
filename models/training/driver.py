"""The one way from a task to a preset: source, stages, score, preset; every model of Lectern is trained by it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from data_prep.errors import InputError
from data_prep.files import named, writing_to
from models.presets.card import KEPT
from models.presets.store import VERIFY_COMMAND, Preset, kept_networks, load_preset, save_preset
from models.training.checkpoint import TrainingState
from models.training.events import Listener, tensorboard_writer
from models.training.fit import fit
from models.training.processes import Place
from models.training.run_folder import begin_preset, refuse_existing, remove_run, run_folder_of
from models.training.task import Options, PresetContent, Run, Stages, Task
from models.training.teaching import teacher_of
from models.training.together import Alone, Together
from models.training.watching import Observed

_KEPT_AS_THEY_ARE = ("config", "weights", "golden", "card", "vocabulary", "labels", "dtype")


@dataclass(frozen=True)
class Trained:
    """What the stages of a task leave.

    Args:
        answers: What the task made of them, with the weights as a preset stores them.
        results: Name of a stage to its history.
    """

    answers: Any
    results: Mapping[str, TrainingState]

    @property
    def seconds(self) -> float:
        """Of all trainings together."""
        return sum(result.seconds for result in self.results.values())

    @property
    def epochs(self) -> int:
        """Of all trainings together."""
        return sum(result.epoch for result in self.results.values())

    @property
    def history(self) -> list[dict[str, Any]]:
        """The epochs of all trainings, with the name of the stage where there are several."""
        return [
            {"stage": name, **line} if name else dict(line)
            for name, result in self.results.items()
            for line in result.history
        ]


def fit_task(
    task: Task,
    out: str | Path,
    *,
    options: Options | None = None,
    recipe: str | None = None,
    overrides: Sequence[str] = (),
    resume: bool = False,
    start: str | Path | None = None,
    teacher: str | Path | None = None,
    tensorboard: str | Path | None = None,
    observed: Observed | None = None,
    place: Place | None = None,
) -> dict[str, Any]:
    """Train a task's model and write it as a preset; the run lives in ``OUT.run`` until the preset is written.

    Args:
        task: What to train.
        out: Folder of the preset to make.
        options: Values of the task's options, and ``sample``.
        recipe: Name of a recipe of the task; None for the one that goes with the data.
        overrides: ``key=value`` for its fields.
        resume: Go on with an interrupted run.
        start: Preset whose weights training starts from, where shapes allow.
        teacher: Preset whose answers are learned besides the labels, as ``teaching.preset`` of the recipe says too.
        tensorboard: Folder for TensorBoard's log.
        observed: Where a run that somebody looks at is, and what it may use.
        place: Of this process among several that train it; only the first one writes, scores and keeps.

    Returns:
        What was made: preset, epochs, seconds, scores and more; nothing in another process than the first.

    Raises:
        InputError: The data cannot be had or do not do, an override is wrong, ``out`` exists already or cannot be
            written, nothing of ``start`` fits, training diverges, or several processes do not find each other.
    """
    out, options = named(Path(out)), task.given("fit", options or {})
    taught = () if teacher is None else (f"teaching.preset={teacher}",)
    chosen = task.recipe(recipe, options, (*overrides, *taught))
    _refuse(task, chosen, out, resume, tensorboard)
    run = _run(task, chosen, out, resume, start, observed, place)
    source = _source(task, chosen, options, run)
    listeners = (tensorboard_writer(tensorboard),) if tensorboard and run.together.is_first else ()
    trained = train(task, chosen, source, run, listeners=listeners)
    run.together.leave()
    if not run.together.is_first:
        return {}
    made = {"preset": str(out), "epochs": trained.epochs, "seconds": round(trained.seconds)}
    if observed is not None and not observed.keep:
        return made
    metrics = task.score(chosen, source, trained.answers)
    content = task.content(chosen, source, trained.answers)
    begin_preset(run.folder, out)
    _save(task, out, chosen, source, run, trained, metrics, content)
    for name, second in content.second.items():
        _save(task, out.with_name(f"{out.name}_{name}"), chosen, source, run, trained, metrics, second)
    if observed is None:
        remove_run(run.folder)  # the preset holds its recipe and history
    scores = {name: round(m["score"], 4) for name, m in metrics.items() if m["score"] is not None}
    return {**made, **content.summary, **scores}


def _refuse(task: Task, recipe: Any, out: Path, resume: bool, tensorboard: str | Path | None) -> None:
    """Refuse what could not be written in the end, before anything is trained."""
    if not resume:
        for name in task.beside(recipe):
            refuse_existing(out.with_name(f"{out.name}_{name}"))
    if tensorboard:
        with writing_to(Path(tensorboard)):
            Path(tensorboard).mkdir(parents=True, exist_ok=True)


def _run(
    task: Task,
    recipe: Any,
    out: Path,
    resume: bool,
    start: str | Path | None,
    observed: Observed | None,
    place: Place | None,
) -> Run:
    """Say where a training runs, after all its processes have found each other."""
    own = None if observed is None else observed.folder
    folder = run_folder_of(out, resume, own) if place is None or place.is_first else place.folder / "run"
    begin = None if start is None else load_preset(start, kind=task.kind)
    together = Alone() if place is None else Together(place)
    run = Run(folder, resume, begin, teacher_of(recipe, task.kind), together=together)
    if observed is None:
        return run
    return replace(run, watch=observed.watch, limits=observed.limits)


def _source(task: Task, recipe: Any, options: Options, run: Run) -> Any:
    """Read the data of a run; where that fails, nothing is left of a run that was not begun before."""
    fresh = not run.folder.exists()
    try:
        with writing_to(run.folder):
            run.folder.mkdir(parents=True, exist_ok=True)
        return task.source(recipe, options, run)
    except InputError:
        if fresh:
            shutil.rmtree(run.folder, ignore_errors=True)
        raise


def train(task: Task, recipe: Any, source: Any, run: Run, *, listeners: Sequence[Listener] = ()) -> Trained:
    """Run the stages of a task in ``run.folder``, without scoring or keeping what they leave.

    Raises:
        InputError: As :func:`fit_task`.
    """
    if run.teacher is None:
        run = replace(run, teacher=teacher_of(recipe, task.kind))
    return run_stages(task.stages(recipe, source, run), run, listeners=listeners)


def run_stages(stages: Stages, run: Run, *, listeners: Sequence[Listener] = ()) -> Trained:
    """Run trainings one after the other; every listener is called with every event."""
    results: dict[str, TrainingState] = {}
    model = None
    while True:
        try:
            stage = stages.send(model)
        except StopIteration as end:
            return Trained(end.value, results)
        model, results[stage.name] = fit(stage, run, listeners)


def _save(
    task: Task,
    folder: Path,
    recipe: Any,
    source: Any,
    run: Run,
    trained: Trained,
    metrics: Mapping[str, Any],
    content: PresetContent,
) -> None:
    """Write a preset, verified by loading it in a fresh process."""
    last = list(trained.results.values())[-1]

    def write(target: Path, content: PresetContent, start: Preset | None, verify: bool) -> None:
        save_preset(
            target,
            kind=content.kind or task.kind,
            metrics=metrics if content.metrics is None else content.metrics,
            metadata={
                "recipe": recipe,
                "seed": recipe.seed,
                "data": dict(source.checksums),
                "seconds": trained.seconds,
                "history": trained.history,
                **({} if last.best_file is None else {"best_epoch": last.best_epoch}),
                **({} if start is None else {"from": str(start.path.name), KEPT: kept_networks(start)}),
                **({} if run.teacher is None else {"teacher": run.teacher.name}),
                **content.metadata,
            },
            verify_command=VERIFY_COMMAND if verify else None,
            parts={
                name: partial(write, content=part, start=start and start.parts.get(name), verify=False)
                for name, part in content.parts.items()
            },
            **{name: getattr(content, name) for name in _KEPT_AS_THEY_ARE},
        )

    write(folder, content, run.start, verify=True)
    if content.beside is not None:
        content.beside(folder)
