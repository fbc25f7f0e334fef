"""The page "Course": the overview, a step before and after its question, and wrong addresses."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from apps.course.lessons import lessons
from tests.apps.pages import open_page


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()


def test_the_overview_leads_to_every_lesson() -> None:
    app = open_page("course")
    begin = [button for button in app.button if button.label.startswith("Begin")]
    assert len(begin) == len(lessons()) == 10
    begin[1].click().run()
    assert app.query_params["lesson"] == "convolution"
    assert app.subheader[0].value == next(iter(lessons()["convolution"].steps.values())).title


def test_the_exhibit_shows_what_was_asked() -> None:
    app = open_page("course", lesson="convolution")
    before = app.text_input(key="x").value
    app.text_input(key="prediction convolution/slide").set_value("1")
    press(app, "Show me")
    assert not app.exception
    assert "You predicted 1" in app.info[0].value and "**-1**" in app.info[0].value
    assert app.text_input(key="x").value != before


def test_a_prediction_that_cannot_be_read_is_one_message() -> None:
    app = open_page("course", lesson="convolution/slide")
    app.text_input(key="prediction convolution/slide").set_value("many")
    press(app, "Show me")
    assert len(app.error) == 1 and "many" in app.error[0].value
    assert not app.info


def test_a_lesson_that_is_not_there_is_one_message() -> None:
    for name in ("nowhere", "convolution/nowhere", "/"):
        app = open_page("course", lesson=name)
        assert len(app.error) == 1 and "There is no such" in app.error[0].value
        press(app, "All lessons")
        assert not app.error


def test_presenting_a_lesson_that_is_not_there_is_one_message() -> None:
    for query in ({}, {"lesson": "nowhere"}):
        app = open_page("course", present="true", **query)
        assert len(app.error) == 1 and "There is no such" in app.error[0].value
