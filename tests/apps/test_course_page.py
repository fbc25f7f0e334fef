"""The page "Course" without a browser: exercises, what the visitor knows, assignments, and what is wrongly asked."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from apps.course.catalogue import EXERCISES, exercise
from apps.course.exercises import Problem
from apps.course.progress import Progress, items_of_topics
from apps.shared.language import translated
from tests.apps.pages import messages, open_page, press

SEED = 42
PASTED = next(one.name for lesson in EXERCISES.values() for one in lesson.values() if one.kind == "summary")


def sheet(name: str) -> Problem:
    return exercise(name).sheet(SEED)


def open_one(name: str, **query: str) -> AppTest:
    lesson, _, key = name.partition("/")
    return open_page("course", section="Exercises", exercises=lesson, exercise=key, seed=str(SEED), **query)


def answer(app: AppTest, name: str, text: str) -> AppTest:
    boxes = [*app.text_input, *app.text_area, *app.radio]
    next(box for box in boxes if box.key == f"answer {name} {SEED}").set_value(text)
    return press(app, translated("Check", app.session_state["language"]))


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def address(app: AppTest, name: str) -> str:
    """A parameter of the page's address."""
    found = app.query_params[name]
    return found if isinstance(found, str) else found[0]


def shown(app: AppTest) -> str:
    return "\n".join(text.value for text in app.markdown)


@pytest.mark.parametrize("lesson", EXERCISES)
def test_a_sheet_has_every_exercise_and_the_seed_gives_it_again(lesson: str) -> None:
    app = open_page("course", section="Exercises", exercises=lesson, seed=str(SEED))
    assert not app.error
    assert labels(app).count("Check") == len(EXERCISES[lesson])
    for one in EXERCISES[lesson].values():
        assert one.sheet(SEED).question in shown(app)
    assert address(app, "seed") == "42"
    before = shown(app)
    press(app, "Other numbers")
    assert shown(app) != before and app.number_input[0].value != SEED


def test_a_wrong_answer_gets_its_mistake_then_hints_then_the_solution() -> None:
    name = "convolution/layer"
    one, app = sheet(name), open_one(name)
    assert not any(label.startswith(("Hint", "Show")) for label in labels(app))
    mistake = next(known for known in one.mistakes if known.name == "bias")
    answer(app, name, mistake.answer)
    assert "You forgot the bias" in app.warning[0].value
    for number, hint in enumerate(one.hints, start=1):
        assert hint not in shown(app)
        press(app, f"Hint {number} of 3")
        assert hint in shown(app)
    assert one.solution not in shown(app)
    press(app, "Show the solution")
    assert one.solution in shown(app)
    assert next(button for button in app.button if button.label == "Check").disabled


def test_a_right_answer_shows_the_solution_and_counts() -> None:
    name = "convolution/layer"
    app = open_one(name)
    answer(app, name, sheet(name).answer)
    assert app.success[0].value == "Right."
    assert sheet(name).solution in shown(app)
    found = Progress.from_code(app.session_state["progress in the address"])
    assert found.exercises[name].right and found.exercises[name].box == 2


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("convolution/layer", "1" * 10_000, "too long"),
        ("convolution/layer", "", "is empty"),
        ("convolution/layer", "1 2 NaN 4", "'NaN' is not a number"),
        ("convolution/layer", "1 2 3", "has 3 numbers"),
        ("convolution/bias-step", "1,234", "thousands or decimals"),
        ("tensors/numpy-notation", "zz,q->w", "which no tensor has"),
        ("tensors/numpy-notation", "__import__('os')", "not in NumPy's notation"),
        (PASTED, "model = None", "No layer"),
    ],
)
def test_an_answer_that_cannot_be_read_is_one_message_and_offers_a_hint(
    name: str, text: str, problem: str
) -> None:
    app = answer(open_one(name), name, text)
    assert len(app.error) == 1 and problem in messages(app)[0]
    assert "Hint 1 of 3" in labels(app)
    assert not app.warning and not app.success


