"""The page "Reviews" in a real browser: a document is read, its words say why, and links open it again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from apps.reviews.application import DEFAULT_PRESET, TOPICS_PRESET
from tests.apps.browsing import settled, skip_without, visit

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    skip_without(DEFAULT_PRESET, TOPICS_PRESET)


def test_a_document_is_read_and_its_link_opens_it_again(page, server: str) -> None:
    visit(page, f"{server}/reviews")
    words = page.get_by_role("listbox", name="The document", exact=False)
    expect(words.first).to_be_visible()  # what is typed before the page is ready is lost
    box = page.get_by_role("textbox", name="Document")
    box.fill("A wonderful film. I was never bored.")
    page.get_by_role("button", name="Read", exact=True).click()
    page.wait_for_url("**wonderful**")
    expect(words.get_by_text("never")).to_be_visible()
    settled(page)
    words.get_by_text("never").hover()
    expect(page.get_by_role("tooltip").filter(has_text="never: +")).to_be_visible()
    link = page.url
    visit(page, f"{server}/reviews?section=Benchmark")
    visit(page, link)
    expect(words.get_by_text("wonderful")).to_be_visible()


def test_a_file_comes_back_with_verdicts(page, server: str) -> None:
    visit(page, f"{server}/reviews?section=File")
    content = b'text\n"A wonderful, moving film."\n"Terrible acting, and a bore."\n'
    page.locator("input[type=file]").set_input_files(
        {"name": "films.csv", "mimeType": "text/csv", "buffer": content}
    )
    expect(page.get_by_text("verdicts on a small example")).to_have_count(0)  # shown until there is a file
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download verdicts").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[1] for line in lines] == ["label", "pos", "neg"]
