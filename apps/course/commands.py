"""``python -m apps course``: the exercises of the course and the grades of a class, on the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from apps.course.assignments import grade_folder
from apps.course.catalogue import EXERCISES, exercise
from apps.course.printing import lesson_html, sheet_html, write_print
from apps.shared.commands import (
    EXIT_INPUT_ERROR,
    JsonOption,
    group,
    print_error,
    print_json,
    print_table,
    verb,
)
from data_prep.errors import InputError
from data_prep.files import write_bytes

app = group()
SeedOption = Annotated[int, typer.Option(metavar="NUMBER", help="Draws the numbers.")]


@app.command("list")
@verb
def list_exercises(as_json: JsonOption = False) -> None:
    """List the exercises with the kind of their answers and their topics; with --json one object an exercise."""
    rows = []
    for one in (one for lesson in EXERCISES.values() for one in lesson.values()):
        if as_json:
            print_json({"exercise": one.name, "answer": one.kind, "topics": list(one.topics)})
        rows.append((one.name, one.kind, ", ".join(one.topics)))
    if not as_json:
        print_table(("exercise", "answer", "topics"), rows)


@app.command()
@verb
def check(
    name: Annotated[str, typer.Argument(metavar="EXERCISE", help="Its name, as `course list` shows it.")],
    answer: Annotated[str, typer.Option(metavar="TEXT", help="The answer, as it would be typed.")],
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Check an answer to an exercise, and say which typical mistake it is."""
    verdict = exercise(name).sheet(seed).check(answer)
    if as_json:
        print_json({"right": verdict.right, "mistake": verdict.mistake, "said": verdict.said})
    else:
        columns = ("right", "mistake", "said")
        print_table(columns, [("yes" if verdict.right else "no", verdict.mistake or "-", verdict.said)])


@app.command()
@verb
def grade(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Holds the answers' files of a class.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV to write; else it is printed.")
    ] = None,
    assignment: Annotated[
        str | None, typer.Option(metavar="CODE", help="What was assigned; else what most files answer.")
    ] = None,
) -> None:
    """Check the answers of a class anew and write their points as CSV, a row a file; 2 where one cannot be graded."""
    grades = grade_folder(folder, assignment)
    if out is None:
        print(grades.to_csv(), end="")
    else:
        mark = "utf-8-sig"  # by which spreadsheets know UTF-8
        write_bytes(out, grades.to_csv().encode(mark, "backslashreplace"))
    if grades.problems:
        sys.stdout.flush()
        for problem in grades.problems:
            print_error(problem)
        raise typer.Exit(EXIT_INPUT_ERROR)


@app.command("print")
@verb
def print_(
    lesson: Annotated[str, typer.Argument(metavar="LESSON", help="Key of the lesson, such as tensors.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="What is written, by its end HTML or PDF.")],
    exercises: Annotated[bool, typer.Option("--exercises", help="A sheet of its exercises.")] = False,
    seed: SeedOption = 0,
    solutions: Annotated[bool, typer.Option("--solutions", help="The sheet with its solutions.")] = False,
    grey: Annotated[bool, typer.Option("--grey", help="For a printer without colour.")] = False,
) -> None:
    """Write a lesson, or a sheet of its exercises, as a file for the printer."""
    if exercises:
        html = sheet_html(lesson, seed=seed, solutions=solutions, grey=grey)
    elif solutions or seed:
        raise InputError(
            "Only a sheet of exercises has a seed and solutions", allowed="--exercises beside them"
        )
    else:
        html = lesson_html(lesson, grey=grey)
    write_print(html, out)
