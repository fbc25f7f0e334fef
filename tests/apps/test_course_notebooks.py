"""Notebooks and plain pages of the lessons: up to date, executed from an empty folder, and checked as Otter does."""

from __future__ import annotations

import doctest
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from apps.course.catalogue import EXERCISES
from apps.course.lessons import lessons
from apps.course.notebooks import SEED, file_name, variable
from apps.course.pictures import MOST_BYTES, MOST_BYTES_TOGETHER, is_current, path_of
from benchmarks.course_notebooks import NOTEBOOKS, PAGES, out_of_date
from data_prep.errors import InputError
from lectern.course import check, exhibit, problem
from tests.test_house import ROOT

STEPS = [step for lesson in lessons().values() for step in lesson.steps.values()]
SECONDS = 120  # before a cell is given up


def test_notebooks_and_pages_are_up_to_date() -> None:
    assert not out_of_date(), "run python -m benchmarks.course_notebooks"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_the_picture_of_a_step_is_up_to_date_and_says_what_it_shows(step) -> None:
    assert is_current(step), "run python -m benchmarks.course_pictures"
    text = path_of(step).read_text(encoding="utf-8")
    assert len(text.encode()) <= MOST_BYTES
    assert "<title>" in text and len(text.partition("<desc>")[2].partition("</desc>")[0]) > 20
    assert not exhibit(step.name)._repr_svg_().count("<script")


def test_pictures_are_small_together_and_none_is_left_over() -> None:
    there = set(path_of(STEPS[0]).parent.glob("*.svg"))
    assert there == set(map(path_of, STEPS))
    assert sum(path.stat().st_size for path in there) <= MOST_BYTES_TOGETHER


@pytest.mark.parametrize("key", lessons())
def test_a_notebook_runs_from_an_empty_folder(key: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("LECTERN_DATA_DIR", str(tmp_path))  # what is needed comes with the package
    book = nbformat.read(NOTEBOOKS / file_name(key), as_version=4)
    nbformat.validate(book)
    done = NotebookClient(
        book, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    cells = [cell for cell in done.cells if cell.cell_type == "code"]
    checks = [cell for cell in cells if "check(" in cell.source and "= ..." in cell.source]
    assert len(checks) == len(EXERCISES[key])
    assert all("no answer yet" in cell.outputs[0].data["text/plain"] for cell in checks)
    assert all(cell.outputs for cell in cells if "exhibit(" in cell.source or "print(" in cell.source)


@pytest.mark.parametrize("key", lessons())
def test_tests_of_a_notebook_pass_right_answers_alone(key: str) -> None:
    book = json.loads((NOTEBOOKS / file_name(key)).read_text(encoding="utf-8"))
    tests = book["metadata"]["otter"]["tests"]
    assert book["metadata"]["otter"]["OK_FORMAT"] is True
    assert set(tests) == set(map(variable, EXERCISES[key]))
    for name, exercise in EXERCISES[key].items():
        found = exercise.sheet(SEED)
        for answer, failed in [(found.answer, 0), (..., 1), *[(one.answer, 1) for one in found.mistakes[:1]]]:
            (case,) = tests[variable(name)]["suites"][0]["cases"]
            example = doctest.DocTestParser().get_doctest(
                case["code"], {"check": check, variable(name): answer}, name, None, None
            )
            assert doctest.DocTestRunner(verbose=False).run(example, out=lambda text: None).failed == failed


@pytest.mark.parametrize("key", lessons())
def test_a_plain_page_has_every_step_and_pictures_that_are_there(key: str) -> None:
    text = (PAGES / file_name(key, "md")).read_text(encoding="utf-8")
    assert text.count("\n## ") == len(lessons()[key].steps)
    for line in text.splitlines():
        if line.startswith("!["):
            assert (PAGES / line.partition("](")[2].rstrip(")")).is_file()


@pytest.mark.parametrize("answer", [[2, 5, 12], (2, 5, 12), np.array([2.0, 5.0, 12.0]), "2 5 12"])
def test_answers_of_python_are_taken_as_they_would_be_typed(answer: object) -> None:
    assert problem("tensors/rows", seed=SEED).answer == "2 5 12"
    assert check("tensors/rows", answer, seed=SEED).right


def test_shapes_words_and_single_numbers_are_taken_too() -> None:
    assert check("tensors/what-remains", (3, 2, 7), seed=SEED).right
    right = problem("tasks/viterbi", seed=SEED).answer
    assert check("tasks/viterbi", right.split(), seed=SEED).right
    assert check("tensors/count-products", int(problem("tensors/count-products").answer)).right


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: check("tensors/nothing", 1), "There is no such exercise"),
        (lambda: check("tensors/rows", [1, 2]), "The answer has 2 numbers"),
        (lambda: exhibit("tensors/nothing"), "There is no such step"),
    ],
)
def test_what_cannot_be_read_is_told(call, said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()
