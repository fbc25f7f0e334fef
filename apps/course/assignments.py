"""Homework: what a link assigns, the file in which a student answers, and the grades of a class.

A link holds ``1~LESSON~SEED~STEPS~EXERCISES``, where the last two are keys with dots between them or ``all``. A file of
answers holds what was typed and no score: grading draws the exercises anew and checks every answer.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from annotated_types import MaxLen
from pydantic import TypeAdapter, ValidationError

from apps.course.catalogue import EXERCISES, exercise
from apps.course.exercises import MAX_SEED
from apps.course.lessons import lessons
from apps.course.marked_files import MAX_BYTES, read_marked, write_marked
from data_prep.errors import InputError

KIND = "answers"
MAX_NAME = 80  # characters of the name of a student
MAX_LINK = 2_000
_VERSION, _ALL = "1", "all"
_MOST = 8_000  # characters of an answer that a page takes: those of a printed network
_TYPED = TypeAdapter(Annotated[dict[Annotated[str, MaxLen(80)], str], MaxLen(200)])


@dataclass(frozen=True)
class Assignment:
    """What is to be done: steps and exercises of one lesson.

    Attributes:
        lesson: Key of the lesson.
        seed: That draws the numbers of the exercises.
        steps: Keys of the steps, in order.
        exercises: Keys of the exercises, in order.
    """

    lesson: str
    seed: int
    steps: tuple[str, ...]
    exercises: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that all of it is there; an InputError says what is not."""
        if self.lesson not in EXERCISES:
            raise InputError("There is no such lesson", allowed=", ".join(EXERCISES), received=self.lesson)
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError("The seed is out of range", allowed=f"0 to {MAX_SEED:,}", received=self.seed)
        for kind, keys, known in (
            ("step", self.steps, _steps(self.lesson)),
            ("exercise", self.exercises, tuple(EXERCISES[self.lesson])),
        ):
            unknown = [key for key in keys if key not in known]
            if unknown or len(set(keys)) < len(keys):
                problem = f"There is no such {kind}" if unknown else f"A {kind} is assigned twice"
                raise InputError(problem, allowed=", ".join(known), received=(unknown or keys)[0])
        if not self.steps and not self.exercises:
            raise InputError("Nothing is assigned", allowed="at least one step or exercise")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of its items: ``step LESSON/KEY`` for each step, then ``LESSON/KEY`` for each exercise."""
        steps = [f"step {self.lesson}/{key}" for key in self.steps]
        return (*steps, *(f"{self.lesson}/{key}" for key in self.exercises))

    def to_code(self) -> str:
        """Write it for a link."""
        steps = _ALL if self.steps == _steps(self.lesson) else ".".join(self.steps)
        exercises = _ALL if self.exercises == tuple(EXERCISES[self.lesson]) else ".".join(self.exercises)
        return "~".join((_VERSION, self.lesson, str(self.seed), steps, exercises))

    @classmethod
    def from_code(cls, code: str) -> Assignment:
        """Read what stands in a link; an InputError says what is wrong with it."""
        parts = code.split("~")
        if len(code) > MAX_LINK or len(parts) != 5 or parts[0] != _VERSION or not _is_number(parts[2]):
            allowed = f"{_VERSION}~lesson~seed~steps~exercises"
            raise InputError("The assignment in the link cannot be read", allowed=allowed, received=code)
        lesson, seed = parts[1], int(parts[2])
        known = (_steps(lesson), tuple(EXERCISES.get(lesson, ())))
        chosen = [
            own if part == _ALL else tuple(part.split(".")) if part else ()
            for part, own in zip(parts[3:], known, strict=True)
        ]
        return cls(lesson, seed, *chosen)


@dataclass(frozen=True)
class Answers:
    """The answers of one student: to what assignment, by the names of its items as they were typed."""

    assignment: Assignment
    name: str
    typed: Mapping[str, str]

    def to_file(self) -> bytes:
        """Write the file that a student hands in."""
        content = {"assignment": self.assignment.to_code(), "name": self.name, "answers": dict(self.typed)}
        return write_marked(KIND, content)

    @classmethod
    def from_file(cls, data: bytes) -> Answers:
        """Read a file that was handed in; an InputError says what is wrong with it."""
        found = read_marked(data, KIND)
        code, name = found.get("assignment"), student(found.get("name"))
        assignment = Assignment.from_code(code if isinstance(code, str) else "")
        try:
            typed = _TYPED.validate_python(found.get("answers"), strict=True)
        except ValidationError as error:
            raise InputError("The answers are damaged", allowed=error.errors()[0]["msg"]) from None
        for item, answer in typed.items():
            if item not in assignment.names:
                raise InputError(
                    "An answer belongs to nothing that is assigned",
                    allowed=", ".join(assignment.names),
                    received=item,
                )
            if len(answer) > _MOST:
                raise InputError(
                    f"The answer to {item} is too long",
                    allowed=f"at most {_MOST:,} characters",
                    received=f"{len(answer):,} characters",
                )
        return cls(assignment, name, typed)


@dataclass(frozen=True)
class Grade:
    """One line of the grades: of a file that could be graded, or of one that could not and why.

    Attributes:
        file: Name of the file.
        name: Of the student; empty where the file does not tell.
        points: 0 or 1 by item; items without an answer are left out.
        mistakes: What was recognised, by item.
        problem: Why it was not graded; empty where it was.
    """

    file: str
    name: str = ""
    points: Mapping[str, int] = field(default_factory=dict)
    mistakes: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Grades:
    """The grades of a class, a line a file, and the assignment that was graded."""

    assignment: Assignment
    lines: tuple[Grade, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with files that were not graded, each with its name."""
        return tuple(f"{line.file}: {line.problem}" for line in self.lines if line.problem)

    def to_csv(self) -> str:
        """Write a table: a row a file, the points of each item, their sum, recognised mistakes, and problems."""
        buffer = io.StringIO()
        table = csv.writer(buffer, lineterminator="\n")
        names = self.assignment.names
        table.writerow(["file", "name", *names, "total", "of", "mistakes", "problem"])
        for line in self.lines:
            points = [line.points.get(name, "") for name in names]
            total = sum(line.points.values()) if line.points or not line.problem else ""
            mistakes = "; ".join(f"{name}: {mistake}" for name, mistake in line.mistakes.items())
            row = [line.file, line.name, *points, total, len(names), mistakes, line.problem]
            table.writerow([_cell(value) for value in row])
        return buffer.getvalue()


