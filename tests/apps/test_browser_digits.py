"""The page "Digits" in a real browser: a person draws digits with the mouse and with a finger, and follows links."""

from __future__ import annotations

import pytest

from apps.digits.application import DEFAULT_PRESET, LECTURE_PRESET
from apps.shared.reports import preset_installed
from tests.apps.conftest import ANSWER_MILLISECONDS

SECTIONS = ["Draw", "Layers", "Reasons", "Errors", "Depth", "Benchmark"]
# Corners of strokes, in shares of the canvas.
STROKES = {
    "1": [[(0.5, 0.15), (0.5, 0.85)]],
    "7": [[(0.25, 0.2), (0.75, 0.22), (0.45, 0.85)]],
    "0": [[(0.5, 0.15), (0.3, 0.3), (0.28, 0.6), (0.5, 0.85), (0.72, 0.6), (0.7, 0.3), (0.5, 0.15)]],
    "4": [[(0.4, 0.15), (0.25, 0.55), (0.75, 0.55)], [(0.65, 0.3), (0.65, 0.88)]],
}
OVERFLOW = (
    "(() => { const main = document.querySelector('[data-testid=stMain]');"
    " return main.scrollWidth - main.clientWidth; })()"
)

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    missing = [preset for preset in (DEFAULT_PRESET, LECTURE_PRESET) if not preset_installed(preset)]
    if missing:
        pytest.skip(f"BROWSER TESTS LEFT OUT: not shipped: {', '.join(missing)}")


def paper(page):
    canvas = page.locator("canvas.paper")
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    return canvas


def draw(page, digit: str) -> None:
    frame = paper(page).bounding_box()
    for stroke in STROKES[digit]:
        places = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=6)
        page.mouse.up()


def answer(page):
    return page.get_by_label("The answer", exact=True)


@pytest.mark.parametrize("digit", list(STROKES))
def test_a_drawn_digit_is_read_and_its_link_opens_it_again(page, server: str, digit: str) -> None:
    page.goto(f"{server}/digits")
    draw(page, digit)
    answer(page).filter(has_text=digit).wait_for()
    page.get_by_text("centre of mass moved").wait_for()
    page.wait_for_url("**drawing=**")
    link = page.url
    page.goto(f"{server}/digits?section=Benchmark")
    page.goto(link)
    answer(page).filter(has_text=digit).wait_for()
    again = page.url
    assert again == link


def test_undo_and_clear(page, server: str) -> None:
    page.goto(f"{server}/digits")
    draw(page, "1")
    answer(page).filter(has_text="1").wait_for()
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("answers after each stroke").wait_for()
    page.wait_for_url(lambda url: "drawing=" not in url)
    page.get_by_role("button", name="Undo").click()
    answer(page).filter(has_text="1").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("answers after each stroke").wait_for()


@pytest.mark.parametrize("page", [{"width": 400, "dark": True}], indirect=True, ids=["narrow and dark"])
def test_a_finger_draws_too(page, server: str) -> None:
    page.goto(f"{server}/digits")
    frame = paper(page).bounding_box()
    touch = page.context.new_cdp_session(page)

    def at(x: float, y: float) -> list[dict[str, float]]:
        return [{"x": frame["x"] + x * frame["width"], "y": frame["y"] + y * frame["height"]}]

    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at(0.5, 0.15)})
    for share in range(1, 15):
        points = at(0.5, 0.15 + 0.05 * share)
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    answer(page).filter(has_text="1").wait_for()
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


def test_a_drawing_goes_with_the_visitor_into_the_layers(page, server: str) -> None:
    page.goto(f"{server}/digits?preset=digits_lecture")
    draw(page, "7")
    answer(page).wait_for()
    page.get_by_role("radio", name="Layers").click()
    # The first look inside starts TensorFlow, which takes a while on a busy computer.
    page.get_by_text("8×5×5×1 + 8 = 208").wait_for(timeout=3 * ANSWER_MILLISECONDS)
    assert page.locator(".strip img").count() >= 10
    page.get_by_role("radio", name="Reasons").click()
    page.get_by_text("training image").first.wait_for()
    assert page.locator(".digits figure").count() == 5


def test_what_a_stranger_sends_is_a_message(page, server: str) -> None:
    page.goto(f"{server}/digits?drawing=nonsense")
    page.get_by_role("alert").get_by_text("drawing of the link").wait_for()
    draw(page, "1")
    answer(page).filter(has_text="1").wait_for()
    assert page.get_by_role("alert").get_by_text("drawing of the link").count() == 0


@pytest.mark.parametrize("page", [{"width": 400, "dark": True}], indirect=True, ids=["narrow and dark"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_fits_a_narrow_window(page, server: str, section: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server}/digits?section={section}&source=Example&preset=digits_lecture")
    page.locator(
        ".digits, .strip, [data-testid=stMetric], [data-testid=stAlert], .js-plotly-plot"
    ).first.wait_for()
    page.wait_for_timeout(1500)
    assert page.evaluate(OVERFLOW) <= 0
    assert not errors
    assert page.locator("[data-testid=stException]").count() == 0
