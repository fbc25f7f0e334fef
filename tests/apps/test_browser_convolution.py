"""The page "Convolution bench" in a real browser: links, the walk over a digit, and narrow windows."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

SECTIONS = ["Signal", "Learned", "Kinds", "Digit", "Sizes", "Einstein"]

pytestmark = pytest.mark.browser


def test_a_person_changes_a_signal_and_the_address_keeps_it(page, server: str) -> None:
    from playwright.sync_api import expect  # it waits: boxes fill a moment after they appear

    page.goto(f"{server}/convolution")
    page.get_by_text("z1[4] = (-1)·0 + 1·1 = 1").first.wait_for()
    page.get_by_role("button", name="Detector of flexible length").click()
    page.get_by_text("lets the end of the block move").wait_for()
    box = page.get_by_label("Signal x")
    box.fill("0 0 1 1 1 1 0 0 0 0")
    box.press("Enter")
    page.get_by_text("z1[4] = (-1)·1 + 1·1 = 0").first.wait_for()
    page.wait_for_function("location.search.includes('x=')")
    state = parse_qs(urlsplit(page.url).query)
    assert state["x"] == ["0 0 1 1 1 1 0 0 0 0"]
    assert state["layers"][0].splitlines()[1] == "sum blocks 2"
    page.reload()
    page.get_by_text("z1[4] = (-1)·1 + 1·1 = 0").first.wait_for()
    expect(page.get_by_label("Signal x")).to_have_value("0 0 1 1 1 1 0 0 0 0")
    layers = "correlate -1 1 cyclic\nsum blocks 2\ncorrelate 1 -1 cyclic"
    expect(page.get_by_label("Layers, one a line")).to_have_value(layers)


def test_the_kernel_walks_over_the_digit_and_rests_in_the_address(page, server: str) -> None:
    page.goto(f"{server}/convolution?section=Digit&position=40")
    count = page.get_by_text("41 of 576")
    count.wait_for()
    page.get_by_role("button", name="One position on").click()
    page.get_by_text("42 of 576").wait_for()
    page.wait_for_function("location.search.includes('position=41')")
    page.get_by_role("button", name="Play").click()
    page.get_by_text("42 of 576").wait_for(state="hidden")
    page.get_by_role("button", name="Play").click()  # its words are Pause, its name stays
    page.wait_for_function("!location.search.includes('position=41')")
    rests = int(parse_qs(urlsplit(page.url).query)["position"][0])
    assert rests > 41
    page.reload()
    page.get_by_text(f"{rests + 1} of 576").wait_for()


def test_a_wrong_expression_is_a_message_and_the_page_lives(page, server: str) -> None:
    page.goto(f"{server}/convolution?section=Einstein&e=ij%2Cj-%3Ek")
    page.get_by_role("alert").get_by_text("which no tensor has").wait_for()
    box = page.get_by_role("textbox", name="Expression")
    box.fill("a_i^j b_j")
    box.press("Enter")
    page.get_by_text("y[i_] += a[i_, j_] * b[j_]").wait_for()
    assert page.get_by_role("alert").count() == 0
    assert page.locator(".katex-error").count() == 0


@pytest.mark.parametrize("page", [{"width": 400, "dark": True}], indirect=True, ids=["narrow and dark"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_fits_a_narrow_window(page, server: str, section: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server}/convolution?section={section}")
    page.get_by_text("As Keras").first.wait_for()
    page.wait_for_timeout(1500)
    wider = page.evaluate(
        "(() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main.scrollWidth - main.clientWidth; })()"
    )
    assert wider <= 0
    assert not errors
    assert page.locator("[data-testid=stException]").count() == 0
