"""The page "Writing" in a real browser: a person watches a text being written, stops it, and clicks its letters."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from apps.writer.application import DEFAULT_PRESET
from tests.apps.browsing import settled, skip_without, visit

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    skip_without(DEFAULT_PRESET)


def letters(page):
    return page.locator(".letters span[data-at]")


def text_of(page) -> str:
    """The text of the page's letters, without the signs for line ends."""
    return "".join(letters(page).all_text_contents()).replace("↵", "")


def write(page) -> None:
    page.get_by_role("button", name="Write", exact=True).click()


def test_a_person_writes_and_gets_the_same_text_again(page, server: str) -> None:
    visit(page, f"{server}/writer?prompt=ROMEO%3A&length=150&seed=3")
    write(page)
    expect(letters(page)).to_have_count(len("ROMEO:") + 150)
    first = text_of(page)
    assert first.startswith("ROMEO:")
    assert len(first) == len("ROMEO:") + 150
    page.reload()
    settled(page)
    write(page)
    expect(letters(page)).to_have_count(len("ROMEO:") + 150)
    assert text_of(page) == first


def test_writing_stops_at_once(page, server: str) -> None:
    visit(page, f"{server}/writer?prompt=ROMEO%3A&length=20000")
    write(page)
    # Without waiting for the button to stand still: that takes longer than a fast writer needs.
    page.get_by_role("button", name="Stop writing").dispatch_event("click")
    go_on = page.get_by_role("button", name="Go on writing")
    expect(go_on).to_be_visible()
    settled(page)
    expect(page.get_by_text("Stopped")).to_be_visible()  # before the first letter or behind some
    expect(page.get_by_role("button", name="Stop writing")).to_have_count(0)
    before = text_of(page)
    assert len(before) < 20_000
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value("ROMEO:")
    expect(page.get_by_role("spinbutton", name="Characters")).to_have_value("20000")
    go_on.click()
    running = page.get_by_text("▌")
    expect(running).to_be_visible()
    page.get_by_role("button", name="Stop writing").dispatch_event("click")
    expect(page.get_by_text("Stopped.")).to_be_visible()
    settled(page)
    assert max(len("ROMEO:"), len(before)) < letters(page).count() < 20_000
    assert text_of(page).startswith(before or "ROMEO:")


def test_a_click_on_a_letter_opens_its_alternatives_and_goes_on_from_there(page, server: str) -> None:
    visit(page, f"{server}/writer?prompt=ROMEO%3A&length=150")
    write(page)
    expect(letters(page)).to_have_count(6 + 150)
    settled(page)
    before = text_of(page)
    letters(page).nth(46).click()
    expect(page.get_by_text("at letter 41")).to_be_visible()
    bars = page.locator("[data-testid=stPlotlyChart] .yaxislayer-above text")
    expect(bars.filter(has_text="←").first).to_be_visible()
    settled(page)
    page.locator("[class*=st-key-go-on-40-] button:enabled").first.click()
    expect(letters(page)).to_have_count(46 + 1 + 150)
    after = text_of(page)
    assert after[:46] == before[:46]
    assert after[46] != before[46]


def test_a_wrong_prompt_is_a_message_and_the_page_lives(page, server: str) -> None:
    visit(page, f"{server}/writer?prompt=na%C3%AFve&length=100")
    write(page)
    expect(page.get_by_role("alert").get_by_text("'ï' at 2")).to_be_visible()
    box = page.get_by_role("textbox", name="Prompt")
    box.fill("KING:")
    box.press("Control+Enter")
    expect(letters(page)).to_have_count(len("KING:") + 100)
    expect(page.get_by_role("alert").get_by_text("'ï' at 2")).to_have_count(0)
    assert text_of(page).startswith("KING:")


def test_a_surprise_shows_on_a_card_inside_the_window(page, server: str) -> None:
    visit(page, f"{server}/writer?section=Read")
    expect(letters(page).nth(20)).to_be_visible()
    card = page.locator(".card")
    expect(card).to_be_hidden()
    letters(page).nth(20).hover()
    expect(card).to_be_visible()
    expect(card).to_contain_text("bits")
    place = card.bounding_box()
    assert place["x"] >= 0 and place["x"] + place["width"] <= 1280
