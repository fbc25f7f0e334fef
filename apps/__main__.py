"""The command line: ``python -m apps <application> <verb>``."""

from __future__ import annotations

import functools
import importlib
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer import completion as typer_completion
from typer.core import TyperGroup

from apps.service.commands import serve
from apps.shared.commands import JsonOption, group, number, print_json, print_report, print_table, verb
from apps.shared.leaderboard import leaderboard as filled_leaderboard
from apps.shared.leaderboard import main_measure
from lectern.export.commands import with_export
from models.lean_keras import import_keras_lean
from models.presets.search import find_presets

VERSION = "0.2.0"
PROGRAM = "lectern" if Path(sys.argv[0]).stem == "lectern" else "python -m apps"
ROOT = Path(__file__).resolve().parents[1]
_COMPLETE_VARIABLE = "_LECTERN_COMPLETE"

APPLICATIONS = {
    "vectors": "Word vectors: train, evaluate, ask, import and export.",
    "tagger": "Parts of speech: train, evaluate, tag text.",
    "writer": "A language model: train, evaluate, write, score texts, find copies.",
    "digits": "Handwritten digits: train, evaluate, classify images, look inside the network.",
    "ocr": "Handwritten words: train, evaluate, read images, letter by letter or in one piece.",
    "reviews": "Documents: train, evaluate, say whether a review is good, or what an article is about.",
    "batch": "Any number of documents: tag, classify, embed, score; on one machine or a cluster.",
    "lab": "The runs of the laboratory: list, show, remove.",
    "course": "The course: list the exercises, check an answer, grade a class.",
}
_FOLDERS = {"lab": "laboratory"}  # of those that are called otherwise


class Application(TyperGroup):
    """The verbs of an application, which is imported when one of them is asked for: importing all takes a second."""

    @property
    def commands(self) -> dict[str, Any]:
        """Name to verb."""
        return _verbs_of(self.name)

    @commands.setter
    def commands(self, none: dict[str, Any]) -> None:
        """Take no verbs from elsewhere."""


@functools.cache
def _verbs_of(name: str) -> dict[str, Any]:
    own = importlib.import_module(f"apps.{_FOLDERS.get(name, name)}.commands").app
    return typer.main.get_group(with_export(own, name)).commands


app = group("Lectern: convolutional and recurrent networks, and word vectors, ready to use.", PROGRAM)
for _name, _text in APPLICATIONS.items():
    app.add_typer(group(_text, _name), cls=Application)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"Lectern {VERSION}")
        raise typer.Exit


@app.callback()
def applications(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit."),
    ] = False,
) -> None:
    """Choose an application, then a verb; each has its own --help."""


@app.command()
@verb
def presets(
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Only those of this kind.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the presets in reach: shipped, in runs/, and in the folders that LECTERN_PRESETS names."""
    rows = []
    for preset in find_presets(kind):
        name, measure = main_measure(preset)
        score = measure.get("score")
        if as_json:
            own = {"name": preset.name, "kind": preset.kind, "where": preset.where, "path": str(preset.path)}
            print_json({**own, "measure": name, "score": score, "bytes": preset.size})
        shown = number(score, 2, " %" if measure.get("unit") == "%" else "")
        shown = f"{shown} {name.replace('_', ' ')}" if name else "-"
        rows.append((preset.name, preset.kind, shown, f"{preset.size / 2**20:.1f} MiB", preset.where))
    if not as_json:
        print_table(("name", "kind", "score", "size>", "where"), rows)


@app.command()
@verb
def leaderboard(as_json: JsonOption = False) -> None:
    """List the scores of the presets beside what others published and what was measured here."""
    report = filled_leaderboard()
    if as_json:
        for line in report.lines:
            print_json(line.row.values)
    else:
        print_report(report)


@app.command("app")
@verb
def page(port: Annotated[int, typer.Option(min=1, max=65_535, help="Port on this machine.")] = 8501) -> None:
    """Start the web page on this machine; Ctrl-C stops it."""
    print(f"Lectern: http://127.0.0.1:{port}   (stop with Ctrl-C)", flush=True)
    streamlit = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")]
    os.execv(sys.executable, [*streamlit, "--server.port", str(port)])


app.command()(verb(serve))


@app.command()
@verb
def completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="The shell that reads it.")],
) -> None:
    """Print a script that defines the command lectern, with completion by tab; a shell reads it by eval or source."""
    program = f"PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} -m apps"
    script = typer_completion.get_completion_script(
        prog_name="lectern", complete_var=_COMPLETE_VARIABLE, shell=shell
    )
    # The script asks the program for completions; a function of the shell cannot be run by env.
    asked = {"bash": "complete_bash $1", "zsh": "complete_zsh lectern", "fish": "-cp) lectern"}[shell]
    script = script.replace(asked, f"{asked.rsplit(' ', 1)[0]} {program}")
    define = (
        f"function lectern; env {program} $argv; end"
        if shell == "fish"
        else f'lectern() {{ {program} "$@"; }}'
    )
    print(f"{define}\n{script}")


def run() -> None:
    """Run the command line on ``sys.argv`` and exit."""
    import_keras_lean()
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows its escape, which JSON reads back as the character.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    typer_completion.completion_init()
    app(prog_name=PROGRAM, complete_var=_COMPLETE_VARIABLE)


if __name__ == "__main__":
    run()
