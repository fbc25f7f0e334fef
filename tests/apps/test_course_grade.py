"""Homework: links that assign, the files that students hand in, and the grades of a class."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from apps.course.assignments import Answers, Assignment, assigned, grade, grade_folder
from apps.course.catalogue import EXERCISES, exercise
from apps.course.lessons import lessons
from data_prep.errors import InputError
from tests.apps.test_cli import run

SEED = 5
STEP = next(iter(lessons()["convolution"].steps)).partition("/")[2]
ASSIGNMENT = Assignment("convolution", SEED, (STEP,), ("layer", "parameters"))
SHEETS = {key: exercise(f"convolution/{key}").sheet(SEED) for key in ("layer", "parameters")}
RIGHT = {f"convolution/{key}": sheet.answer for key, sheet in SHEETS.items()}
MISTAKE = next(one for one in SHEETS["layer"].mistakes if one.name == "bias")


def hand_in(folder: Path, name: str, typed: Mapping[str, str], assignment: Assignment = ASSIGNMENT) -> Path:
    path = folder / f"{name}.json"
    path.write_bytes(Answers(assignment, name, typed).to_file())
    return path


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def changed(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_a_link_is_read_back() -> None:
    for lesson, steps, exercises in (
        ("convolution", (STEP,), ("layer", "parameters")),
        ("tensors", (), tuple(EXERCISES["tensors"])),
        ("tasks", tuple(name.partition("/")[2] for name in lessons()["tasks"].steps), ()),
    ):
        made = Assignment(lesson, 42, steps, exercises)
        assert Assignment.from_code(made.to_code()) == made
        assert len(made.to_code()) < 400
    assert assigned("convolution", 1, [], ["parameters", "layer"]).exercises == ("layer", "parameters")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("", "cannot be read"),
        ("2~convolution~5~~layer", "cannot be read"),
        ("1~convolution~-5~~layer", "cannot be read"),
        ("1~convolution~５~~layer", "cannot be read"),
        ("1~convolution~1e3~~layer", "cannot be read"),
        ("1~convolution~5~~layer~more", "cannot be read"),
        ("1~convolution~5~~" + ".".join(["layer"] * 1_000), "cannot be read"),
        ("1~nowhere~5~~layer", "no such lesson"),
        ("1~convolution~1000000~~layer", "seed is out of range"),
        ("1~convolution~5~~nothing", "no such exercise"),
        ("1~convolution~5~nothing~", "no such step"),
        ("1~convolution~5~~layer.layer", "assigned twice"),
        ("1~convolution~5~~", "Nothing is assigned"),
    ],
)
def test_links_that_are_refused(code: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        Assignment.from_code(code)


def test_answers_are_checked_anew() -> None:
    name = f"step convolution/{STEP}"
    question = lessons()["convolution"].step(STEP).question
    typed = RIGHT | {"convolution/layer": MISTAKE.answer, name: question.kind.written(question.right)}
    found = grade(ASSIGNMENT, typed)
    assert found.points == {name: 1, "convolution/layer": 0, "convolution/parameters": 1}
    assert found.mistakes == {"convolution/layer": "bias"}
    assert grade(ASSIGNMENT, {"convolution/layer": "  "}).points == {}
    unread = grade(ASSIGNMENT, {"convolution/layer": "1 2 nan 4", "convolution/parameters": "1" * 3_000})
    assert unread.points == {"convolution/layer": 0, "convolution/parameters": 0}
    assert all(mistake.startswith("cannot be read") for mistake in unread.mistakes.values())


def test_a_class_is_graded(tmp_path: Path) -> None:
    hand_in(tmp_path, "Ann", RIGHT)
    hand_in(tmp_path, "Böb", {"convolution/layer": MISTAKE.answer})
    hand_in(tmp_path, "=cmd()", {"convolution/layer": "9 9 9 9"})
    (tmp_path / ".hidden.json").write_text("{", encoding="utf-8")
    out = tmp_path / "grades.csv"
    done = run("course", "grade", str(tmp_path), "--out", str(out))
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    found = {row["name"]: row for row in rows(out.read_text(encoding="utf-8-sig"))}
    assert list(found) == ["'=cmd()", "Ann", "Böb"]
    assert list(found["Ann"])[2:5] == list(ASSIGNMENT.names)
    assert (found["Ann"]["total"], found["Ann"]["of"]) == ("2", "3")
    assert found["Böb"]["convolution/layer"] == "0" and found["Böb"]["convolution/parameters"] == ""
    assert found["Böb"]["mistakes"] == "convolution/layer: bias"
    assert found["'=cmd()"]["mistakes"] == "convolution/layer: not recognised"
    assert rows(run("course", "grade", str(tmp_path)).stdout) == rows(out.read_text(encoding="utf-8-sig"))


def test_names_that_are_not_utf_8_and_files_with_a_mark_are_graded(tmp_path: Path) -> None:
    hand_in(tmp_path, "Ann", RIGHT).rename(tmp_path / os.fsdecode(b"M\xfcller.json"))
    marked = hand_in(tmp_path, "Bob", RIGHT)
    marked.write_bytes(b"\xef\xbb\xbf" + marked.read_bytes())
    done = run("course", "grade", str(tmp_path), "--out", str(tmp_path / "grades.csv"))
    assert (done.exit_code, done.stderr) == (0, "")
    found = rows((tmp_path / "grades.csv").read_text(encoding="utf-8-sig"))
    assert {row["name"]: row["total"] for row in found} == {"Ann": "2", "Bob": "2"}


def damaged(path: Path) -> str:
    path.write_bytes(path.read_bytes()[:-30])
    return "is damaged"


def of_another_kind(path: Path) -> str:
    changed(path, lectern="progress")
    return "no file of answers"


def newer(path: Path) -> str:
    changed(path, version=2)
    return "newer"


def huge(path: Path) -> str:
    path.write_bytes(path.read_bytes() + b" " * 1_000_000)
    return "too large"


def of_another_assignment(path: Path) -> str:
    changed(path, assignment=Assignment("convolution", 6, (STEP,), ("layer", "parameters")).to_code())
    return "Another assignment"


def of_no_assignment(path: Path) -> str:
    changed(path, assignment=7)
    return "cannot be read"


def with_an_unknown_exercise(path: Path) -> str:
    changed(path, answers={"convolution/nothing": "1"})
    return "nothing that is assigned"


def with_a_long_answer(path: Path) -> str:
    changed(path, answers={"convolution/layer": "1" * 10_000})
    return "too long"


def with_a_number(path: Path) -> str:
    changed(path, answers={"convolution/layer": 1})
    return "answers are damaged"


def without_answers(path: Path) -> str:
    changed(path, answers=None)
    return "answers are damaged"


def without_a_name(path: Path) -> str:
    changed(path, name=" \n")
    return "name cannot be taken"


def with_a_long_name(path: Path) -> str:
    changed(path, name="x" * 500)
    return "name cannot be taken"


def a_link(path: Path) -> str:
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))
    return "no plain file"


def a_pipe(path: Path) -> str:
    path.unlink()
    os.mkfifo(path)
    return "no plain file"


@pytest.mark.parametrize(
    "spoil",
    [
        *(a_link, a_pipe),
        *(damaged, of_another_kind, newer, huge, of_another_assignment, of_no_assignment),
        *(with_an_unknown_exercise, with_a_long_answer, with_a_number, without_answers),
        *(without_a_name, with_a_long_name),
    ],
)
def test_a_bad_file_is_named_and_the_others_are_graded(spoil, tmp_path: Path) -> None:
    hand_in(tmp_path, "Ann", RIGHT)
    hand_in(tmp_path, "Cy", RIGHT)
    problem = spoil(hand_in(tmp_path, "Bob", RIGHT))
    done = run("course", "grade", str(tmp_path))
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Error: Bob.json: ") and problem in done.stderr
    found = {row["file"]: row for row in rows(done.stdout)}
    assert (found["Ann.json"]["total"], found["Cy.json"]["total"]) == ("2", "2")
    assert found["Bob.json"]["total"] == "" and problem in found["Bob.json"]["problem"]


def test_two_files_of_one_name_are_both_named(tmp_path: Path) -> None:
    hand_in(tmp_path, "Ann", RIGHT)
    (tmp_path / "again.json").write_bytes(Answers(ASSIGNMENT, "ann", {}).to_file())
    hand_in(tmp_path, "Bob", RIGHT)
    found = grade_folder(tmp_path)
    assert [line.file for line in found.lines if line.problem] == ["Ann.json", "again.json"]
    assert "'Ann' handed in two files: this one and again.json" in found.problems[0]
    assert sum(found.lines[1].points.values()) == 2


def test_the_assignment_can_be_named(tmp_path: Path) -> None:
    other = Assignment("convolution", 6, (), ("layer",))
    for name in ("Ann", "Bob"):
        hand_in(tmp_path, name, {}, other)
    hand_in(tmp_path, "Cy", RIGHT)
    done = run("course", "grade", str(tmp_path), "--assignment", ASSIGNMENT.to_code())
    assert done.exit_code == 2
    assert [row["name"] for row in rows(done.stdout) if not row["problem"]] == ["Cy"]
    assert grade_folder(tmp_path).assignment == other


@pytest.mark.parametrize("content", [None, "", "{"])
def test_a_folder_without_answers_is_one_message(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "one.json").write_text(content, encoding="utf-8")
    done = run("course", "grade", str(tmp_path))
    assert done.exit_code == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert ("no answers' files" if content is None else "one.json") in done.stderr
    assert run("course", "grade", str(tmp_path / "nowhere")).exit_code == 2


def test_an_exercise_that_needs_data_is_no_mistake_of_the_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise InputError("The training text is not there")

    assignment = Assignment("generation", SEED, (), ("copied-prompt",))
    sheet = exercise("generation/copied-prompt").sheet(SEED)
    monkeypatch.setattr(type(sheet), "check", fails)
    hand_in(tmp_path, "Ann", {"generation/copied-prompt": "What"}, assignment)
    (line,) = grade_folder(tmp_path).lines
    assert line.points == {} and "cannot be checked here" in line.problem


def test_exercises_are_listed_and_checked() -> None:
    listed = run("course", "list").stdout.splitlines()
    assert len(listed) == 1 + sum(map(len, EXERCISES.values()))
    assert (
        json.loads(run("course", "list", "--json").stdout.splitlines()[0])["exercise"]
        == listed[1].split("\t")[0]
    )
    sheet = exercise("tensors/rows").sheet(3)
    said = json.loads(
        run("course", "check", "tensors/rows", "--seed", "3", "--answer", sheet.answer, "--json").stdout
    )
    assert said["right"] is True
    wrong = run("course", "check", "tensors/rows", "--seed", "3", "--answer", sheet.mistakes[0].answer).stdout
    assert wrong.splitlines()[1].split("\t")[:2] == ["no", sheet.mistakes[0].name]
    for arguments in (("tensors/nothing", "--answer", "1"), ("tensors/rows", "--answer", "1" * 10_000)):
        done = run("course", "check", *arguments)
        assert done.exit_code == 2 and len(done.stderr.splitlines()) == 1
