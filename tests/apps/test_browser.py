"""The page "Word vectors" in a real browser: a person types the expression and reads the answer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.apps.browsing import PLACED, settled, skip_without, visit

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    skip_without("vectors_en_wiki", "vectors_en_wiki_gensim")


def expression_box(page):
    return page.get_by_role("textbox", name="Words with + and −")


def read_answers(page, chart: int, wanted: str) -> list[str]:
    """Wait until a chart (0 is ours, 1 is gensim's) names a word, then read its names from top to bottom."""
    names = page.locator("[data-testid=stPlotlyChart]").nth(chart).locator(".yaxislayer-above text")
    expect(names.filter(has_text=wanted).first).to_be_visible()
    settled(page)
    return [name for _, name in sorted(names.evaluate_all(PLACED))]


def test_a_person_types_the_expression_and_reads_madrid(page, server: str) -> None:
    visit(page, f"{server}/vectors?q=king+-+man+%2B+woman")
    assert "madrid" not in read_answers(page, 0, "queen")
    expect(expression_box(page)).to_have_value("king - man + woman")

    expression_box(page).fill("")
    expression_box(page).press_sequentially("paris - france + spain")
    page.get_by_role("button", name="Answer").click()

    assert read_answers(page, 0, "madrid")[0] == "madrid"
    assert read_answers(page, 1, "madrid")[0] == "madrid"


def test_home_leads_to_the_answer(page, server: str) -> None:
    visit(page, server)
    page.get_by_role("link", name="Paris − France + Spain ≈ Madrid").click()
    assert read_answers(page, 0, "madrid")[0] == "madrid"


def test_wrong_input_is_a_message_and_the_page_lives(page, server: str) -> None:
    visit(page, f"{server}/vectors?q=%28paris%29")
    expect(page.get_by_role("alert").get_by_text("parentheses are not read")).to_be_visible()
    expression_box(page).fill("2*paris - 2*france + 2*spain")
    expression_box(page).press("Enter")
    assert read_answers(page, 0, "madrid")[0] == "madrid"
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page).to_have_url(re.compile("q=2"))  # the state has an address
