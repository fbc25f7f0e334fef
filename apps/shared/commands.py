"""What all verbs share: errors and exit codes, JSON, tables, progress; and ``fit`` and ``evaluate`` of a task."""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer

from apps.shared.results import Result
from apps.shared.tables import Report
from data_prep.errors import InputError
from data_prep.readers.text import STDIN
from models.training.processes import asked_places, entered, run_all
from models.training.task import Option, Task

EXIT_INPUT_ERROR = 2
NEEDED = inspect.Parameter.empty  # the default of a parameter that has to be given
EXIT_BROKEN_PIPE = 128 + 13  # what a shell reports for a process that SIGPIPE ended
_CONTROLS = {point: repr(chr(point))[1:-1] for point in (*range(32), *range(127, 160))}
_SECONDS_BETWEEN_LINES = 10.0  # of progress in a log file

Arguments = ParamSpec("Arguments")
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
OutFolder = Annotated[Path, typer.Option(metavar="FOLDER", help="Folder to write, new or empty.")]
PresetOption = Annotated[
    str | None,
    typer.Option(metavar="NAME_OR_FOLDER", help="Preset to use; the shipped one if none is named."),
]
TextsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[TEXT]...", help="Texts; standard input if neither they nor --file are given."),
]
FilesOption = Annotated[
    list[Path] | None,
    typer.Option("--file", metavar="FILE", help="Text, plain or gzip, in UTF-8; can be repeated."),
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; can be repeated.")
]
_START = typer.Option("--from", metavar="NAME_OR_FOLDER", help="Fine-tune: start from this preset's weights.")
_TEACHER = typer.Option(metavar="NAME_OR_FOLDER", help="Learn from this preset's answers too (distillation).")
_LOG = typer.Option(metavar="FOLDER", help="Write the log that TensorBoard shows.")
_SEVERAL = {
    "processes": Annotated[
        int | None, typer.Option(metavar="N", help="Train by so many processes of this machine, on JAX.")
    ],
    "coordinator": Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Train on several machines: where process 0 listens."),
    ],
    "process": Annotated[int | None, typer.Option(metavar="K", help="Number of this process, from 0.")],
    "of": Annotated[int | None, typer.Option(metavar="N", help="How many processes there are.")],
    "deadline": Annotated[
        float | None, typer.Option(metavar="SECONDS", help="In which processes have to find each other; 60.")
    ],
}
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted training in --out.")]


def group(help_text: str | None = None, name: str | None = None) -> typer.Typer:
    """Make an empty group of commands; ``apps.__main__`` has the names and help texts of applications."""
    return typer.Typer(
        name=name, help=help_text, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )


