"""The one way from a task to a preset: source, stages, score, preset; every model of Lectern is trained by it."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras

from data_prep.array_files import specs_of
from data_prep.errors import InputError
from data_prep.files import writing_to
from models.presets.store import VERIFY_COMMAND, Preset, load_preset, save_preset
from models.storage.variables import assign_arrays, variable_arrays
from models.training.events import Events, Listener, tensorboard_writer
from models.training.fit import FitResult, fit, training_data
from models.training.recipe import to_dict
from models.training.run_folder import remove_run, run_folder_of
from models.training.task import Options, PresetContent, Run, Stage, StageResult, Task

_NAMED_WEIGHTS = 5  # that are listed where they do not fit


@dataclass(frozen=True)
class Trained:
    """What the stages of a task leave.

    Args:
        answers: What the task made of them, with the weights as a preset stores them.
        results: Name of a stage to its history.
    """

    answers: Any
    results: Mapping[str, FitResult]

    @property
    def seconds(self) -> float:
        """Of all trainings together."""
        return sum(result.seconds for result in self.results.values())

    @property
    def epochs(self) -> int:
        """Of all trainings together."""
        return sum(result.epochs for result in self.results.values())

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
    tensorboard: str | Path | None = None,
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
        tensorboard: Folder for TensorBoard's log.

    Returns:
        What was made: preset, epochs, seconds, scores and more.

    Raises:
        InputError: The data cannot be had or do not do, an override is wrong, ``out`` exists already or cannot be
            written, nothing of ``start`` fits, or training diverges.
    """
    out, options = Path(out), task.given("fit", options or {})
    chosen = task.recipe(recipe, options, overrides)
    run = Run(run_folder_of(out), resume, None if start is None else load_preset(start, kind=task.kind))
    fresh = not run.folder.exists()
    try:
        with writing_to(run.folder):
            run.folder.mkdir(parents=True, exist_ok=True)
        source = task.source(chosen, options, run)
    except InputError:
        if fresh:
            remove_run(run.folder)
        raise
    listeners = () if tensorboard is None else (tensorboard_writer(tensorboard),)
    trained = train(task, chosen, source, run, listeners=listeners)
    metrics = task.score(chosen, source, trained.answers)
    contents = task.content(chosen, source, trained.answers)
    for content in contents:
        folder = out.parent / (out.name + content.suffix)
        _save(task, folder, chosen, source, run, trained, metrics, content)
    remove_run(run.folder)
    scores = {name: round(m["score"], 4) for name, m in metrics.items() if m["score"] is not None}
    made = {"preset": str(out), "epochs": trained.epochs, "seconds": round(trained.seconds)}
    return {**made, **contents[0].summary, **scores}


def train(task: Task, recipe: Any, source: Any, run: Run, *, listeners: Sequence[Listener] = ()) -> Trained:
    """Run the stages of a task, without scoring or keeping what they leave.

    Args:
        task: What to train.
        recipe: As ``task.recipe`` gives it.
        source: As ``task.source`` gives it.
        run: Where.
        listeners: Called with every event of the training.

    Raises:
        InputError: As :func:`fit_task`.
    """
    return run_stages(task.stages(recipe, source, run), run, listeners=listeners)


def run_stages(
    stages: Generator[Stage, StageResult, Any], run: Run, *, listeners: Sequence[Listener] = ()
) -> Trained:
    """Run trainings one after the other; arguments as those of :func:`train`."""
    results: dict[str, FitResult] = {}
    done: StageResult | None = None
    while True:
        try:
            stage = stages.send(done)
        except StopIteration as end:
            return Trained(end.value, results)
        done = run_stage(stage, run, listeners)
        results[stage.name] = done.result


def run_stage(stage: Stage, run: Run, listeners: Sequence[Listener] = ()) -> StageResult:
    """Train one network in its folder of the run."""
    model, recipe = stage.network(), to_dict(stage.recipe)
    if run.start is not None and stage.start is not None:
        take_over(model, run.start, stage.start(run.start))
        recipe["start"] = str(run.start.path)
    result = fit(
        model,
        lambda epoch: training_data(
            lambda: stage.epoch(epoch), fixed_shapes=stage.fixed_shapes, prefetch=stage.prefetch
        ),
        epochs=stage.epochs,
        run_dir=run.folder / stage.name,
        seed=stage.seed,
        recipe=recipe,
        resume=run.resume,
        evaluate=None if stage.evaluate is None else lambda: stage.evaluate(model),
        sample=None if stage.sample is None else lambda: stage.sample(model),
        monitor=stage.monitor,
        mode=stage.mode,
        keep_best=stage.keep == "best",
        steps_per_epoch=stage.steps,
        callbacks=stage.callbacks(),
        events=lambda folder: Events(run.folder, stage.name, listeners),
    )
    return StageResult(model, result)


def take_over(model: keras.Model, preset: Preset, arrays: Mapping[str, Any]) -> None:
    """Put the weights of a preset into a network where name and shape agree, and say what could not be taken over.

    Args:
        model: The network, built.
        preset: Named in the messages.
        arrays: Of the preset, under the network's names.

    Raises:
        InputError: Nothing fits.
    """
    own = variable_arrays(model.weights)
    fitting = {name: a for name, a in arrays.items() if name in own and own[name].shape == a.shape}
    left = [name for name in own if name not in fitting]
    if not any(array.ndim > 1 for array in fitting.values()):  # biases alone are no network
        raise InputError(
            f"The preset {preset.path.name} has no weights that fit this network",
            allowed=_listed(own, list(own)),
            received=_listed(arrays, list(arrays)),
            remedy="Give the same sizes with --set, or start without --from",
        )
    assign_arrays(model.weights, {**own, **fitting})
    print(f"From {preset.path.name}: {len(fitting)} of {len(own)} arrays taken over", file=sys.stderr)
    if left:
        print(f"Not taken over, started at random: {_listed(own, left)}", file=sys.stderr)


def _listed(arrays: Mapping[str, Any], names: Sequence[str]) -> str:
    shapes = {name: spec.shape for name, spec in specs_of(arrays).items()}
    shown = ", ".join(f"{name} {shapes[name]}" for name in names[:_NAMED_WEIGHTS])
    more = len(names) - _NAMED_WEIGHTS
    return shown + (f" and {more} more" if more > 0 else "")


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

    def write(target: Path, content: PresetContent, verify: bool) -> None:
        save_preset(
            target,
            kind=content.kind or task.kind,
            config=content.config,
            weights=content.weights,
            golden=content.golden,
            metrics=metrics if content.metrics is None else content.metrics,
            metadata={
                "recipe": recipe,
                "seed": recipe.seed,
                "data": dict(source.checksums),
                "seconds": trained.seconds,
                "history": trained.history,
                **({} if last.best_epoch is None else {"best_epoch": last.best_epoch}),
                **({} if run.start is None else {"from": str(run.start.path.name)}),
                **content.metadata,
            },
            card=content.card,
            vocabulary=content.vocabulary,
            labels=content.labels,
            dtype=content.dtype,
            verify_command=VERIFY_COMMAND if verify else None,
            parts={name: partial(write, content=part, verify=False) for name, part in content.parts.items()},
        )

    write(folder, content, verify=True)
    if content.beside is not None:
        content.beside(folder)
