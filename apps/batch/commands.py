"""``python -m apps batch``: any number of documents, on one machine or a cluster, by Ray Data."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from apps.shared.commands import (
    EXIT_INPUT_ERROR,
    NEEDED,
    JsonOption,
    PresetOption,
    add_verb,
    group,
    print_error,
    print_result,
    progress_bar,
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


UnknownOption = Annotated[
    Literal["refuse", "map"],
    typer.Option(help="Characters that the writer never saw: refuse them, or map them to unknown."),
]


def _add(use: str, about: str, forms: Any, usual: str, **options: Any) -> None:
    """Add a command: they differ in what they write, and in options of their own, all with ``refuse`` as default."""

    def command(
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
        **own: str,
    ) -> None:
        # By their names: the command line starts without the applications.
        job, running, uses = (
            importlib.import_module(f"apps.batch.{name}") for name in ("job", "running", "uses")
        )
        asked = job.Job(use, pattern, column, form, part or uses.USES[use].characters, own, preset)
        with progress_bar(use, "documents") as progress:
            found = running.run(
                asked, output, workers=workers, threads=threads, address=address, progress=progress
            )
        print_result(found, as_json)
        for name, why in found.damaged.items():
            print_error(f"{name}: {why}; what stands before is answered")
        if found.damaged:
            raise typer.Exit(EXIT_INPUT_ERROR)

    parameters = {
        "pattern": InputOption,
        "column": ColumnOption,
        "output": OutputOption,
        "form": Annotated[forms, _FORM],
        **options,
        "preset": PresetOption,
        "part": PartOption,
        "workers": WorkersOption,
        "threads": ThreadsOption,
        "address": AddressOption,
        "as_json": JsonOption,
    }
    needed = dict.fromkeys(("pattern", "column", "output"), NEEDED)
    defaults = {"form": usual, "threads": 1, **dict.fromkeys(options, "refuse")}
    add_verb(app, command, use, about, parameters, **needed, **defaults)


_add("tag", "Tag documents.", Literal["jsonl", "parquet", "conllu"], "jsonl")
_add("classify", "Say what documents are.", Form, "jsonl")
_add("embed", "Describe documents by the mean of the vectors of their words.", Form, "parquet")
_add("score", "Say how surprising documents are to the writer.", Form, "jsonl", unknown=UnknownOption)
