"""The exercises of the course: right answers pass, wrong ones do not, typical mistakes are known by name."""

from __future__ import annotations

import contextlib
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from apps.course.answers import Choice, Kind, Number, Numbers, Shape, Text, Words
from apps.course.answers_computed import Einsum, Layers, Summary
from apps.course.catalogue import EXERCISES, exercise
from apps.course.exercises import MAX_SEED, Exercise, Problem
from apps.course.texts import texts_of
from apps.lecture.topics import PARTS
from data_prep.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (0, 1, 2, 3, 77)
LEAST, LEAST_A_PART, RANDOM = 80, 8, 200
ALL = [one for part in EXERCISES.values() for one in part.values()]
each = pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)


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
            typed = random.choice(words, int(random.integers(2, 30))).tolist()
            if re.fullmatch(r"[a-z]+ - [a-z]+ \+ [a-z]+", right):  # an expression
                first, second, third = random.choice(words[2:-3], 3)
                typed = [first, "-", second, "+", third]
            yield " ".join(typed)
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
        assert set(texts_of(f"exercises_{part.key}")) == set(EXERCISES[part.key])


@each
def test_right_answers_pass_and_mistakes_are_named(one: Exercise, request: pytest.FixtureRequest) -> None:
    if one.sheet(0).drawn.late:
        request.getfixturevalue("data_dir")
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
    assert seen <= set(texts_of(f"exercises_{one.lesson}")[one.key]["mistakes"])
    assert one.kind == "choice" or seen == set(texts_of(f"exercises_{one.lesson}")[one.key]["mistakes"])


@each
def test_random_answers_do_not_pass(one: Exercise, request: pytest.FixtureRequest) -> None:
    problem = one.sheet(11)
    if problem.drawn.late:
        request.getfixturevalue("data_dir")
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
    unread = ("nan", "∞", "-inf") if problem.kind.name not in ("words", "text") else ()
    for bad in ("1" * 10_000, "", " \n ", *unread):
        with pytest.raises(InputError):
            problem.check(bad)


def test_exhibits_are_sections_of_pages() -> None:
    for one in ALL:
        exhibit = one.sheet(3).exhibit
        folder = ROOT / "apps" / exhibit.page
        sources = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*page*.*"))
        sources += (ROOT / "apps" / "shared" / "page.py").read_text(encoding="utf-8")
        if section := exhibit.query.get("section"):
            assert f'"{section}"' in sources, (one.key, section)
        for name in exhibit.query:
            assert name.startswith("t_") or f'"{name}"' in sources or f"{name} =" in sources, (one.key, name)


def answer_of(name: str, seed: int = 0) -> tuple[Problem, str]:
    problem = exercise(name).sheet(seed)
    return problem, problem.answer


def test_answers_agree_with_another_way_to_compute_them() -> None:
    """Ways that share nothing with the exercise: Keras-like loops, brute force, finite differences."""
    for seed in range(5):
        problem, answer = answer_of("tasks/viterbi", seed)
        scores, moves = problem.drawn.values["s"], problem.drawn.values["t"]
        paths = itertools.product(range(3), repeat=3)
        best = max(
            paths,
            key=lambda p: (
                sum(scores[at, tag] for at, tag in enumerate(p)) + moves[p[0], p[1]] + moves[p[1], p[2]]
            ),
        )
        assert answer == " ".join(("DET", "NOUN", "VERB")[tag] for tag in best)
        problem, answer = answer_of("tasks/marginal", seed)
        emitted, moved = problem.drawn.values["s"], problem.drawn.values["t"]
        weights = np.einsum("a,ab,b,bc,c->b", emitted[0], moved, emitted[1], moved, emitted[2])
        tag = ("DET", "NOUN", "VERB").index(problem.drawn.values["tag"])
        assert float(answer) == pytest.approx(weights[tag] / weights.sum())
        problem, answer = answer_of("tasks/partition", seed)
        emitted, moved = problem.drawn.values["s"], problem.drawn.values["t"]
        assert float(answer) == np.einsum("a,ab,b,bc,c->", emitted[0], moved, emitted[1], moved, emitted[2])
        problem, answer = answer_of("recurrent/shared-weight", seed)
        v, x = problem.drawn.values["v"], problem.drawn.values["x"]
        last = [((w * x[0]) + x[1]) * w + x[2] for w in (v - 1e-4, v + 1e-4)]
        assert float(answer) == pytest.approx((last[1] - last[0]) / 2e-4, abs=1e-6)
        problem, answer = answer_of("generation/entropy", seed)
        shares = np.exp(problem.drawn.values["z"] / float(answer))
        shares /= shares.sum()
        assert -(shares * np.log2(shares)).sum() == pytest.approx(problem.drawn.values["H"], abs=1e-3)
        problem, answer = answer_of("convolution/true-convolution", seed)
        values = problem.drawn.values
        assert np.array_equal(problem.kind.read(answer), np.convolve(values["a"], values["b"], "valid"))


