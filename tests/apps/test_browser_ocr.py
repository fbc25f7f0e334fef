"""The page "Reading" in a real browser: a person writes with the mouse, composes a word and follows links."""

from __future__ import annotations

import pytest

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET
from apps.shared.reports import preset_installed

SECTIONS = ["Letters", "Words", "Unseen words", "Transitions", "Noise", "Errors", "Benchmark"]
# Strokes of "lot", in shares of the canvas.
STROKES = [
    [(0.2, 0.1), (0.2, 0.8)],
    [(0.34, 0.4), (0.28, 0.5), (0.28, 0.7), (0.34, 0.8), (0.4, 0.7), (0.4, 0.5), (0.34, 0.4)],
    [(0.5, 0.15), (0.5, 0.75), (0.54, 0.8)],
    [(0.46, 0.4), (0.56, 0.4)],
]
OVERFLOW = (
    "(() => { const main = document.querySelector('[data-testid=stMain]');"
    " return main.scrollWidth - main.clientWidth; })()"
)

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    missing = [preset for preset in (LETTERS_PRESET, WORDS_PRESET) if not preset_installed(preset)]
    if missing:
        pytest.skip(f"BROWSER TESTS LEFT OUT: not shipped: {', '.join(missing)}")


def write(page) -> None:
    canvas = page.locator("canvas.paper")
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    frame = canvas.bounding_box()
    for stroke in STROKES:
        places = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=6)
        page.mouse.up()


def answer(page):
    return page.get_by_label("The answer", exact=True)


def test_a_composed_word_is_read(page, server: str) -> None:
    page.goto(f"{server}/ocr?word=reading&hand=3")
    page.locator(".reading figure").nth(6).wait_for()
    box = page.get_by_role("textbox", name="Word")
    box.fill("letter")
    box.press("Enter")
    page.get_by_text("It says letter.").wait_for()
    assert page.locator(".reading figure").count() == 6


@pytest.mark.parametrize("section", ["Letters", "Words"])
def test_a_written_word_is_read_and_its_link_opens_it_again(page, server: str, section: str) -> None:
    page.goto(f"{server}/ocr?section={section}&source=Draw")
    write(page)
    answer(page).filter(has_text="lot").wait_for()
    page.wait_for_url("**drawing=**")
    link = page.url
    page.goto(f"{server}/ocr?section=Benchmark")
    page.goto(link)
    answer(page).filter(has_text="lot").wait_for()


@pytest.mark.parametrize("page", [{"width": 400, "dark": True}], indirect=True, ids=["narrow and dark"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_fits_a_narrow_window(page, server: str, section: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server}/ocr?section={section}")
    page.locator(".reading, [data-testid=stAlert], .js-plotly-plot").first.wait_for()
    page.wait_for_timeout(1500)
    assert page.evaluate(OVERFLOW) <= 0
    assert not errors
    assert page.locator("[data-testid=stException]").count() == 0
