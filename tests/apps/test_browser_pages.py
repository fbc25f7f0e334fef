"""Every section of every page in a real browser: it fits a narrow window, says something, and fetches nothing else."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from tests.apps.browsing import OVERFLOW, settled, visit
from tests.apps.pages import EVERY_SECTION, SECTIONS
from tests.repeated import slow_but

MORE = {"digits": {"source": "Example", "preset": "digits_lecture"}}  # of the address
# What says that a section has answered.
ANSWERED = {
    "vectors": "[data-testid=stPlotlyChart], [data-testid=stAlert]",
    "tagger": "[data-testid=stPlotlyChart], [data-testid=stAlert], .ribbons",
    "writer": "[data-testid=stForm], [data-testid=stMetric], .letters, [data-testid=stAlert]",
    "digits": ".pictures, .strip, [data-testid=stMetric], [data-testid=stAlert], .js-plotly-plot",
    "ocr": ".reading, [data-testid=stAlert], .js-plotly-plot",
    "reviews": "[data-testid=stAlert], .js-plotly-plot",
    "convolution": "text=As Keras",
    "laboratory": "[data-testid=stAlert], [data-testid=stSelectbox], [data-testid=stDataFrame]",
    "course": "[data-testid=stImage], [data-testid=stForm], [data-testid=stSelectbox], h3",
}

ERRORS = "[data-testid=stSlider]"  # of every section of errors
QUICK = {(key, sections[0]) for key, sections in SECTIONS.items()}
QUICK |= {("digits", "Layers"), ("writer", "Read"), ("reviews", "Errors")}  # what else draws much of its own

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", [{"width": 400, "theme": "dark"}], indirect=True, ids=["narrow and dark"])
@pytest.mark.parametrize(("key", "section"), slow_but(QUICK, EVERY_SECTION))
def test_every_section_fits_a_narrow_window(page, server: str, key: str, section: str) -> None:
    from playwright.sync_api import expect

    errors: list[str] = []
    hosts: set[str] = set()

    def failed(error) -> None:
        errors.append(str(error))

    def asked(request) -> None:
        hosts.add(urlsplit(request.url).netloc)

    page.on("pageerror", failed)
    page.on("request", asked)
    try:
        visit(page, f"{server}/{key}?{urlencode({'section': section, **MORE.get(key, {})})}")
        expect(page.locator(ERRORS if section == "Errors" else ANSWERED[key]).first).to_be_visible()
        settled(page)
    finally:  # the next test has the same tab
        page.remove_listener("pageerror", failed)
        page.remove_listener("request", asked)
    assert page.evaluate(OVERFLOW) <= 0
    assert not errors
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert hosts - {""} == {server.removeprefix("http://")}


@pytest.mark.parametrize(
    ("header", "status"),
    [({}, 101), ({"Origin": "http://example.org"}, 403), ({"Host": "example.org"}, 403)],
    ids=["own", "another site", "another name"],
)
def test_another_sites_page_opens_no_session(server: str, header: dict[str, str], status: int) -> None:
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    asked |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", **header}
    with httpx.stream("GET", f"{server}/_stcore/stream", headers=asked) as answer:
        assert answer.status_code == status
