"""What browser tests share; they wait for the state that they assert, by ``expect`` or for a page that is settled."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from apps.lecture.topics import ROOT

ANSWER_MILLISECONDS = 60_000  # before a test gives up
# The script has ended, everything that it asked for is drawn, and every picture has arrived.
SETTLED = """() =>
  document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-testid=stSkeleton], [data-testid=stPlotlyChart]:not(:has(.main-svg))')
  && [...document.images].every((image) => image.complete)"""
LAID_OUT = """() => document.fonts.ready.then(
  () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))"""
OVERFLOW = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  return main.scrollWidth - main.clientWidth;
}"""
PLACED = "names => names.map(name => [name.getBoundingClientRect().y, name.textContent.trim()])"


def skip_without(*presets: str) -> None:
    """Leave a test out where a preset is not shipped."""
    if missing := [name for name in presets if not (ROOT / "models" / "presets" / name).is_dir()]:
        pytest.skip(f"browser: not shipped: {', '.join(missing)}")


def settled(page) -> None:
    """Wait until nothing on the page is about to change by itself."""
    page.wait_for_function(SETTLED)
    page.evaluate(LAID_OUT)


def visit(page, address: str) -> None:
    """Open an address and wait until the page is settled."""
    page.goto(address)
    settled(page)


def draw(page, strokes: Sequence[Sequence[tuple[float, float]]]) -> None:
    """Draw strokes on the page's canvas with the mouse; their corners are shares of its width and height."""
    canvas = page.locator("canvas.paper")
    canvas.scroll_into_view_if_needed()
    for stroke in strokes:
        frame = canvas.bounding_box()
        places = [(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=6)
        page.mouse.up()


def answer(page):
    """The answer to what was drawn."""
    return page.get_by_label("The answer", exact=True)
