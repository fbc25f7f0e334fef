"""Pages and prints for everyone: axe-core finds nothing serious, and a lesson with its exercises needs no mouse."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from apps.course.answers import Choice
from apps.course.catalogue import exercise
from apps.course.lessons import lessons
from apps.course.printing import lesson_html, sheet_html
from tests.apps.browsing import settled, visit
from tests.apps.pages import EVERY_SECTION, SECTIONS

MORE = {"digits": {"source": "Example", "preset": "digits_lecture"}}  # of the address
LESSON = "course?lesson=convolution"
OTHERS = {
    "home": "",
    "exercises": "course?section=Exercises&exercises=convolution&seed=42",
    "presented": f"{LESSON}&present=true",
    "embedded": "convolution?section=Signal&embed=true",
}
SOME = [(key, SECTIONS[key][0]) for key in ("tagger", "digits")]  # the others are slow
LOOKS = [{"width": width, "theme": theme} for theme in ("light", "dark") for width in (1280, 400)]
NAMES = [f"{look['width']} {look['theme']}" for look in LOOKS]
QUICK = {"argvalues": LOOKS[:1], "ids": NAMES[:1], "indirect": True}
EVERY = {"argvalues": LOOKS, "ids": NAMES, "indirect": True}
WORST = ("serious", "critical")
# What Streamlit 1.67.0 draws and no page can set: rule, part of the element's HTML, and why.
STREAMLITS: tuple[tuple[str, str, str], ...] = ()
FOUND = """async (worst) => (await axe.run(document, { resultTypes: ['violations'] })).violations
  .filter((one) => worst.includes(one.impact) || one.id === 'heading-order')
  .flatMap((one) => one.nodes.map((node) => [one.id, node.html, node.failureSummary]))"""
STILL = "() => !document.getAnimations().some((one) => one.playState === 'running')"

pytestmark = pytest.mark.browser


def violations(page) -> list[tuple[str, str, str]]:
    """What axe-core calls serious or critical on a page, and headings that leave out a level."""
    page.wait_for_function(STILL)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    return [
        (rule, html, why)
        for rule, html, why in page.evaluate(FOUND, list(WORST))
        if not any(rule == known and part in html for known, part, _ in STREAMLITS)
    ]


def address(key: str, section: str) -> str:
    return f"{key}?{urlencode({'section': section, **MORE.get(key, {})})}"


@pytest.mark.parametrize("page", **QUICK)
def test_some_sections_and_a_lesson_have_no_violation(page, server: str) -> None:
    found = {}
    for key, section in SOME:
        visit(page, f"{server}/{address(key, section)}")
        found[key] = violations(page)
    visit(page, f"{server}/{LESSON}")
    found["before the prediction"] = violations(page)
    page.get_by_role("textbox", name="Your prediction").fill("4")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stAlert").first).to_be_visible()
    settled(page)
    found["after it"] = violations(page)
    assert not {place: what for place, what in found.items() if what}


@pytest.mark.slow
@pytest.mark.parametrize("page", **EVERY)
@pytest.mark.parametrize(("key", "section"), EVERY_SECTION)
def test_every_section_has_no_violation(page, server: str, key: str, section: str) -> None:
    visit(page, f"{server}/{address(key, section)}")
    assert not violations(page)


@pytest.mark.slow
@pytest.mark.parametrize("page", **EVERY)
@pytest.mark.parametrize("name", OTHERS)
def test_other_pages_have_no_violation(page, server: str, name: str) -> None:
    visit(page, f"{server}/{OTHERS[name]}")
    assert not violations(page)


@pytest.mark.slow
@pytest.mark.parametrize("page", **EVERY)
@pytest.mark.parametrize("key", lessons())
def test_a_print_has_no_violation(page, tmp_path: Path, key: str) -> None:
    for at, html in enumerate(
        (lesson_html(key), lesson_html(key, grey=True), sheet_html(key, solutions=True))
    ):
        path = tmp_path / f"{at}.html"
        path.write_text(html, encoding="utf-8")
        page.goto(path.as_uri())
        assert not violations(page)


FOCUS = """() => {
  let one = document.activeElement;
  while (one.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  const drawn = [one, one.parentElement, one.parentElement?.parentElement, one.nextElementSibling].filter(Boolean);
  return [one.innerText || one.value || one.ariaLabel || '', drawn.some((part) => {
    const style = getComputedStyle(part);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
  })];
}"""


def tab_to(page, one, key: str = "Tab") -> None:
    """Press Tab until an element has the focus, which has to be seen."""
    for _ in range(80):
        page.keyboard.press(key)
        if one.evaluate("one => one === document.activeElement || one.contains(document.activeElement)"):
            said, seen = page.evaluate(FOCUS)
            assert seen, f"the focus on {said!r} is not seen"
            return
    pytest.fail("Tab never gets there")


def test_a_lesson_s_steps_by_keyboard_alone(page, server: str) -> None:
    lesson = lessons()["convolution"]
    numbered, chosen = (
        next(one for one in lesson.steps.values() if isinstance(one.question.kind, Choice) is choice)
        for choice in (False, True)
    )
    visit(page, f"{server}/course?lesson={numbered.name}")
    tab_to(page, page.get_by_role("textbox", name="Your prediction"))
    page.keyboard.type(numbered.question.answer)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    predicted = page.get_by_test_id("stAlert").get_by_text("As you predicted")
    expect(predicted).to_be_visible()
    page.goto("about:blank")
    visit(page, f"{server}/course?lesson={chosen.name}")
    options = page.get_by_role("radiogroup", name="Your prediction").get_by_role("radio")
    tab_to(page, page.get_by_role("radiogroup", name="Your prediction"))
    page.keyboard.press("Space")
    for _ in range(chosen.question.kind.options.index(chosen.question.right)):
        page.keyboard.press("ArrowDown")
    expect(options.nth(chosen.question.kind.options.index(chosen.question.right))).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Show me"))
    page.keyboard.press("Space")
    expect(predicted).to_be_visible()


def test_an_exercise_and_its_hints_by_keyboard_alone(page, server: str) -> None:
    sheet = exercise("convolution/layer").sheet(42)
    visit(page, f"{server}/course?section=Exercises&exercises=convolution&exercise=layer&seed=42")
    box = page.get_by_role("textbox", name="Answer")
    tab_to(page, box)
    page.keyboard.type(next(one.answer for one in sheet.mistakes if one.name == "bias"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Hint 1 of 3"))
    page.keyboard.press("Space")
    expect(page.get_by_text("Hint 1.")).to_be_visible()
    tab_to(page, box, "Shift+Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type(sheet.answer)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Right.", exact=True)).to_be_visible()
