"""The page in a real browser: a person types the expression and reads the answer."""

from __future__ import annotations

import pytest

from apps.shared.reports import preset_installed

PRESETS = ("vectors_en_wiki", "vectors_en_wiki_gensim")

pytestmark = pytest.mark.browser


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """Address of the server, which is not started where a preset is missing."""
    missing = [name for name in PRESETS if not preset_installed(name)]
    if missing:
        pytest.skip(f"BROWSER TESTS LEFT OUT: not shipped: {', '.join(missing)}")
    return request.getfixturevalue("server")


def expression_box(page):
    return page.get_by_role("textbox", name="Words with + and −")


def read_answers(page, chart: int, wanted: str) -> list[str]:
    """Wait until a chart (0 is ours, 1 is gensim's) names a word, then read its names from top to bottom."""
    names = page.locator("[data-testid=stPlotlyChart]").nth(chart).locator(".yaxislayer-above text")
    names.filter(has_text=wanted).first.wait_for()
    places = [(name.bounding_box()["y"], name.text_content().strip()) for name in names.all()]
    return [name for _, name in sorted(places)]


def test_a_person_types_the_expression_and_reads_madrid(page, address: str) -> None:
    page.goto(f"{address}/vectors?q=king+-+man+%2B+woman")
    assert "madrid" not in read_answers(page, 0, "queen")
    assert expression_box(page).input_value() == "king - man + woman"

    expression_box(page).fill("")
    expression_box(page).press_sequentially("paris - france + spain")
    page.get_by_role("button", name="Answer").click()

    assert read_answers(page, 0, "madrid")[0] == "madrid"
    assert read_answers(page, 1, "madrid")[0] == "madrid"


def test_home_leads_to_the_answer(page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="Paris − France + Spain ≈ Madrid").click()
    assert read_answers(page, 0, "madrid")[0] == "madrid"


def test_wrong_input_is_a_message_and_the_page_lives(page, address: str) -> None:
    page.goto(f"{address}/vectors?q=%28paris%29")
    page.get_by_role("alert").get_by_text("parentheses are not read").wait_for()
    expression_box(page).fill("2*paris - 2*france + 2*spain")
    expression_box(page).press("Enter")
    assert read_answers(page, 0, "madrid")[0] == "madrid"
    assert page.get_by_role("alert").count() == 0
    assert "q=2" in page.url  # the state has an address


@pytest.mark.parametrize("page", [{"width": 400, "dark": True}], indirect=True, ids=["narrow and dark"])
@pytest.mark.parametrize("section", ["Analogy", "Neighbours", "Map", "Objective", "Scores", "Benchmark"])
def test_every_section_fits_a_narrow_window(page, address: str, section: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/vectors?section={section}")
    page.locator("[data-testid=stPlotlyChart], [data-testid=stAlert]").first.wait_for()
    page.wait_for_timeout(1000)
    wider = page.evaluate(
        "(() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth - main.clientWidth; })()"
    )
    assert wider <= 0
    assert not errors
    assert page.locator("[data-testid=stException]").count() == 0


def test_nothing_is_fetched_from_elsewhere(page, address: str) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2] if "//" in request.url else ""))
    page.goto(f"{address}/vectors")
    read_answers(page, 0, "madrid")
    assert hosts - {""} == {address.removeprefix("http://")}
