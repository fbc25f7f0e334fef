"""The course in a browser: a student takes lesson 2, fails and solves an exercise, and takes the progress along."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from apps.course.answers import Choice
from apps.course.catalogue import exercise
from apps.course.lessons import Question, lessons
from apps.course.progress import Progress
from tests.apps.browsing import settled, visit

LESSON, SEED = lessons()["convolution"], 42

pytestmark = pytest.mark.browser


def predict(page, question: Question, value: object) -> None:
    """Type or choose a prediction, all by keyboard, and ask to be shown."""
    form = page.get_by_test_id("stForm").first
    if isinstance(question.kind, Choice):
        form.get_by_role("radio").nth(question.kind.options.index(value)).check(force=True)
        form.get_by_role("button", name="Show me").press("Enter")
    else:
        box = form.get_by_role("textbox", name="Your prediction")
        box.fill(question.kind.written(value))
        box.press("Enter")
    expect(
        page.get_by_test_id("stAlert").get_by_text("xhibit shows").or_(as_predicted(page)).first
    ).to_be_visible()


def as_predicted(page):
    return page.get_by_test_id("stAlert").get_by_text("As you predicted")


def test_a_student_takes_a_lesson(page, server: str) -> None:
    visit(page, f"{server}/course")
    page.get_by_role("button", name="Begin").nth(list(lessons()).index("convolution")).click()
    wrong = None
    for at, step in enumerate(LESSON.steps.values(), start=1):
        expect(page.get_by_role("heading", name=step.title, exact=True)).to_be_visible()
        settled(page)
        question = step.question
        if wrong is None and question.seen:
            wrong = question.seen[0][0]
            predict(page, question, wrong)
            expect(as_predicted(page)).to_be_hidden()
        else:
            predict(page, question, question.right)
            expect(as_predicted(page)).to_be_visible()
        assert not page.get_by_test_id("stException").count()
        if at < len(LESSON.steps):
            page.get_by_role("button", name="Next", exact=True).press("Enter")
    assert wrong is not None
    page.get_by_role("button", name="Lessons", exact=True).first.click()
    count = len(LESSON.steps)
    expect(page.get_by_role("button", name=f"Again · {count} of {count}")).to_be_visible()


def test_an_exercise_is_failed_and_solved_with_a_hint_and_the_progress_goes_along(
    page, server: str, tmp_path
) -> None:
    name = "convolution/layer"
    sheet = exercise(name).sheet(SEED)
    visit(page, f"{server}/course?section=Exercises&exercises=convolution&seed={SEED}")
    box = page.get_by_role("textbox", name="Answer").first
    box.fill(next(one.answer for one in sheet.mistakes if one.name == "bias"))
    box.press("Enter")
    expect(page.get_by_text("You forgot the bias")).to_be_visible()
    page.get_by_role("button", name="Hint 1 of 3").press("Enter")
    expect(page.get_by_text("Hint 1.")).to_be_visible()
    box.fill(sheet.answer)
    box.press("Enter")
    expect(page.get_by_text("Right.", exact=True)).to_be_visible()
    expect(page.get_by_text("Solution.")).to_be_visible()
    expect(page.get_by_text("1 of 10 right on this sheet")).to_be_visible()
    page.get_by_role("radio", name="What I know").or_(
        page.get_by_role("button", name="What I know")
    ).first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my progress").click()
    download.value.save_as(tmp_path / "progress.json")
    found = Progress.from_file((tmp_path / "progress.json").read_bytes()).exercises[name]
    assert (found.seed, found.tries, found.hints, found.right) == (SEED, 2, 1, True)
    address = page.url
    assert "progress=" in address
    page.goto("about:blank")
    visit(page, f"{server}/course?section=Know")  # a new visit knows nothing
    known = page.get_by_role("button", name="Convolutional neural networks · 1 of")
    expect(known).to_be_hidden()
    page.locator("input[type=file]").set_input_files(tmp_path / "progress.json")
    expect(known).to_be_visible()
    page.goto("about:blank")
    visit(page, address)  # a link on another machine goes on, too
    expect(known).to_be_visible()
