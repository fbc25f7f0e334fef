"""The page "Tagging" in a real browser: a person types a sentence and reads its tags."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from apps.tagger.application import DEFAULT_PRESET, SEGMENTER_PRESET
from tests.apps.browsing import settled, skip_without, visit

READ = """words => words.map(word =>
  [word.querySelector('.form').textContent, word.querySelector(':scope > .tag').textContent])"""

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    skip_without(DEFAULT_PRESET, SEGMENTER_PRESET)


def read_tags(page, first_word: str) -> list[list[str]]:
    """Wait until the ribbons begin with a word, then read words and tags."""
    words = page.locator(".ribbons .word")
    expect(words.first.locator(".form")).to_contain_text(first_word)
    settled(page)
    return words.evaluate_all(READ)


def test_a_person_types_a_sentence_and_reads_its_tags(page, server: str) -> None:
    visit(page, f"{server}/tagger?text=Time+flies.")
    read_tags(page, "Time")
    box = page.get_by_role("textbox", name="Text")
    expect(box).to_have_value("Time flies.")
    box.fill("")
    box.press_sequentially("Dogs bark in Madrid.")
    page.get_by_role("button", name="Tag the text", exact=True).click()
    assert read_tags(page, "Dogs") == [
        *(["Dogs", "NOUN"], ["bark", "VERB"], ["in", "ADP"], ["Madrid", "PROPN"], [".", "PUNCT"])
    ]


def test_alternatives_show_on_hover_inside_the_window(page, server: str) -> None:
    visit(page, f"{server}/tagger?text=Dogs+bark.")
    read_tags(page, "Dogs")
    word = page.locator(".ribbons .word").nth(1)
    card = word.locator(".card")
    expect(card).to_be_hidden()
    word.hover()
    expect(card).to_be_visible()
    expect(card.locator(".row")).to_have_count(4)
    place = card.bounding_box()
    assert place["x"] >= 0 and place["x"] + place["width"] <= 1280


def test_a_text_is_downloaded_as_conllu(page, server: str, tmp_path) -> None:
    visit(page, f"{server}/tagger?text=Dogs+bark.")
    read_tags(page, "Dogs")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CoNLL-U").click()
    download.value.save_as(tmp_path / "tagged.conllu")
    lines = (tmp_path / "tagged.conllu").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "# text = Dogs bark."
    assert lines[3].split("\t")[1:4:2] == ["bark", "VERB"]


def test_a_square_of_the_matrix_opens_its_sentences(page, server: str) -> None:
    visit(page, f"{server}/tagger?section=Errors")
    squares = page.locator("[data-testid=stPlotlyChart] .scatterlayer .point")
    expect(squares.first).to_be_visible()
    chosen = page.get_by_role("combobox").first
    before = chosen.input_value() or page.locator("[data-testid=stSelectbox]").inner_text()
    # Plotly listens on a layer above the squares, so the mouse goes where a person would point.
    box = squares.nth(3).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stSelectbox]').innerText !== before"
        " && document.querySelector('[data-testid=stSelectbox] input')?.value !== before",
        arg=before,
    )
    expect(page.locator("blockquote").first).to_be_visible()
