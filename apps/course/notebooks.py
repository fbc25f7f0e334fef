"""The lessons as notebooks and as plain pages, made from the same source as the page of the course.

A notebook computes what the exhibits show, and has the exercises as cells with a check. The tests of the exercises lie
in the notebook's metadata in the form in which Otter-Grader keeps them (``"otter"``): a teacher can grade with it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

from apps.course.catalogue import EXERCISES
from apps.course.lessons import Lesson, Step, lessons
from apps.course.notebook_code import computed, keras_lines, opened, trained_keras
from apps.course.pictures import path_of
from data_prep.errors import InputError

SEED = 42  # of the exercises; another one in the cell gives others
_HEAD = "from lectern.course import check, exhibit, problem"
_INTRODUCTION = """{about}

Run the cells from top to bottom; they need the package *lectern* and nothing else. On the page of the course
(`/course?lesson={key}`) every input can be changed."""
_EXERCISES = """## Exercises

Put your answer in place of the three dots: a number, a list, or a text. `problem(NAME, seed=SEED).hints` has three
hints and `.solution` the way. Another seed draws other numbers."""


def file_name(key: str, kind: str = "ipynb") -> str:
    """Name of a lesson's file, such as ``01-tensors.ipynb``."""
    return f"{list(lessons()).index(key) + 1:02}-{key}.{kind}"


def notebook(key: str) -> str:
    """Write a lesson as a notebook, in the fourth format of Jupyter; the same lesson always gives the same text."""
    lesson = lessons()[key]
    cells = [_words(_title(lesson)), _code(_HEAD), *_steps(lesson), _words(_EXERCISES), *_exercises(key)]
    for at, cell in enumerate(cells):
        cell["id"] = f"{zlib.crc32((str(at) + cell['source']).encode()):08x}"
    content = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "otter": {"OK_FORMAT": True, "tests": {variable(one): _test(key, one) for one in EXERCISES[key]}},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def page(key: str) -> str:
    """Write a lesson as a plain page in Markdown, with the pictures of its exhibits."""
    lesson = lessons()[key]
    parts = [f"<!-- Made by python -m benchmarks.course_notebooks -->\n{_title(lesson)}"]
    for at, step in enumerate(lesson.steps.values(), start=1):
        parts += [
            f"## {at}. {step.title}",
            step.text,
            f"**Predict.** {step.question.text}",
            _options(step),
            f"![{step.title}](../../apps/course/pictures/{path_of(step).name})",
            f"It shows **{step.question.answer}**. {step.reveal}",
        ]
    parts.append(
        f"The same with code and exercises: [the notebook](../notebooks/{file_name(key)}). Printed: "
        f"`python -m apps course print {key} --out {key}.pdf`."
    )
    return "\n\n".join(filter(None, parts)) + "\n"


def variable(exercise: str) -> str:
    """Name of the variable that holds the answer to an exercise of a lesson, by its key."""
    return exercise.replace("-", "_")


def _title(lesson: Lesson) -> str:
    number = list(lessons()).index(lesson.key) + 1
    return f"# {number}. {lesson.title}\n\n{_INTRODUCTION.format(about=lesson.about, key=lesson.key)}"


def _steps(lesson: Lesson) -> Iterator[dict[str, Any]]:
    open_pages: set[str] = set()
    seen: set[str] = set()  # lines that an earlier step has computed: its picture is shown instead
    for at, step in enumerate(lesson.steps.values(), start=1):
        asked = f"**Predict.** {step.question.text}"
        yield _words("\n\n".join(filter(None, [f"## {at}. {step.title}", step.text, asked, _options(step)])))
        lines, page_of = computed(step.exhibit), step.exhibit.page
        if lines and page_of not in open_pages and opened(page_of):
            yield _code(opened(page_of))
        yield _code(lines if lines and lines not in seen else f'exhibit("{step.name}")')
        if lines not in seen and (code := _keras(step)):
            yield _words("The same in Keras:")
            yield _code(code)
        if lines and page_of not in open_pages and trained_keras(page_of) and _is_first(lesson.key, page_of):
            yield _words("The trained network as Keras has it:")
            yield _code(trained_keras(page_of))
        open_pages |= {page_of} if lines else set()
        seen.add(lines)
        yield _words(f"It shows **{step.question.answer}**. {step.reveal}")


def _is_first(key: str, page_of: str) -> bool:
    """Whether no lesson before computes with what this page shows."""
    shown = (
        one.key for one in lessons().values() for step in one.steps.values()
        if step.exhibit.page == page_of and computed(step.exhibit)
    )  # fmt: skip
    return next(shown) == key


def _keras(step: Step) -> str:
    try:
        return keras_lines(step.exhibit)
    except InputError:  # what Keras has not
        return ""


def _options(step: Step) -> str:
    return "\n".join(f"- {one}" for one in getattr(step.question.kind, "texts", ()))


def _exercises(key: str) -> Iterator[dict[str, Any]]:
    for at, (name, exercise) in enumerate(EXERCISES[key].items(), start=1):
        found = exercise.sheet(SEED)
        yield _words(f"### {at}. {name}\n\n{found.text}\n\n*Answer: {found.asked}.*")
        yield _code(f"{variable(name)} = ...\n{_check(key, name)}")


def _check(key: str, name: str) -> str:
    return f'check("{key}/{name}", {variable(name)}, seed={SEED})'


def _test(key: str, name: str) -> dict[str, Any]:
    case = {"code": f">>> {_check(key, name)}.right\nTrue", "hidden": False, "locked": False}
    suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    return {"name": variable(name), "points": 1, "suites": [suite]}


def _words(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": text}
