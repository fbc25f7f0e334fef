"""All lessons: what every step has, and that it opens before and after its question is answered."""

from __future__ import annotations

import importlib
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from streamlit.testing.v1 import AppTest

from apps.course.answers import Choice
from apps.course.lessons import MOST_WORDS, Lesson, Step, lessons
from apps.course.page_exhibit import NOT_WIDGETS
from apps.lecture.topics import PAGES, PARTS, ROOT, topics
from tests.apps.pages import open_page, press
from tests.repeated import slow_but

LESSONS = lessons()
STEPS = {name: step for lesson in LESSONS.values() for name, step in lesson.steps.items()}
FEWEST, MOST = 6, 12  # steps of a lesson
WIDGETS = (
    "text_input",
    "text_area",
    "number_input",
    "selectbox",
    "multiselect",
    "toggle",
    "checkbox",
    "slider",
    "select_slider",
    "radio",
    "button_group",
)
each_step = pytest.mark.parametrize("step", STEPS.values(), ids=list(STEPS))
FIRST = [next(iter(lesson.steps.values())) for lesson in LESSONS.values()]
each_lesson = pytest.mark.parametrize("lesson", LESSONS.values(), ids=list(LESSONS))


@each_lesson
def test_a_lesson_is_short(lesson: Lesson) -> None:
    assert FEWEST <= len(lesson.steps) <= MOST
    titles = [step.title for step in lesson.steps.values()]
    assert len(set(titles)) == len(titles)
    assert lesson.title and lesson.about.endswith(".")


@each_lesson
def test_a_lesson_says_how_long_it_takes(lesson: Lesson) -> None:
    quick, slow = lesson.minutes
    words = sum(
        len(f"{step.text} {step.question.text} {step.reveal}".split()) for step in lesson.steps.values()
    )
    assert words / 240 < quick < slow < 60
    fewer = replace(lesson, steps=dict(list(lesson.steps.items())[:-1]))
    assert fewer.minutes[1] < slow


def test_every_topic_of_the_lecture_is_taught_once() -> None:
    taught = Counter(topic for step in STEPS.values() for topic in step.topics)
    assert taught == Counter(topic.title for topic in topics())


@each_lesson
def test_a_lesson_teaches_the_topics_of_its_part(lesson: Lesson) -> None:
    (part,) = [part for part in PARTS if part.key == lesson.key]
    taught = {topic for step in lesson.steps.values() for topic in step.topics}
    assert taught == {topic.title for topic in part.topics}


@each_step
def test_a_step_is_whole(step: Step) -> None:
    question = step.question
    assert 15 <= len(step.text.split()) <= MOST_WORDS
    assert len(step.reveal.split()) <= MOST_WORDS and question.text
    assert len({one.title for one in step.tries}) == len(step.tries) <= 3
    assert step.exhibit.page in PAGES
    for exhibit in (step.exhibit, step.before):
        sections = importlib.import_module(f"apps.{exhibit.page}.page").SECTIONS
        assert exhibit.values["section"] in {section for named in sections.values() for section in named}
    left = set(step.before.values) - set(step.exhibit.values)  # what stays as the exhibit before had it
    if step.before.page == step.exhibit.page:
        assert not left and set(step.exhibit.values) == set(step.before.values)
    assert not any(f'"{name}"' in code_of(step.exhibit.page) for name in left)
    assert step.before != step.exhibit
    for one in step.tries:
        assert set(one.values) <= set(step.exhibit.values) - set(NOT_WIDGETS), one.title
        assert any(step.exhibit.values[key] != value for key, value in one.values.items()), one.title


@each_step
def test_what_is_said_about_a_prediction_can_be_reached(step: Step) -> None:
    kind, right = step.question.kind, step.question.right
    assert step.question.seen
    for at, (value, text) in enumerate(step.question.seen):
        assert text.strip() and not kind.same(value, right)
        assert not any(kind.same(value, other) for other, _ in step.question.seen[:at])
        if isinstance(kind, Choice):
            assert value in kind.options
    if isinstance(kind, Choice):
        assert right in kind.options and len(set(kind.texts)) == len(kind.texts)


def widgets(app: AppTest) -> set[str]:
    return {one.key for kind in WIDGETS for one in app.get(kind) if one.key}


@cache
def code_of(page: str) -> str:
    """The files of a page, which name what they keep in the state of the session without a widget."""
    return "".join(path.read_text(encoding="utf-8") for path in (ROOT / "apps" / page).glob("page*.py"))


@pytest.mark.parametrize("step", slow_but(FIRST, STEPS.values()), ids=list(STEPS))
def test_a_step_opens_before_and_after_its_question(step: Step) -> None:
    app = open_page("course", lesson=step.name)
    assert not app.error and app.subheader[0].value == step.title
    there, code = widgets(app), code_of(step.exhibit.page)
    key, kind = f"prediction {step.name}", step.question.kind
    box = app.radio(key=key) if isinstance(kind, Choice) else app.text_input(key=key)
    box.set_value(step.question.answer)
    press(app, "Show me")
    assert not app.exception and not app.error
    assert "As you predicted" in app.info[0].value and step.reveal[:20] in app.info[0].value
    for name, value in step.exhibit.values.items():
        if name not in NOT_WIDGETS:
            assert app.session_state[name] == value, name
            assert name in there | widgets(app) or f'"{name}"' in code, name
    for one in step.tries:
        press(app, one.title)
        assert not app.exception and not app.error, one.title