def verb(function: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Decorate a command: wrong input becomes a message and exit code 2, a closed pipe ends quietly."""

    @functools.wraps(function)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            function(*args, **kwargs)
            sys.stdout.flush()  # here, so that a closed pipe shows itself here
        except InputError as error:
            print_error(str(error))
            raise typer.Exit(EXIT_INPUT_ERROR) from None
        except BrokenPipeError:
            # The interpreter flushes once more at its end; give it somewhere to write.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(EXIT_BROKEN_PIPE) from None

    return guarded


def texts_or_files(texts: list[str] | None, files: list[Path] | None) -> Sequence[str | Path]:
    """Return what a command has to read: the texts, the files, or standard input where it was given neither."""
    if texts and files:
        raise InputError("A text and --file exclude each other", remedy="Give one of them")
    return texts or files or [STDIN]


def print_error(problem: str) -> None:
    """Print what is wrong, as one line."""
    print(f"Error: {without_controls(problem)}", file=sys.stderr)


def without_controls(text: str) -> str:
    """Write control characters as escapes: a text or the name of a file must not steer the terminal."""
    return text.translate(_CONTROLS)


def print_json(value: Any) -> None:
    """Print one JSON object on one line; NaN and infinity are refused."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None) -> None:
    """Print a table: drawn in a terminal, tab-separated with one header line into a pipe or file.

    Headers that end in ``>`` are right-aligned; the title is shown in a terminal only.
    """
    headers = [column.rstrip(">") for column in columns]
    if not sys.stdout.isatty():
        print("\t".join(headers))
        for row in rows:
            print("\t".join(map(without_controls, row)))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column, header in zip(columns, headers, strict=True):
        table.add_column(header, justify="right" if column.endswith(">") else "left")
    for row in rows:
        table.add_row(*map(without_controls, row))
    Console(markup=False, highlight=False).print(table)


def print_report(filled: Report) -> None:
    """Print a table and how it was measured."""
    header = [filled.table.header, *(f"{column.header}>" for column in filled.table.columns)]
    print_table(header, [(line.label, *line.cells) for line in filled.lines])
    if facts := filled.facts():
        print(facts)


def print_result(result: Result, as_json: bool) -> None:
    """Print a result as one JSON object or as its table; its notes go to standard error."""
    for note in result.notes():
        print(note, file=sys.stderr)
    if as_json:
        print_json(result.to_dict())
    else:
        print_table(result.table_columns, result.table_rows())


@contextmanager
def progress_bar(title: str, unit: str, **looks: Any) -> Iterator[Callable[..., None]]:
    """Show progress with the remaining time on stderr; ``looks`` are more, as tqdm takes it.

    Yields:
        A function to call with the number done, the number in all, and what is said behind them, if anything.
    """
    from tqdm import tqdm

    interval = 0.1 if sys.stderr.isatty() else _SECONDS_BETWEEN_LINES
    settings = {"file": sys.stderr, "mininterval": interval, "dynamic_ncols": True, **looks}
    with tqdm(desc=title, unit=f" {unit}", **settings) as bar:

        def update(done: int, total: int, said: str = "") -> None:
            bar.total = total
            bar.set_postfix_str(said, refresh=False)
            bar.update(done - bar.n)

        yield update


def number(value: float | None, digits: int = 4, unit: str = "") -> str:
    """Format a number with so many digits after the point and a unit behind it; "-" for None."""
    return "-" if value is None else f"{value:.{digits}f}{unit}"


def add_fit(app: typer.Typer, task: Task, help_text: str, name: str = "fit") -> None:
    """Add the command that trains a task's model to the group of an application; the help text is one sentence."""
    recipes = f"Settings to begin with: {', '.join(task.recipes)}; else what suits the data."
    taught = any(hasattr(recipe, "teaching") for recipe in task.recipes.values())
    of_all = {
        "recipe": Annotated[str | None, typer.Option(metavar="NAME", help=recipes)],
        "overrides": SetOption,
        "start": Annotated[str | None, _START],
        **({"teacher": Annotated[str | None, _TEACHER]} if taught else {}),
        "resume": ResumeOption,
        "tensorboard": Annotated[Path | None, _LOG],
        **_SEVERAL,
        "as_json": JsonOption,
    }

    def fit(out: Path, **values: Any) -> None:
        named = {name: values.get(name) for name in ("recipe", "resume", "start", "teacher", "tensorboard")}
        several = {name: values.pop(name) for name in _SEVERAL}
        with entered() as place:
            if place is None and (places := asked_places(**several)):
                _refuse_stdin(values.values())
                run_all(places)
                return
            from models.training.driver import fit_task

            given = {"options": values, "overrides": values["overrides"] or (), **named}
            summary = fit_task(task, out, place=place, **given)
            if values["as_json"] and summary:
                print_json(summary)
            elif summary:
                rows = [(key, str(value)) for key, value in summary.items()]
                print_table(("setting or result", "value"), rows)

    parameters = {"out": OutFolder, **_of_task(task, "fit"), **of_all}
    add_verb(app, fit, name, help_text, parameters, out=NEEDED)


def add_evaluate(app: typer.Typer, task: Task, help_text: str, name: str = "evaluate") -> None:
    """Add the command that scores a preset; arguments as those of :func:`add_fit`."""

    def evaluate(preset: str | None, as_json: bool, **values: Any) -> None:
        options = task.given("evaluate", values)
        result = task.evaluate(task.open(preset, options), options)
        print_result(result, as_json)

    last = {"preset": PresetOption, "as_json": JsonOption}
    add_verb(app, evaluate, name, help_text, {**_of_task(task, "evaluate"), **last})


def add_verb(
    app: typer.Typer,
    function: Callable[..., None],
    name: str,
    help_text: str,
    parameters: Mapping[str, Any],
    **defaults: Any,
) -> None:
    """Register a function under a signature that typer reads.

    Args:
        app: Group of the command.
        function: Takes the parameters by name.
        name: Of the command.
        help_text: One sentence.
        parameters: Annotations by name, in their order.
        **defaults: Of parameters that are not None, or False for flags; ``NEEDED`` for those that have to be given.
    """
    signature = []
    for key, annotation in parameters.items():
        default = defaults.get(key, False if annotation.__origin__ is bool else None)
        looks = {"default": default, "annotation": annotation}
        signature.append(inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, **looks))
    function.__doc__, function.__signature__ = help_text, inspect.Signature(signature)
    function.__annotations__ = dict(parameters)
    app.command(name)(verb(function))


def _refuse_stdin(values: Iterable[Any]) -> None:
    """Refuse what several processes cannot all read."""
    if any(STDIN in value if isinstance(value, list) else value == STDIN for value in values):
        raise InputError("Several processes cannot read standard input", remedy="Give a file instead of -")


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
