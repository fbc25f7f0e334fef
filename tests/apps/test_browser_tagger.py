"""The page "Tagging" in a real browser: a person types a sentence and reads its tags."""

from __future__ import annotations

import pytest

from apps.shared.reports import preset_installed
from apps.tagger.application import DEFAULT_PRESET, SEGMENTER_PRESET

SECTIONS = ["Text", "Network", "Errors", "Transitions", "Calibration", "Benchmark"]

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    missing = [name for name in (DEFAULT_PRESET, SEGMENTER_PRESET) if not preset_installed(name)]
    if missing:
        pytest.skip(f"BROWSER TESTS LEFT OUT: not shipped: {', '.join(missing)}")


def read_tags(page, first_word: str) -> list[tuple[str, str]]:
    """Wait until the ribbons begin with a word, then read words and tags."""
    words = page.locator(".ribbons .word")
    words.first.locator(".form").filter(has_text=first_word).wait_for()
    return [
        (word.locator(".form").text_content(), word.locator(":scope > .tag").text_content())
        for word in words.all()
    ]


def test_a_person_types_a_sentence_and_reads_its_tags(page, server: str) -> None:
    page.goto(f"{server}/tagger?text=Time+flies.")
    read_tags(page, "Time")
    box = page.get_by_role("textbox", name="Text")
    assert box.input_value() == "Time flies."
    box.fill("")
    box.press_sequentially("Dogs bark in Madrid.")
    page.get_by_role("button", name="Tag", exact=True).click()
    assert read_tags(page, "Dogs") == [
        *(("Dogs", "NOUN"), ("bark", "VERB"), ("in", "ADP"), ("Madrid", "PROPN"), (".", "PUNCT"))
    ]


def test_alternatives_show_on_hover_inside_the_window(page, server: str) -> None:
    page.goto(f"{server}/tagger?text=Dogs+bark.")
    read_tags(page, "Dogs")
    word = page.locator(".ribbons .word").nth(1)
    card = word.locator(".card")
    assert not card.is_visible()
    word.hover()
    card.wait_for(state="visible")
    assert card.locator(".row").count() == 4
    place = card.bounding_box()
    assert place["x"] >= 0 and place["x"] + place["width"] <= 1280


def test_a_text_is_downloaded_as_conllu(page, server: str, tmp_path) -> None:
    page.goto(f"{server}/tagger?text=Dogs+bark.")
    read_tags(page, "Dogs")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CoNLL-U").click()
    download.value.save_as(tmp_path / "tagged.conllu")
    lines = (tmp_path / "tagged.conllu").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "# text = Dogs bark."
    assert lines[3].split("\t")[1:4:2] == ["bark", "VERB"]


def test_a_square_of_the_matrix_opens_its_sentences(page, server: str) -> None:
    page.goto(f"{server}/tagger?section=Errors")
    squares = page.locator("[data-testid=stPlotlyChart] .scatterlayer .point")
    squares.first.wait_for()
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
    assert page.locator("blockquote").count() >= 1


@pytest.mark.parametrize("page", [{"width": 400, "dark": True}], indirect=True, ids=["narrow and dark"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_fits_a_narrow_window(page, server: str, section: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server}/tagger?section={section}")
    page.locator("[data-testid=stPlotlyChart], [data-testid=stAlert], .ribbons").first.wait_for()
    page.wait_for_timeout(1000)
    wider = page.evaluate(
        "(() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth - main.clientWidth; })()"
    )
    assert wider <= 0
    assert not errors
    assert page.locator("[data-testid=stException]").count() == 0
