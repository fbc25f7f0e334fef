"""The page "Digits" in a real browser: a person draws digits with the mouse and with a finger, and follows links."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from apps.digits.application import DEFAULT_PRESET, LECTURE_PRESET
from tests.apps.browsing import ANSWER_MILLISECONDS, answer, draw, settled, skip_without, visit
from tests.repeated import slow_but

# Corners of strokes, in shares of the canvas.
STROKES = {
    "1": [[(0.5, 0.15), (0.5, 0.85)]],
    "7": [[(0.25, 0.2), (0.75, 0.22), (0.45, 0.85)]],
    "0": [[(0.5, 0.15), (0.3, 0.3), (0.28, 0.6), (0.5, 0.85), (0.72, 0.6), (0.7, 0.3), (0.5, 0.15)]],
    "4": [[(0.4, 0.15), (0.25, 0.55), (0.75, 0.55)], [(0.65, 0.3), (0.65, 0.88)]],
}
WAITING = "Nothing is drawn yet"

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    skip_without(DEFAULT_PRESET, LECTURE_PRESET)


@pytest.mark.parametrize("digit", slow_but("1", STROKES))
def test_a_drawn_digit_is_read_and_its_link_opens_it_again(page, server: str, digit: str) -> None:
    visit(page, f"{server}/digits")
    draw(page, STROKES[digit])
    expect(page.get_by_text(WAITING)).to_have_count(0)
    expect(answer(page)).to_contain_text(digit)
    expect(page.get_by_text("centre of mass moved")).to_be_visible()
    page.wait_for_url("**drawing=**")
    settled(page)
    link = page.url
    visit(page, f"{server}/digits?section=Benchmark")
    visit(page, link)
    expect(answer(page)).to_contain_text(digit)
    assert page.url == link


def test_undo_and_clear(page, server: str) -> None:
    visit(page, f"{server}/digits")
    draw(page, STROKES["1"])
    expect(page.get_by_text(WAITING)).to_have_count(0)
    expect(answer(page)).to_contain_text("1")
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text(WAITING)).to_be_visible()
    page.wait_for_url(lambda url: "drawing=" not in url)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(WAITING)).to_have_count(0)
    expect(answer(page)).to_contain_text("1")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(WAITING)).to_be_visible()


@pytest.mark.parametrize("page", [{"width": 400, "theme": "dark"}], indirect=True, ids=["narrow and dark"])
def test_a_finger_draws_too(page, server: str) -> None:
    visit(page, f"{server}/digits")
    canvas = page.locator("canvas.paper")
    canvas.scroll_into_view_if_needed()
    frame = canvas.bounding_box()
    before = page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    touch = page.context.new_cdp_session(page)

    def at(x: float, y: float) -> list[dict[str, float]]:
        return [{"x": frame["x"] + x * frame["width"], "y": frame["y"] + y * frame["height"]}]

    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at(0.5, 0.15)})
    for share in range(1, 15):
        points = at(0.5, 0.15 + 0.05 * share)
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.get_by_text(WAITING)).to_have_count(0)
    expect(answer(page)).to_contain_text("1")
    # A stroke does not scroll the page.
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == before


def test_a_drawing_goes_with_the_visitor_into_the_layers(page, server: str) -> None:
    visit(page, f"{server}/digits?preset={LECTURE_PRESET}")
    draw(page, STROKES["7"])
    expect(page.get_by_text(WAITING)).to_have_count(0)
    expect(answer(page)).to_be_visible()
    page.get_by_role("radio", name="Inside the layers").click()
    # The first look inside starts TensorFlow, which takes a while on a busy computer.
    expect(page.get_by_text("8×5×5×1 + 8 = 208")).to_be_visible(timeout=3 * ANSWER_MILLISECONDS)
    expect(page.locator(".strip img").nth(9)).to_be_attached()
    page.get_by_role("radio", name="What the answer rests on").click()
    expect(page.get_by_text("training image").first).to_be_visible()
    expect(page.locator(".pictures figure")).to_have_count(5)


def test_what_a_stranger_sends_is_a_message(page, server: str) -> None:
    visit(page, f"{server}/digits?drawing=nonsense")
    expect(page.get_by_role("alert").get_by_text("drawing of the link")).to_be_visible()
    draw(page, STROKES["1"])
    expect(answer(page)).to_contain_text("1")
    expect(page.get_by_role("alert").get_by_text("drawing of the link")).to_have_count(0)
