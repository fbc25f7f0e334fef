"""Draw the pictures of the course: what the exhibit of each step shows once its question is answered, as SVG.

python -m benchmarks.course_pictures           # those that are missing or out of date
python -m benchmarks.course_pictures --all
python -m benchmarks.course_pictures --only tensors/modes
python -m benchmarks.course_pictures --pages   # the pages at the head of README and docs, as PNG in docs/images

Opens the course in Chromium; needs the data that LECTERN_DATA_DIR names. Lines, words and charts stay vectors;
what would be too large becomes an image.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from tqdm import tqdm

from apps.course.lessons import Step, lessons, step_named
from apps.course.pictures import FOLDER, MOST_BYTES, is_current, path_of, stamped
from apps.course.printing import BROWSERS
from benchmarks import visitors
from data_prep.datasets import DATA_DIR_VARIABLE
from data_prep.errors import InputError
from data_prep.files import write_bytes

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "word-vectors": "vectors?section=Analogy",
    "tagging": "tagger?section=Text",
    "writing": "writer?section=Write",
    "digits": "digits?section=Draw&source=Example",
    "reader": "ocr?section=Letters",
    "reviews": "reviews?section=Verdict",
}
_WIDTH, _HEIGHT, _SECONDS = 1400, 900, 60
_PAGE_SIZE = {"width": 1200, "height": 1080}
_COLOURS, _SHRUNK = 64, (1.0, 0.8, 0.65, 0.5)  # of images in place of vectors that are too large
_LONGEST, _HIGHEST, _CODE = 620, 1000, 300  # pixels: no further part begins, end of a picture, lines of code
_BARE = """
.st-key-presented-exhibit { zoom: 1 !important; }
.st-key-present-ways, [data-testid=stSelectbox], [data-testid=stTextInput], [data-testid=stNumberInput],
[data-testid=stTextArea] { display: none; }
"""
_SETTLED = """() =>
  document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && !document.querySelector('[data-testid=stSkeleton], [data-testid=stPlotlyChart]:not(:has(.main-svg))')
  && [...document.images].every((image) => image.complete)"""
_CUT = """([most, code]) => {
  const part = document.querySelector('.st-key-presented-exhibit'), top = part.getBoundingClientRect().top;
  for (const one of part.querySelectorAll('[data-testid=stElementContainer], [data-testid=stHeading]')) {
    const frame = one.getBoundingClientRect();
    const long = one.querySelector('[data-testid=stCode]') && frame.height > code;
    if (frame.top - top > most || long) one.style.display = 'none';
  }
  const elements = '[data-testid=stElementContainer]';
  const inside = (one) => [...one.querySelectorAll(elements)].filter((part) => part.offsetHeight);
  const left = inside(part);
  while (left.at(-1)?.querySelector('[data-testid=stHeading]')) left.pop().style.display = 'none';
  for (const one of part.querySelectorAll('[data-testid=stVerticalBlock]')) {
    if (!inside(one).length) one.style.display = 'none';
  }
}"""
_DRAW = """async ([source, title, most]) => {
  const made = await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  const text = made.svgOf(document.querySelector('.st-key-presented-exhibit'), title);
  const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  let [width, height] = [360, 60];
  const take = (one) => {
    const at = (name) => Number(one.getAttribute(name) || 0);
    if (one.tagName === 'g') { [...one.children].forEach(take); return; }
    width = Math.max(width, at('x') + (at('width') || at('textLength')), at('x2'));
    height = Math.max(height, at('y') + at('height'), at('y2'));
  };
  [...svg.children].slice(2).forEach(take);
  [width, height] = [Math.ceil(width + 8), Math.ceil(Math.min(most, height + 8))];
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('width', width); svg.setAttribute('height', height);
  return new XMLSerializer().serializeToString(svg);
}"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the pictures that are asked for, and remove those of steps that are no more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="those that are up to date, too")
    parser.add_argument("--only", metavar="STEP", action="append", help="such as tensors/modes")
    parser.add_argument("--pages", action="store_true", help="the pages, and nothing of the course")
    asked = parser.parse_args(arguments)
    if asked.pages:
        _draw_pages()
        return
    steps = [step for lesson in lessons().values() for step in lesson.steps.values()]
    for path in set(FOLDER.glob("*.svg")) - set(map(path_of, steps)):
        path.unlink()
    if asked.only:
        steps = [step_named(name) for name in asked.only]
    elif not asked.all:
        steps = [step for step in steps if not is_current(step)]
    with _server() as address, _page() as page:
        for step in tqdm(steps):
            write_bytes(path_of(step), _drawn(page, address, step).encode())


