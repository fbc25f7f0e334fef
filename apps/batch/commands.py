"""``python -m apps batch``: any number of documents, on one machine or a cluster, by Ray Data."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from apps.shared.commands import (
    EXIT_INPUT_ERROR,
    JsonOption,
    PresetOption,
    group,
    print_error,
    print_result,
    progress_bar,
    verb,
)

app = group()

InputOption = Annotated[
    str,
    typer.Option(
        "--input", metavar="PATTERN", help="Files of JSON objects, one a line, plain or gzip; quote it."
    ),
]
ColumnOption = Annotated[str, typer.Option(help="Key of the text in each object.")]
OutputOption = Annotated[
    Path, typer.Option(metavar="FOLDER", help="Folder to write; the same command goes on in it.")
]
Form = Literal["jsonl", "parquet"]
_FORM = typer.Option("--format", help="What is written.")
WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, help="Processes with a model each; one for each core by --threads without it."),
]
ThreadsOption = Annotated[int, typer.Option(min=1, help="Threads of each worker.")]
PartOption = Annotated[
    int | None, typer.Option(min=1, help="Characters of a part, which one file of answers holds.")
]
AddressOption = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Ray cluster; this machine without it.")
]


def _add(use: str, about: str, forms: Any, usual: str) -> None:
    """Add a command: they differ in what they write."""

    def command(
        pattern: InputOption,
        column: ColumnOption,
        output: OutputOption,
        form: str = usual,
        preset: PresetOption = None,
        part: PartOption = None,
        workers: WorkersOption = None,
        threads: ThreadsOption = 1,
        address: AddressOption = None,
        as_json: JsonOption = False,
    ) -> None:
        _run(use, pattern, column, output, form, preset, part, workers, threads, address, as_json)

    command.__doc__ = about
    command.__annotations__["form"] = Annotated[forms, _FORM]
    app.command(use)(verb(command))


_add("tag", "Tag documents.", Literal["jsonl", "parquet", "conllu"], "jsonl")
_add("classify", "Say what documents are.", Form, "jsonl")
_add("embed", "Describe documents by the mean of the vectors of their words.", Form, "parquet")


@app.command()
@verb
def score(
    pattern: InputOption,
    column: ColumnOption,
    output: OutputOption,
    form: Annotated[Form, _FORM] = "jsonl",
    unknown: Annotated[
        Literal["refuse", "map"],
        typer.Option(help="Characters that the writer never saw: refuse them, or map them to unknown."),
    ] = "refuse",
    preset: PresetOption = None,
    part: PartOption = None,
    workers: WorkersOption = None,
    threads: ThreadsOption = 1,
    address: AddressOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how surprising documents are to the writer."""
    options = {"unknown": unknown}
    _run("score", pattern, column, output, form, preset, part, workers, threads, address, as_json, options)


def _run(
    use: str,
    pattern: str,
    column: str,
    output: Path,
    form: str,
    preset: str | None,
    part: int | None,
    workers: int | None,
    threads: int,
    address: str | None,
    as_json: bool,
    options: dict[str, Any] | None = None,
) -> None:
    # By their names: the command line starts without the applications.
    job, running, uses = (
        importlib.import_module(f"apps.batch.{name}") for name in ("job", "running", "uses")
    )
    asked = job.Job(use, pattern, column, form, part or uses.USES[use].characters, options or {}, preset)
    with progress_bar(use, "documents") as progress:
        found = running.run(
            asked, output, workers=workers, threads=threads, address=address, progress=progress
        )
    print_result(found, as_json)
    for name, why in found.damaged.items():
        print_error(f"{name}: {why}; what stands before is answered")
    if found.damaged:
        raise typer.Exit(EXIT_INPUT_ERROR)
