"""The page "Writing" in a real browser: a person watches a text being written, stops it, and clicks its letters."""

from __future__ import annotations

import pytest

from apps.shared.reports import preset_installed
from apps.writer.application import DEFAULT_PRESET

SECTIONS = ["Write", "Read", "Copies", "Quiz", "Gates", "Unrolled", "Ladder"]

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    if not preset_installed(DEFAULT_PRESET):
        pytest.skip(f"BROWSER TESTS LEFT OUT: not shipped: {DEFAULT_PRESET}")


def letters(page):
    return page.locator(".letters span[data-at]")


def text_of(page) -> str:
    """The text of the page's letters, without the signs for line ends."""
    return "".join(letters(page).all_text_contents()).replace("↵", "")


def write(page) -> None:
    page.get_by_role("button", name="Write", exact=True).click()


def test_a_person_writes_and_gets_the_same_text_again(page, server: str) -> None:
    page.goto(f"{server}/writer?prompt=ROMEO%3A&length=150&seed=3")
    write(page)
    letters(page).nth(155).wait_for()
    first = text_of(page)
    assert first.startswith("ROMEO:")
    assert len(first) == len("ROMEO:") + 150
    page.reload()
    write(page)
    letters(page).nth(155).wait_for()
    assert text_of(page) == first


def test_writing_stops_at_once(page, server: str) -> None:
    page.goto(f"{server}/writer?prompt=ROMEO%3A&length=20000")
    write(page)
    # Without waiting for the button to stand still: that takes longer than a fast writer needs.
    page.get_by_role("button", name="Stop writing").dispatch_event("click")
    page.get_by_text("Stopped.").wait_for()
    letters(page).first.wait_for()
    assert len("ROMEO:") < letters(page).count() < 20_000
    assert page.get_by_role("button", name="Stop writing").count() == 0


def test_a_click_on_a_letter_opens_its_alternatives_and_goes_on_from_there(page, server: str) -> None:
    page.goto(f"{server}/writer?prompt=ROMEO%3A&length=150")
    write(page)
    letters(page).nth(155).wait_for()
    before = text_of(page)
    letters(page).nth(46).click()
    page.get_by_text("at letter 41").wait_for()
    bars = page.locator("[data-testid=stPlotlyChart] .yaxislayer-above text")
    bars.filter(has_text="←").first.wait_for()
    page.locator("[class*=st-key-go-on-40-] button:enabled").first.click()
    letters(page).nth(46).filter(has_not_text=before[46]).wait_for()
    letters(page).nth(46 + 150).wait_for()
    after = text_of(page)
    assert after[:46] == before[:46]
    assert after[46] != before[46]


def test_a_wrong_prompt_is_a_message_and_the_page_lives(page, server: str) -> None:
    page.goto(f"{server}/writer?prompt=na%C3%AFve&length=100")
    write(page)
    page.get_by_role("alert").get_by_text("'ï' at 2").wait_for()
    box = page.get_by_role("textbox", name="Prompt")
    box.fill("KING:")
    box.press("Control+Enter")
    letters(page).nth(100).wait_for()
    assert page.get_by_role("alert").get_by_text("'ï' at 2").count() == 0
    assert text_of(page).startswith("KING:")


def test_a_surprise_shows_on_a_card_inside_the_window(page, server: str) -> None:
    page.goto(f"{server}/writer?section=Read")
    letters(page).nth(20).wait_for()
    card = page.locator(".card")
    assert not card.is_visible()
    letters(page).nth(20).hover()
    card.wait_for(state="visible")
    assert "bits" in card.text_content()
    place = card.bounding_box()
    assert place["x"] >= 0 and place["x"] + place["width"] <= 1280


@pytest.mark.parametrize("page", [{"width": 400, "dark": True}], indirect=True, ids=["narrow and dark"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_fits_a_narrow_window(page, server: str, section: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server}/writer?section={section}")
    page.locator(
        "[data-testid=stForm], [data-testid=stMetric], .letters, [data-testid=stAlert]"
    ).first.wait_for()
    page.wait_for_timeout(1500)
    wider = page.evaluate(
        "(() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth - main.clientWidth; })()"
    )
    assert wider <= 0
    assert not errors
    assert page.locator("[data-testid=stException]").count() == 0
