"""Notebooks and plain pages of the lessons: up to date, executed from an empty folder, and checked as Otter does."""

from __future__ import annotations

import doctest
import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbclient import NotebookClient

from apps.course.catalogue import EXERCISES
from apps.course.exercises import Exercise
from apps.course.lessons import lessons
from apps.course.notebooks import SEED, file_name, variable
from apps.course.pictures import MOST_BYTES, MOST_BYTES_TOGETHER, is_current, path_of
from benchmarks.course_notebooks import NOTEBOOKS, PAGES, out_of_date
from data_prep.errors import InputError
from lectern.course import check, exhibit, problem
from tests.test_house import ROOT

STEPS = [step for lesson in lessons().values() for step in lesson.steps.values()]
ALL = [one for part in EXERCISES.values() for one in part.values()]
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


def surroundings(patch: pytest.MonkeyPatch, empty: Path) -> None:
    patch.setenv("PYTHONPATH", str(ROOT))
    patch.setenv("LECTERN_DATA_DIR", str(empty))  # what is needed comes with the package


def client_in(folder: Path) -> NotebookClient:
    """Make a client that runs no cell yet."""
    nothing, place = nbformat.v4.new_notebook(), {"metadata": {"path": folder}}
    return NotebookClient(nothing, timeout=SECONDS, kernel_name="python3", resources=place)


def runs_whole(key: str, client: NotebookClient, folder: Path, **settings: bool) -> None:
    """Run every cell of a lesson's notebook in a folder, without what notebooks before have named."""
    client.nb = nbformat.read(NOTEBOOKS / file_name(key), as_version=4)
    nbformat.validate(client.nb)
    client.nb.cells.insert(0, nbformat.v4.new_code_cell(f"%reset -f\n%cd -q {folder}"))
    cells = [cell for cell in client.execute(**settings).cells if cell.cell_type == "code"]
    checks = [cell for cell in cells if "check(" in cell.source and "= ..." in cell.source]
    assert len(checks) == len(EXERCISES[key])
    assert all("no answer yet" in cell.outputs[0].data["text/plain"] for cell in checks)
    assert all(cell.outputs for cell in cells if "exhibit(" in cell.source or "print(" in cell.source)


@pytest.fixture(scope="module")
def one_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookClient]:
    """One kernel for all notebooks: most of its time goes into what it imports."""
    folder = tmp_path_factory.mktemp("kernel")
    client = client_in(folder)
    with pytest.MonkeyPatch.context() as patch:
        surroundings(patch, folder)
        client.execute(cleanup_kc=False)
    yield client
    client.nb = nbformat.v4.new_notebook()
    client.execute()


@pytest.mark.parametrize("key", lessons())
def test_a_notebook_runs_from_an_empty_folder(key: str, one_kernel: NotebookClient, tmp_path: Path) -> None:
    runs_whole(key, one_kernel, tmp_path, cleanup_kc=False)


@pytest.mark.slow
@pytest.mark.parametrize("key", lessons())
def test_a_notebook_runs_in_a_kernel_of_its_own(key: str, tmp_path: Path, monkeypatch) -> None:
    surroundings(monkeypatch, tmp_path)
    runs_whole(key, client_in(tmp_path), tmp_path)


def carried_tests(key: str) -> dict[str, dict]:
    """The tests that a notebook carries along."""
    found = json.loads((NOTEBOOKS / file_name(key)).read_text(encoding="utf-8"))["metadata"]["otter"]
    assert found["OK_FORMAT"] is True
    return found["tests"]


@pytest.mark.parametrize("key", lessons())
def test_a_notebook_has_a_test_for_every_exercise(key: str) -> None:
    assert set(carried_tests(key)) == set(map(variable, EXERCISES[key]))


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_tests_of_a_notebook_pass_right_answers_alone(one: Exercise, request: pytest.FixtureRequest) -> None:
    found, name = one.sheet(SEED), variable(one.key)
    if found.drawn.late:
        request.getfixturevalue("data_dir")
    (case,) = carried_tests(one.lesson)[name]["suites"][0]["cases"]
    for answer, failed in [(found.answer, 0), (..., 1), *[(wrong.answer, 1) for wrong in found.mistakes[:1]]]:
        example = doctest.DocTestParser().get_doctest(
            case["code"], {"check": check, name: answer}, name, None, None
        )
        assert doctest.DocTestRunner(verbose=False).run(example, out=lambda text: None).failed == failed


@pytest.mark.parametrize("key", lessons())
def test_a_plain_page_has_every_step_and_pictures_that_are_there(key: str) -> None:
    text = (PAGES / file_name(key, "md")).read_text(encoding="utf-8")
    assert text.count("\n## ") == len(lessons()[key].steps)
    for line in text.splitlines():
        if line.startswith("!["):
            assert (PAGES / line.partition("](")[2].rstrip(")")).is_file()


@pytest.mark.parametrize(
    "answer",
    [
        [2, 5, 12],
        (2, 5, 12),
        np.array([2.0, 5.0, 12.0]),
        np.array([[[2], [5], [12]]]),
        pd.Series([2, 5, 12]),
        "2 5 12",
    ],
)
def test_answers_of_python_are_taken_as_they_would_be_typed(answer: object) -> None:
    assert problem("tensors/rows", seed=SEED).answer == "2 5 12"
    assert check("tensors/rows", answer, seed=SEED).right


def test_shapes_words_and_single_numbers_are_taken_too() -> None:
    assert check("tensors/what-remains", (3, 2, 7), seed=SEED).right
    right = problem("tasks/viterbi", seed=SEED).answer
    assert check("tasks/viterbi", right.split(), seed=SEED).right
    count = int(problem("tensors/count-products").answer)
    for answer in (count, np.array([count]), np.float32(count), pd.Series([count])):
        assert check("tensors/count-products", answer, seed=np.int64(0)).right
    assert check("tensors/what-remains", np.array((3, 2, 7)), seed=SEED).right


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: check("tensors/nothing", 1), "There is no such exercise"),
        (lambda: check("tensors/rows", [1, 2]), "The answer has 2 numbers"),
        (lambda: check("tensors/rows", [[1, 2], [3]]), "The answer is no array of numbers"),
        (lambda: check("tensors/rows", [..., 1, 2]), "The answer is no array of numbers"),
        (lambda: check("tensors/rows", np.zeros((2, 3, 2))), "The answer has 3 modes"),
        (lambda: exhibit("tensors/nothing"), "There is no such step"),
    ],
)
def test_what_cannot_be_read_is_told(call, said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()