def student(name: object) -> str:
    """Check the name of a student; spaces around and within are made single ones."""
    text = " ".join(name.split()) if isinstance(name, str) else ""
    if not (text and len(text) <= MAX_NAME and text.isprintable()):
        raise InputError("The name cannot be taken", allowed=f"1 to {MAX_NAME} characters", received=name)
    return text


def grade(assignment: Assignment, typed: Mapping[str, str], file: str = "", name: str = "") -> Grade:
    """Check answers anew: a right exercise gives a point, and a prediction that can be read, true or not, as well."""
    points, mistakes, problems = {}, {}, []
    for item in (one for one in assignment.names if typed.get(one, "").strip()):
        try:
            points[item], mistakes[item] = _checked(assignment, item, typed[item])
        except InputError as error:
            if not item.startswith("step ") and exercise(item).sheet(assignment.seed).drawn.late:
                problems.append(f"{item} cannot be checked here: {error}")
            else:
                points[item], mistakes[item] = 0, f"cannot be read ({error.problem})"
    mistakes = {item: mistake for item, mistake in mistakes.items() if mistake}
    return Grade(file, name, points, mistakes, " ".join(problems))


def _checked(assignment: Assignment, item: str, answer: str) -> tuple[int, str]:
    """Give the points of an answer, and its mistake, which is empty where there is none."""
    if item.startswith("step "):
        step = lessons()[assignment.lesson].step(item.removeprefix("step "))
        return 1, "" if step.question.check(answer)[0] else "predicted otherwise"
    verdict = exercise(item).sheet(assignment.seed).check(answer)
    return int(verdict.right), "" if verdict.right else verdict.mistake or "not recognised"


def grade_folder(folder: Path, code: str | None = None) -> Grades:
    """Grade the answers' files (``*.json``) of a folder.

    Args:
        folder: With the files of a class.
        code: The assignment; without it, that of most files.

    Raises:
        InputError: There is no such folder, no file in it, none that can be read, or no such assignment.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder", allowed="the folder with the answers' files of a class")
    files = [path for path in sorted(folder.glob("*.json")) if not path.name.startswith(".")]
    if not files:
        raise InputError(f"There are no answers' files in {folder}", allowed="files *.json")
    read = {path.name: _read(path) for path in files}
    good = {name: one for name, one in read.items() if isinstance(one, Answers)}
    if code is not None:
        assignment = Assignment.from_code(code)
    elif good:
        assignment = Counter(one.assignment for one in good.values()).most_common(1)[0][0]
    else:
        raise InputError("No file can be graded", received=None, remedy=" ".join(map(": ".join, _told(read))))
    return Grades(assignment, tuple(_lines(assignment, read)))


def _told(read: Mapping[str, Answers | str]) -> Iterator[tuple[str, str]]:
    return ((name, problem) for name, problem in read.items() if isinstance(problem, str))


def _lines(assignment: Assignment, read: Mapping[str, Answers | str]) -> Iterator[Grade]:
    good = {name: one for name, one in read.items() if isinstance(one, Answers)}
    own = {name: one for name, one in good.items() if one.assignment == assignment}
    for file, one in read.items():
        if isinstance(one, str):
            yield Grade(file, problem=one)
            continue
        twins = [name for name, other in own.items() if _same(one, other) and name != file]
        if file not in own:
            yield Grade(file, one.name, problem=f"Another assignment: {one.assignment.to_code()}")
        elif twins:
            problem = f"{one.name!r} handed in two files: this one and {', '.join(twins)}. Remove one"
            yield Grade(file, one.name, problem=problem)
        else:
            yield grade(assignment, one.typed, file, one.name)


def _same(one: Answers, other: Answers) -> bool:
    return one.name.casefold() == other.name.casefold()


def _read(path: Path) -> Answers | str:
    """Read a file of answers, or say what is wrong with it; a link would show a file of the teacher's, a pipe waits."""
    if path.is_symlink() or not path.is_file():
        return "Is no plain file"
    try:
        with path.open("rb") as file:
            return Answers.from_file(file.read(MAX_BYTES + 1))
    except InputError as error:
        return str(error)
    except OSError as error:
        return f"Cannot be read: {error.strerror or error}"


def _cell(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _steps(lesson: str) -> tuple[str, ...]:
    found = lessons().get(lesson)
    return tuple(name.partition("/")[2] for name in found.steps) if found else ()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 7


def assigned(lesson: str, seed: int, steps: Sequence[str], exercises: Sequence[str]) -> Assignment:
    """Make an assignment of keys in any order: it has those of the lesson."""
    known = EXERCISES.get(lesson, {})
    return Assignment(
        lesson,
        seed,
        tuple(key for key in _steps(lesson) if key in steps),
        tuple(key for key in known if key in exercises),
    )
