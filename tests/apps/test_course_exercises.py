"""The exercises of the course: right answers pass, wrong ones do not, typical mistakes are known by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from apps.course.answers import Choice, Einsum, Kind, Layers, Number, Numbers, Shape, Summary, Text, Words
from apps.course.catalogue import EXERCISES, exercise
from apps.course.exercises import MAX_SEED, Exercise, Problem, texts
from apps.lecture.topics import PARTS
from data_prep.errors import InputError

SEEDS = (0, 1, 2, 3, 77)
LEAST, LEAST_A_PART, RANDOM = 80, 8, 200
ALL = [one for part in EXERCISES.values() for one in part.values()]
each = pytest.mark.parametrize(
    "one",
    [
        pytest.param(
            one, marks=[pytest.mark.realdata] * one.sheet(0).drawn.late, id=f"{one.lesson}/{one.key}"
        )
        for one in ALL
    ],
)


def random_answers(kind: Kind, right: object, count: int) -> Iterator[object]:
    """Answers of the right form with random content."""
    random = np.random.default_rng(5)
    words = list(
        re.findall(r"\S+", "the a film was not very bright match bank goal king queen paris is and - +")
    )
    for _ in range(count):
        if isinstance(kind, Number):
            yield float(random.choice([1.0, 0.1])) * round(float(random.normal(right, abs(right) + 1)), 4)
        elif isinstance(kind, Numbers):
            shape = kind.shape or (int(random.integers(1, 9)),)
            yield np.round(random.normal(0, 3, shape), int(random.integers(0, 3)))
        elif isinstance(kind, Shape):
            yield tuple(random.integers(1, 12, int(random.integers(1, 6))).tolist())
        elif isinstance(kind, Choice):
            yield kind.options[int(random.integers(len(kind.options)))]
        elif isinstance(kind, Words):
            count_ = kind.count or len(right)
            yield tuple(random.choice(kind.allowed or words, count_).tolist())
        elif isinstance(kind, Text):
            yield " ".join(random.choice(words, int(random.integers(2, 30))))
        elif isinstance(kind, Layers):
            slides = ["3", "3x3"][kind.size.count("x") - 1]
            pool = slides.replace("3", "2")
            layers = [f"conv {slides}x{int(random.integers(100, 400))} pad 1", "relu", f"pool {pool}"]
            chosen = random.choice(layers, int(random.integers(2, 5)))
            yield kind.read("; ".join([*chosen, *["dense 10"] * int(random.integers(2))]))
        elif isinstance(kind, Summary):
            yield tuple(layer._replace(parameters=int(random.integers(1, 9999))) for layer in right)


def random_expressions(kind: Einsum, text: str, count: int) -> Iterator[str]:
    """The operands of an expression with another output."""
    random = np.random.default_rng(5)
    left = text.partition("->")[0]
    letters = sorted(set(left) - {","})
    for _ in range(count):
        yield f"{left}->{''.join(random.permutation(letters)[: int(random.integers(0, len(letters) + 1))])}"


def same(problem: Problem, answer: object) -> bool:
    return problem.drawn.job is None and problem.kind.same(answer, problem.drawn.right)


def test_there_are_enough_for_every_part_and_topic() -> None:
    assert set(EXERCISES) == {part.key for part in PARTS}
    assert len(ALL) >= LEAST
    for part in PARTS:
        own = EXERCISES[part.key].values()
        assert len(own) >= LEAST_A_PART
        titles = {topic.title for topic in part.topics}
        assert {topic for one in own for topic in one.topics} == titles
        assert set(texts(part.key)) == {*EXERCISES[part.key], "said"}


@each
def test_right_answers_pass_and_mistakes_are_named(one: Exercise) -> None:
    seen = set()
    for seed in SEEDS:
        problem = one.sheet(seed)
        assert problem.check(problem.answer).right
        assert len(problem.mistakes) >= 2
        for mistake in problem.mistakes:
            verdict = problem.check(mistake.answer)
            assert (verdict.right, verdict.mistake) == (False, mistake.name)
            assert len(verdict.said) > 10
            assert not re.search(r"\bnan\b|<[A-Za-z][a-z_0-9]*>", verdict.said)
            seen.add(verdict.mistake)
    assert seen <= set(texts(one.lesson)[one.key]["mistakes"])
    assert one.kind == "choice" or seen == set(texts(one.lesson)[one.key]["mistakes"])


@each
def test_random_answers_do_not_pass(one: Exercise) -> None:
    problem = one.sheet(11)
    kind = problem.kind
    if isinstance(kind, Einsum):
        answers = list(random_expressions(kind, problem.answer, RANDOM + 100))
        wrong = [text for text in answers if not same(problem, kind.read(text))]
    else:
        answers = list(random_answers(kind, problem.drawn.right, RANDOM * 4))
        wrong = [kind.written(answer) for answer in answers if not same(problem, answer)]
    assert len(wrong) >= RANDOM
    for text in wrong[:RANDOM]:
        try:
            verdict = problem.check(text)
        except InputError:
            assert problem.is_job  # what a job cannot use, such as an expression without words
            continue
        assert not verdict.right, text
        assert verdict.said


@each
def test_a_seed_draws_a_sheet(one: Exercise) -> None:
    sheets = [one.sheet(seed) for seed in range(8)]
    assert [(sheet.text, sheet.answer) for sheet in sheets[:2]] == [
        (again.text, again.answer) for again in map(one.sheet, (0, 1))
    ]
    assert len({(sheet.text, sheet.answer) for sheet in sheets}) >= 4
    for sheet in sheets:
        assert len(sheet.hints) == 3
        shown = (sheet.text, sheet.solution, *sheet.hints)
        assert all(len(text) > 10 and not re.search(r"\bnan\b|<[A-Za-z][a-z_0-9]*>", text) for text in shown)
        assert all(text.count("$") % 2 == 0 for text in shown)
        assert all(isinstance(value, str) for value in sheet.exhibit.query.values())
        assert len(sheet.text.split()) <= 120


@each
def test_answers_that_cannot_be_read(one: Exercise) -> None:
    problem = one.sheet(1)
    for bad in ("1" * 10_000, "", " \n "):
        with pytest.raises(InputError):
            problem.check(bad)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Number(), "−3", -3.0),
        (Number(), "0,25", 0.25),
        (Number(), "- 1/3", -1 / 3),
        (Number(), "1e-3", 0.001),
        (Numbers((3,)), "1, 2, −3", [1, 2, -3]),
        (Numbers((3,)), "(1,2,3)", [1, 2, 3]),
        (Numbers((2,)), "0,5 1,5", [0.5, 1.5]),
        (Numbers((2,)), "0,5; 1,5", [0.5, 1.5]),
        (Numbers((2, 2)), "[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        (Numbers((2, 2)), "1 2; 3 4", [[1, 2], [3, 4]]),
        (Numbers((2, 2)), "1,5 2\n3 4", [[1.5, 2], [3, 4]]),
        (Numbers(), "1 -1 1/2", [1, -1, 0.5]),
        (Shape(), "(4, 4, 3)", (4, 4, 3)),
        (Shape(), "4×4×3", (4, 4, 3)),
        (Choice(("x", "y"), ("one", "two")), "B)", "y"),
        (Choice(("x", "y"), ("one", "two")), "One", "x"),
        (Words(2, ("NOUN", "VERB")), "noun → VERB", ("NOUN", "VERB")),
        (Words(), "Fox", ("fox",)),
    ],
)
def test_what_is_read(kind: Kind, text: str, value: object) -> None:
    found = kind.read(text)
    assert np.array_equal(found, value) if isinstance(found, np.ndarray) else found == value


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        (Number(), "nan", "is not a number"),
        (Number(), "NaN", "is not a number"),
        (Number(), "inf", "is not a number"),
        (Number(), "∞", "is not a number"),
        (Number(), "1e999", "out of range"),
        (Number(), "1e99", "out of range"),
        (Number(), "1/0", "divided by zero"),
        (Number(), "1,234", "thousands or decimals"),
        (Number(), "__import__('os')", "is not a number"),
        (Number(), "2**3", "is not a number"),
        (Number(), "٣", "is not a number"),
        (Numbers((2,)), "1 2 3", "has 3 numbers"),
        (Numbers((2, 2)), "1 2 3; 4", "2 rows of 3 and 1"),
        (Numbers((2,)), "1 nan", "is not a number"),
        (Shape(), "4x0", "out of range"),
        (Shape(), "4xN", "not a whole number"),
        (Shape(), "1e3", "not a whole number"),
        (Choice(("x", "y"), ("one", "two")), "c", "no such option"),
        (Words(2, ("NOUN", "VERB")), "NOUN ADJ", "cannot stand here"),
        (Words(2, ("NOUN", "VERB")), "NOUN", "has 1 words"),
        (Einsum((("a", (2, 3)),)), "ij->iz", "no tensor has"),
        (Einsum((("a", (2, 3)),)), "i%->i", "not an index"),
        (Einsum((("a", (2, 3)),)), "ijk->i", "indices"),
        (Einsum((("a", (2, 3)),)), "ij,jk->ik", "missing"),
        (Layers(), "conv 3x3xinfinity", "not a whole number"),
        (Layers(), "import os", "cannot be read"),
        (Summary(), "I built it, believe me", "No layer"),
    ],
)
def test_what_is_refused(kind: Kind, text: str, problem: str) -> None:
    with pytest.raises(InputError, match=re.escape(problem)):
        kind.read(text)


def test_a_seed_out_of_range_and_an_unknown_exercise_are_refused() -> None:
    with pytest.raises(InputError, match="seed is out of range"):
        ALL[0].sheet(MAX_SEED + 1)
    with pytest.raises(InputError, match="no such exercise"):
        exercise("tensors", "nothing")