def test_signs_and_decimals_as_people_type_them_are_read() -> None:
    name = "convolution/bias-step"
    text = sheet(name).answer.replace("-", "−").replace(".", ",")
    assert answer(open_one(name), name, text).success
    name = next(one.name for one in EXERCISES["tasks"].values() if one.kind == "choice")
    app = answer(open_one(name, language="de"), name, sheet(name).answer)
    assert app.success and app.session_state["work on exercises"][name, SEED].typed == sheet(name).answer


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"exercises": "nowhere"}, "no such lesson"),
        ({"exercises": "tensors", "exercise": "nothing"}, "no such exercise"),
        ({"seed": "1000000"}, "seed is out of range"),
        ({"seed": "-1"}, "seed is out of range"),
        ({"seed": "٣"}, "seed is out of range"),
        ({"seed": "nan"}, "seed is out of range"),
        ({"progress": "nonsense"}, "progress in the address"),
        ({"progress": "A" * 5_000}, "progress in the address"),
    ],
)
def test_a_wrong_address_is_one_message(query: dict[str, str], problem: str) -> None:
    app = open_page("course", section="Exercises", **query)
    assert len(app.error) == 1 and problem in messages(app)[0]


def test_progress_of_an_address_goes_on_here() -> None:
    done, today = Progress(), date.today()
    done.answered("tensors/rows", 1, False, 0, today - timedelta(days=5))
    done.answered("tensors/columns", 1, True, 0, today - timedelta(days=10))
    done.answered("convolution/layer", 1, True, 0, today)
    app = open_page("course", section="Know", progress=done.to_code())
    again = [button for button in app.button if button.key.startswith("again")]
    # The address keeps one day for each box, so what lies in box 2 counts from its oldest.
    assert [button.key for button in again] == [
        f"again Item(kind='exercises', name='{name}')"
        for name in ("tensors/columns", "convolution/layer", "tensors/rows")
    ]
    states = {button.label for button in app.button if button.key.startswith("topic")}
    assert len(states) == 46
    assert any(label.startswith("Example · 1 of") for label in states)
    again[2].click().run()
    assert not app.exception
    assert address(app, "section") == "Exercises"
    assert labels(app).count("Check") == 1


def test_a_file_of_progress_is_merged_and_a_bad_one_loses_nothing() -> None:
    there, uploaded = Progress(), Progress()
    there.answered("tensors/rows", 1, True, 0, date.today())
    uploaded.answered("tensors/columns", 1, True, 0, date.today())
    app = open_page("course", section="Know", progress=there.to_code())
    newer = uploaded.to_file().replace(b'"version": 1', b'"version": 2')
    for data, problem in (
        (uploaded.to_file()[:-40], "is damaged"),
        (b'{"cells": []}', "no file of progress"),
        (newer, "newer"),
        (b" " * 1_000_001, "too large"),
    ):
        app.file_uploader[0].set_value(("progress.json", data, "application/json")).run()
        assert len(app.error) == 1 and problem in messages(app)[0]
        found = Progress.from_code(app.session_state["progress in the address"])
        assert found.exercises.keys() == {"tensors/rows"}
    app.file_uploader[0].set_value(("progress.json", uploaded.to_file(), "application/json")).run()
    assert not app.error and "2 exercises" in app.success[0].value
    found = Progress.from_code(app.session_state["progress in the address"])
    assert found.exercises.keys() == {"tensors/rows", "tensors/columns"}


def test_a_topic_opens_its_step() -> None:
    app = open_page("course", section="Know")
    next(
        button for button in app.button if button.label.startswith("Convolutional neural networks")
    ).click().run()
    assert address(app, "section") == "Lessons"
    assert address(app, "lesson") == items_of_topics()["Convolutional neural networks"][0].name


def test_a_teacher_makes_a_link_and_a_student_hands_in() -> None:
    app = open_page("course", section="Teachers")
    assert "course?assignment=1~tensors~" in app.code[0].value
    app.multiselect[0].set_value([]).run()
    app.multiselect[1].set_value([]).run()
    assert messages(app)[0].startswith("Nothing is assigned")
    name = "convolution/layer"
    app = open_page("course", assignment=f"1~convolution~{SEED}~~layer.parameters")
    assert labels(app).count("Check") == 2
    answer(app, name, "1 2 3 4")
    assert "Show the solution" not in labels(app) and "Hint 1 of 3" in labels(app)
    app.text_input(key="name of the student").set_value("Ann").run()
    assert any("1 of 2 answered" in text.value for text in app.markdown)
    assert not app.get("download_button")[0].proto.disabled


@pytest.mark.parametrize("code", ["", "nonsense", "1~convolution~5~~nothing", "1~convolution~5~~", "1~x~5~~"])
def test_a_wrong_assignment_is_one_message(code: str) -> None:
    app = open_page("course", assignment=code)
    assert len(app.error) == 1 and "Back" not in labels(app)
