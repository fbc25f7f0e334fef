"""What is taken away from pages in a real browser: pictures, sections in a frame, a lesson on a wall and on paper."""

from __future__ import annotations

import csv
import html
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from playwright.sync_api import expect

from apps.course.lessons import lessons
from apps.course.printing import lesson_html, pdf
from tests.apps.browsing import settled, visit

SIGNAL = "convolution?section=Signal&x=0+1+1+1+0&p=correlate+-1+1&explain=1&at=1"

SIZE = "one => parseFloat(getComputedStyle(one).fontSize) * one.getBoundingClientRect().height / one.offsetHeight"

pytestmark = pytest.mark.browser


def saved(page, form: str, folder: Path, at: int = 0) -> Path:
    """Save a picture of the page from its corner."""
    page.locator(".lectern-corner").nth(at).locator("summary").click()
    with page.expect_download() as download:
        page.locator(".lectern-corner").nth(at).get_by_role("button", name=form, exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_drawing_is_saved_as_svg_png_and_csv(page, server: str, tmp_path: Path) -> None:
    visit(page, f"{server}/{SIGNAL}")
    svg = ElementTree.parse(saved(page, "SVG", tmp_path)).getroot()
    shown = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert shown[:1] == ["x"] and shown.count("1") >= 3
    with Image.open(saved(page, "PNG", tmp_path)) as png:
        assert png.width > 400 and len(png.convert("RGB").getcolors(png.width * png.height)) > 20
    rows = list(csv.reader(saved(page, "CSV", tmp_path).open(encoding="utf-8")))
    assert rows[0] == ["x", "0", "1", "1", "1", "0"]
    assert rows[1][1:] == ["1", "0", "0", "-1", "0"]


def test_a_chart_is_saved_with_its_numbers_in_both_themes(page, server: str, tmp_path: Path) -> None:
    visit(page, f"{server}/convolution?section=Learned")
    text = saved(page, "SVG", tmp_path).read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert "barlayer" in text and "hoverlayer" not in text
    rows = list(csv.reader(saved(page, "CSV", tmp_path).open(encoding="utf-8")))
    assert rows[0] == ["trace", "x", "y", "value"] and len(rows) > 4


def test_the_corner_works_by_keyboard_and_gives_a_line_to_embed(page, server: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, f"{server}/{SIGNAL}")
    corner = page.locator(".lectern-corner").first
    corner.locator("summary").focus()
    page.keyboard.press("Enter")
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(corner.get_by_role("status")).to_have_text("Copied")
    line = page.evaluate("() => navigator.clipboard.readText()")
    page.keyboard.press("Escape")
    expect(corner.get_by_role("button", name="SVG")).to_be_hidden()
    address = html.unescape(re.fullmatch(r'<iframe src="([^"]+)" title=.*></iframe>', line)[1])
    visit(page, address)
    expect(page.get_by_label("Signal x")).to_have_value("0 1 1 1 0")
    for what in ("heading", "navigation"):
        expect(page.get_by_role(what)).to_have_count(0)
    expect(page.get_by_role("radiogroup", name="Section")).to_have_count(0)


def test_an_exhibit_of_a_lesson_is_embedded_by_its_own_page(page, server: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, f"{server}/course?lesson=convolution")
    page.get_by_label("Your prediction").first.fill("4")
    page.get_by_role("button", name="Show me").click()
    page.wait_for_url("**layers=**")  # the page is drawn once more with it
    settled(page)
    page.locator(".lectern-corner summary").first.click()
    page.locator(".lectern-corner").first.get_by_role("button", name="Embed").click()
    expect(page.locator(".lectern-corner").first.get_by_role("status")).to_have_text("Copied")
    line = page.evaluate("() => navigator.clipboard.readText()")
    assert "/convolution?" in line and "section=Signal" in line and "lesson=" not in line


def test_a_lesson_is_presented_by_arrow_keys(page, server: str) -> None:
    visit(page, f"{server}/course?lesson=convolution")
    page.get_by_role("button", name="Present").click()
    settled(page)
    first, second = list(lessons()["convolution"].steps.values())[:2]
    title = page.get_by_role("heading", level=2).first
    expect(title).to_have_text(first.title)
    for what in ("navigation", "banner"):
        expect(page.get_by_role(what)).to_have_count(0)
    assert page.locator(".st-key-presented-text p").first.evaluate(SIZE) >= 19
    page.keyboard.press("ArrowRight")
    expect(page.locator(".st-key-presented-text")).to_contain_text("Predict.")
    settled(page)
    assert "look=question" in page.url
    page.keyboard.press("ArrowRight")
    expect(page.locator(".st-key-presented-text")).to_contain_text(f"It shows {first.question.answer}")
    settled(page)
    page.keyboard.press("PageDown")
    expect(title).to_have_text(second.title)
    settled(page)
    page.keyboard.press("ArrowLeft")
    expect(title).to_have_text(first.title)
    settled(page)
    assert page.locator(".st-key-presented-exhibit").bounding_box()["y"] < 200
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Present")).to_be_visible()
    assert "present" not in page.url and "lesson=convolution" in page.url


def test_a_print_has_the_pictures_and_the_browser_is_asked_to_print(page, server: str) -> None:
    page.add_init_script("window.printed = 0; window.print = () => { window.top.printed += 1; }")
    visit(page, f"{server}/course?section=Print&of=convolution")
    page.get_by_role("button", name="Print", exact=True).click()
    page.wait_for_function("() => window.printed === 1")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as HTML").click()
    html_text = Path(download.value.path()).read_text(encoding="utf-8")
    assert html_text == lesson_html("convolution")
    assert pdf(html_text).startswith(b"%PDF-")
