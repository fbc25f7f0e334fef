"""The page "Convolution bench" in a real browser: links, and the walk over a digit."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.apps.browsing import settled, visit

pytestmark = pytest.mark.browser


def test_a_person_changes_a_signal_and_the_address_keeps_it(page, server: str) -> None:
    visit(page, f"{server}/convolution")
    expect(page.get_by_text("z1[4] = (-1)·0 + 1·1 = 1").first).to_be_visible()
    page.get_by_role("button", name="Detector of flexible length").click()
    expect(page.get_by_text("lets the end of the block move")).to_be_visible()
    settled(page)
    box = page.get_by_label("Signal x")
    box.fill("0 0 1 1 1 1 0 0 0 0")
    box.press("Enter")
    expect(page.get_by_text("z1[4] = (-1)·1 + 1·1 = 0").first).to_be_visible()
    page.wait_for_function("location.search.includes('x=')")
    settled(page)
    state = parse_qs(urlsplit(page.url).query)
    assert state["x"] == ["0 0 1 1 1 1 0 0 0 0"]
    assert state["layers"][0].splitlines()[1] == "sum blocks 2"
    page.reload()
    expect(page.get_by_text("z1[4] = (-1)·1 + 1·1 = 0").first).to_be_visible()
    expect(page.get_by_label("Signal x")).to_have_value("0 0 1 1 1 1 0 0 0 0")
    layers = "correlate -1 1 cyclic\nsum blocks 2\ncorrelate 1 -1 cyclic"
    expect(page.get_by_label("Layers, one a line")).to_have_value(layers)


def test_the_kernel_walks_over_the_digit_and_rests_in_the_address(page, server: str) -> None:
    visit(page, f"{server}/convolution?section=Digit&position=40")
    expect(page.get_by_text("41 of 576")).to_be_visible()
    page.get_by_role("button", name="One position on").click()
    expect(page.get_by_text("42 of 576")).to_be_visible()
    page.wait_for_function("location.search.includes('position=41')")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("42 of 576")).to_be_hidden()
    page.get_by_role("button", name="Play").click()  # its words are Pause, its name stays
    page.wait_for_function("!location.search.includes('position=41')")
    settled(page)
    rests = int(parse_qs(urlsplit(page.url).query)["position"][0])
    assert rests > 41
    page.reload()
    expect(page.get_by_text(f"{rests + 1} of 576")).to_be_visible()


def test_a_wrong_expression_is_a_message_and_the_page_lives(page, server: str) -> None:
    visit(page, f"{server}/convolution?section=Einstein&e=ij%2Cj-%3Ek")
    expect(page.get_by_role("alert").get_by_text("which no tensor has")).to_be_visible()
    box = page.get_by_role("textbox", name="Expression")
    box.fill("a_i^j b_j")
    box.press("Enter")
    expect(page.get_by_text("y[i_] += a[i_, j_] * b[j_]")).to_be_visible()
    settled(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".katex-error")).to_have_count(0)
