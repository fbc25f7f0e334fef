"""The page "Reading" in a real browser: a person writes with the mouse, composes a word and follows links."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET
from tests.apps.browsing import answer, draw, settled, skip_without, visit
from tests.repeated import slow_but

# Strokes of "lot", in shares of the canvas.
STROKES = [
    [(0.2, 0.1), (0.2, 0.8)],
    [(0.34, 0.4), (0.28, 0.5), (0.28, 0.7), (0.34, 0.8), (0.4, 0.7), (0.4, 0.5), (0.34, 0.4)],
    [(0.5, 0.15), (0.5, 0.75), (0.54, 0.8)],
    [(0.46, 0.4), (0.56, 0.4)],
]

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    skip_without(LETTERS_PRESET, WORDS_PRESET)


def test_a_composed_word_is_read(page, server: str) -> None:
    visit(page, f"{server}/ocr?word=reading&hand=3")
    expect(page.locator(".reading figure")).to_have_count(7)
    box = page.get_by_role("textbox", name="Word")
    box.fill("letter")
    box.press("Enter")
    expect(page.get_by_text("The word is letter.")).to_be_visible()
    expect(page.locator(".reading figure")).to_have_count(6)


@pytest.mark.parametrize("section", slow_but(["Words"], ["Letters", "Words"]))
def test_a_written_word_is_read_and_its_link_opens_it_again(page, server: str, section: str) -> None:
    visit(page, f"{server}/ocr?section={section}&source=Draw")
    draw(page, STROKES)
    expect(answer(page)).to_contain_text("lot")
    page.wait_for_url("**drawing=**")
    settled(page)
    link = page.url
    visit(page, f"{server}/ocr?section=Benchmark")
    visit(page, link)
    expect(answer(page)).to_contain_text("lot")
