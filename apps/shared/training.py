"""The commands ``fit`` and ``evaluate`` of an application, made from its task."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from apps.shared.commands import (
    JsonOption,
    OutFolder,
    PresetOption,
    ResumeOption,
    SetOption,
    print_json,
    print_table,
    verb,
)
from models.training.task import Option, Task

_START = typer.Option("--from", metavar="NAME_OR_FOLDER", help="Fine-tune: start from this preset's weights.")
_LOG = typer.Option(metavar="FOLDER", help="Write the log that TensorBoard shows.")


def add_fit(app: typer.Typer, task: Task, help_text: str, name: str = "fit") -> None:
    """Add the command that trains a task's model.

    Args:
        app: Group of the application's commands.
        task: What is trained.
        help_text: One sentence.
        name: Of the command.
    """
    recipes = f"Settings to begin with: {', '.join(task.recipes)}; else what suits the data."
    of_all = {
        "recipe": Annotated[str | None, typer.Option(metavar="NAME", help=recipes)],
        "overrides": SetOption,
        "start": Annotated[str | None, _START],
        "resume": ResumeOption,
        "tensorboard": Annotated[Path | None, _LOG],
        "as_json": JsonOption,
    }

    def fit(out: Path, **values: Any) -> None:
        from models.training.driver import fit_task

        named = {name: values[name] for name in ("recipe", "resume", "start", "tensorboard")}
        summary = fit_task(task, out, options=values, overrides=values["overrides"] or (), **named)
        if values["as_json"]:
            print_json(summary)
        else:
            print_table(("setting or result", "value"), [(key, str(value)) for key, value in summary.items()])

    _add(app, fit, name, help_text, {"out": OutFolder, **_of_task(task, "fit"), **of_all})


def add_evaluate(app: typer.Typer, task: Task, help_text: str, name: str = "evaluate") -> None:
    """Add the command that scores a preset; arguments as those of :func:`add_fit`."""

    def evaluate(preset: str | None, as_json: bool, **values: Any) -> None:
        options = task.given("evaluate", values)
        result = task.evaluate(task.open(preset, options), options)
        for note in result.notes():
            print(note, file=sys.stderr)
        if as_json:
            print_json(result.to_dict())
        else:
            print_table(result.table_columns, result.table_rows())

    last = {"preset": PresetOption, "as_json": JsonOption}
    _add(app, evaluate, name, help_text, {**_of_task(task, "evaluate"), **last})


def _add(
    app: typer.Typer,
    function: Callable[..., None],
    name: str,
    help_text: str,
    parameters: Mapping[str, Any],
) -> None:
    """Register a function under a signature that typer reads."""
    signature = []
    for key, annotation in parameters.items():
        default = False if annotation.__origin__ is bool else None
        default = inspect.Parameter.empty if key == "out" else default
        signature.append(inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default))
    function.__doc__, function.__signature__ = help_text, inspect.Signature(signature)
    function.__annotations__ = dict(parameters)
    app.command(name)(verb(function))


def _of_task(task: Task, verb_name: str) -> dict[str, Any]:
    """Return the annotations of a task's options for one verb."""
    found = {option.name: _annotation(option) for option in task.options if verb_name in option.verbs}
    if verb_name == "fit" and task.sample_help is not None:
        text = f"Learn from {task.sample_help}: no data needed."
        found["sample"] = Annotated[bool, typer.Option("--sample", help=text)]
    return found


def _annotation(option: Option) -> Any:
    settings = typer.Option(option.flag, metavar=option.metavar, help=option.help)
    if option.type is bool:
        return Annotated[bool, settings]
    kind = list[option.type] if option.many else option.type
    return Annotated[kind | None, settings]