def test_the_numbers_of_the_slides_are_right() -> None:
    """The lecture's own examples, checked as answers of the same kinds."""
    kernel = exercise("convolution/find-kernel")
    sheet = next(
        sheet
        for sheet in map(kernel.sheet, range(300))
        if (sheet.drawn.values["n"], sheet.drawn.values["bias"]) == (3, 1)
    )
    assert sheet.check("-1 1 0 1 -1").right  # (-1 1) and (1 0 0 -1), grouped
    lecture = Layers("24x24x1").read(
        "conv 5x5x8 pad 2; relu; pool 2x2; conv 5x5x16 pad 2; relu; pool 3x3; dense 10"
    )
    assert lecture.layers[0].parameters == 208


WIDE = """
│ input_layer (InputLayer)        │ (None, 28, 28, 1)      │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ conv2d (Conv2D)                 │ (None, 26, 26, 16)     │           160 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ max_pooling2d (MaxPooling2D)    │ (None, 13, 13, 16)     │             0 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                   │ (None, 10)             │        27,050 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 27,210 (106.29 KB)
"""
NARROW = """
│ conv2d (Conv2D)     │ (None, 26, 26, │     160 │
│                     │ 16)            │         │
├─────────────────────┼────────────────┼─────────┤
│ max_pooling2d       │ (None, 13, 13, │       0 │
│ (MaxPooling2D)      │ 16)            │         │
├─────────────────────┼────────────────┼─────────┤
│ dense (Dense)       │ (None, 10)     │  27,050 │
└─────────────────────┴────────────────┴─────────┘
"""
PLAIN = """
conv2d (Conv2D)                (None, 26, 26, 16)     160
max_pooling2d (MaxPooling2D)   (None, 13, 13, 16)     0
dense (Dense)                  (None, 10)             27050
"""


@pytest.mark.parametrize("printed", [WIDE, NARROW, PLAIN])
def test_summaries_are_read_as_keras_prints_them(printed: str) -> None:
    layers = Summary().read(printed)
    assert [tuple(layer) for layer in layers] == [
        ("Conv2D", (26, 26, 16), 160),
        ("MaxPooling2D", (13, 13, 16), 0),
        ("Dense", (10,), 27_050),
    ]


def test_what_is_long_to_search_is_read_at_once() -> None:
    began = time.process_time()
    for kind in (Summary(), Numbers(), Words(None), Number(), Shape()):
        for sign in " \t(│,;][1-":
            with contextlib.suppress(InputError):
                kind.read(("a (Dense) (None, 3)" + sign * 10_000)[: kind.most])
            with contextlib.suppress(InputError):
                kind.read((f"1{sign}" * 10_000)[: kind.most])
    assert time.process_time() - began < 1.0


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="no such language"):
        ALL[0].sheet(1, "xx")


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
        (Number(), " 1.5 ", 1.5),
        (Number(), "-0,125", -0.125),
        (Number(), "12,5", 12.5),
        (Number(), "1,234,567", 1_234_567.0),
        (Numbers(), "0,5; -1,5", [0.5, -1.5]),
        (Numbers(), "0,5 -0,5", [0.5, -0.5]),
        (Numbers(), "1,0,-1", [1, 0, -1]),
        (Numbers(), "1, 0, -1", [1, 0, -1]),
        (Words(None), "a, b; c", ("a", "b", "c")),
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
        (Number(), "1,2,3", "is not a number"),
        (Number(), "1.2.3", "is not a number"),
        (Number(), "1/2/3", "is not a number"),
        (Number(), "5 %", "is not a number"),
        (Number(), "1/0", "divided by zero"),
        (Number(), "1,234", "thousands or decimals"),
        (Numbers((3,)), "(12,727, 7, 14)", "thousands or decimals"),
        (Numbers(), "12,727 7", "thousands or decimals"),
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
        (Einsum((("a", (2, 3)),)), "a_ij", "not in NumPy's notation"),
        (Layers(), "conv 3x3xinfinity", "not a whole number"),
        (Layers(), "import os", "cannot be read"),
        (Layers(), ";", "The answer is empty"),
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
        exercise("tensors/nothing")