def _draw_pages() -> None:
    with _server() as address, _page() as page:
        page.set_viewport_size(_PAGE_SIZE)
        for name, place in tqdm(PAGES.items()):
            page.goto(f"{address}/{place}")
            page.wait_for_function(_SETTLED)
            page.wait_for_timeout(1500)  # charts take their size
            page.wait_for_function(_SETTLED)
            with Image.open(io.BytesIO(page.screenshot())) as shot:
                shot.convert("RGB").quantize(_COLOURS).save(
                    ROOT / "docs" / "images" / f"{name}.png", optimize=True
                )


def _drawn(page, address: str, step: Step) -> str:
    query = {"lesson": step.name, "present": "true", "look": "answer", "language": "en"}
    page.goto(f"{address}/course?{urlencode(query)}")
    page.wait_for_function(_SETTLED)
    page.add_style_tag(content=_BARE)
    page.wait_for_timeout(400)  # charts take their new size
    page.wait_for_function(_SETTLED)
    exhibit = page.locator(".st-key-presented-exhibit")
    wrong = page.locator("[data-testid=stException], [data-testid=stAlertContentError]")
    lacking = exhibit.get_by_text(DATA_DIR_VARIABLE)  # what says that data could not be had
    if wrong.count() or lacking.count() or not exhibit.count():
        raise InputError(
            f"The exhibit of {step.name} shows no picture", received=wrong.or_(lacking).all_inner_texts()
        )
    page.evaluate(_CUT, [_LONGEST, _CODE])
    source = (ROOT / "apps" / "shared" / "page_corner.js").read_text(encoding="utf-8")
    svg = page.evaluate(_DRAW, [source, step.title, _HIGHEST])
    shows = f"{step.question.answer}. {_plain(step.reveal)}"
    done = stamped(svg, step, shows)
    if len(done.encode()) > MOST_BYTES:
        done = stamped(_image(exhibit.screenshot(), step), step, shows)
    return done


def _image(png: bytes, step: Step) -> str:
    """Put a screenshot into an SVG, as large as it may be."""
    with Image.open(io.BytesIO(png)) as shot:
        whole = shot.crop((0, 0, shot.width, min(shot.height, _HIGHEST)))
        for shrunk in _SHRUNK:
            size = (round(whole.width * shrunk), round(whole.height * shrunk))
            small = whole.convert("RGB").resize(size, Image.Resampling.LANCZOS)
            written = io.BytesIO()
            small.quantize(_COLOURS).save(written, "PNG", optimize=True)
            if len(written.getvalue()) * 4 / 3 < MOST_BYTES - 3_000:
                break
        else:
            raise InputError(f"The picture of {step.name} is too large")
        url = "data:image/png;base64," + b64encode(written.getvalue()).decode()
        size = f'width="{whole.width}" height="{whole.height}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {whole.width} {whole.height}" role="img">'
            f'<title>{step.title}</title><image {size} href="{url}"/></svg>'
        )


def _plain(text: str) -> str:
    """Leave the signs of Markdown and LaTeX out of a text."""
    return re.sub(r"[*`$\\{}]", "", " ".join(text.split()))


@contextmanager
def _server() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LECTERN_LABORATORY"] = folder  # no runs of this machine in the pictures
        with visitors.page(Path(folder, "page.log")) as (port, _):
            yield f"http://127.0.0.1:{port}"


@contextmanager
def _page() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        program = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme="light")
        page.set_default_timeout(1000 * _SECONDS)
        yield page
        browser.close()


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        raise SystemExit(f"Error: {error}") from None
