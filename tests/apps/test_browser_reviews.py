"""The page "Reviews" in a real browser: a document is read, its words say why, and links open it again."""

from __future__ import annotations

import pytest

from apps.reviews.application import DEFAULT_PRESET, TOPICS_PRESET
from apps.shared.reports import preset_installed

SECTIONS = ["Verdict", "Inside", "Labels", "File", "Padding", "Networks", "Embeddings", "Benchmark"]
OVERFLOW = (
    "(() => { const main = document.querySelector('[data-testid=stMain]');"
    " return main.scrollWidth - main.clientWidth; })()"
)

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def presets() -> None:
    missing = [preset for preset in (DEFAULT_PRESET, TOPICS_PRESET) if not preset_installed(preset)]
    if missing:
        pytest.skip(f"BROWSER TESTS LEFT OUT: not shipped: {', '.join(missing)}")


def test_a_document_is_read_and_its_link_opens_it_again(page, server: str) -> None:
    page.goto(f"{server}/reviews")
    words = page.get_by_role("listbox", name="The document", exact=False)
    words.get_by_text("expected").wait_for()  # what is typed before the page is ready is lost
    box = page.get_by_role("textbox", name="Document")
    box.fill("A wonderful film. I was never bored.")
    page.get_by_role("button", name="Read", exact=True).click()
    page.wait_for_url("**wonderful**")
    words.get_by_text("never").wait_for()
    words.get_by_text("wonderful").hover()
    page.get_by_role("tooltip").filter(has_text="wonderful: +").wait_for()
    link = page.url
    page.goto(f"{server}/reviews?section=Benchmark")
    page.goto(link)
    words.get_by_text("wonderful").wait_for()


def test_a_file_comes_back_with_verdicts(page, server: str) -> None:
    page.goto(f"{server}/reviews?section=File")
    content = b'text\n"A wonderful, moving film."\n"Terrible acting, and a bore."\n'
    page.locator("input[type=file]").set_input_files(
        {"name": "films.csv", "mimeType": "text/csv", "buffer": content}
    )
    with page.expect_download() as download:
        page.get_by_role("button", name="Download verdicts").click()
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[1] for line in lines] == ["label", "pos", "neg"]


@pytest.mark.parametrize("page", [{"width": 400, "dark": True}], indirect=True, ids=["narrow and dark"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_fits_a_narrow_window(page, server: str, section: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server}/reviews?section={section}")
    page.locator("[data-testid=stAlert], .js-plotly-plot").first.wait_for()
    page.wait_for_timeout(1500)
    assert page.evaluate(OVERFLOW) <= 0
    assert not errors
    assert page.locator("[data-testid=stException]").count() == 0
