"""Prints of lessons and sheets: all texts, formulas as MathML, pictures inside, nothing fetched; and their command."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from apps.course import pictures, printing
from apps.course.catalogue import EXERCISES
from apps.course.commands import app
from apps.course.exercises import MAX_SEED
from apps.course.lessons import lessons
from apps.course.pictures import greyed, stamped
from apps.shared.colours import LIGHT
from data_prep.errors import InputError

SVG = f'<svg xmlns="http://www.w3.org/2000/svg"><title>x</title><rect fill="{LIGHT.ours}"/></svg>'
ADDRESS = re.compile(r"""(?:src|href)=["'](?!data:)|url\((?!#)|@import""")


class Words(HTMLParser):
    """The words of a document, and how often each tag stands in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("key", EXERCISES)
@pytest.mark.parametrize("solutions", [False, True])
def test_a_sheet_has_every_exercise_and_formulas_as_mathml(key: str, solutions: bool) -> None:
    html = printing.sheet_html(key, seed=42, solutions=solutions)
    found = Words(html)
    text = "".join(found.words)
    assert not ADDRESS.search(html)
    assert found.tags.count("h2") == len(EXERCISES[key])
    assert not re.search(r"\\[a-z]{2,}|\$[a-z\\]|<[a-z_]+>", text), "LaTeX or a place without a value is left"
    for exercise in EXERCISES[key].values():
        answer = exercise.sheet(42).answer
        assert (f"Answer: {answer}" in text) is solutions, exercise.name
    assert ("Name:" in text) is not solutions


@pytest.mark.parametrize("key", lessons())
def test_a_lesson_has_every_step_with_its_picture(key: str, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pictures, "FOLDER", tmp_path)
    steps = lessons()[key].steps.values()
    for step in steps:
        pictures.path_of(step).write_text(stamped(SVG, step, step.reveal), encoding="utf-8")
        assert pictures.is_current(step)
    html = printing.lesson_html(key)
    found = Words(html)
    assert not ADDRESS.search(html)
    assert found.tags.count("img") == found.tags.count("h2") == len(steps)
    assert not re.search(r"\\[a-z]{2,}|\$[a-z\\]", "".join(found.words))


def test_the_same_seed_is_the_same_sheet_and_another_one_is_not() -> None:
    assert printing.sheet_html("tensors", seed=3) == printing.sheet_html("tensors", seed=3)
    assert printing.sheet_html("tensors", seed=3) != printing.sheet_html("tensors", seed=4)


def test_markup_in_a_text_is_shown_not_run() -> None:
    assert "<script" not in printing.markdown("a <script>b</script> $<script>$")


@pytest.mark.parametrize("colour", [LIGHT.ours, LIGHT.peer, LIGHT.negative])
def test_greys_tell_colours_apart_without_colour(colour: str) -> None:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    for spelled in (colour, colour.upper(), f"rgb({red}, {green}, {blue})"):
        svg = greyed(f'<svg viewBox="0 0 9 9"><rect fill="{spelled}" style="stroke: {spelled}"/></svg>')
        assert spelled not in svg
    fills = {re.search(r'<rect fill="([^"]+)" style', greyed(_filled(one)))[1] for one in _COLOURS}
    assert len(fills) == len(_COLOURS)


_COLOURS = (LIGHT.ours, LIGHT.peer, LIGHT.negative, LIGHT.muted)


def _filled(colour: str) -> str:
    return f'<svg><rect fill="{colour}" style=""/></svg>'


def test_the_command_writes_html_and_pdf(tmp_path: Path) -> None:
    out = tmp_path / "sheet.html"
    done = CliRunner().invoke(app, ["print", "tensors", "--exercises", "--seed", "7", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_text(encoding="utf-8") == printing.sheet_html("tensors", seed=7)
    assert CliRunner().invoke(app, ["print", "tensors", "--out", str(tmp_path / "L.HTML")]).exit_code == 0
    if next(filter(None, map(shutil.which, printing.BROWSERS)), None) is None:
        pytest.skip("no Chromium")
    done = CliRunner().invoke(app, ["print", "tensors", "--grey", "--out", str(tmp_path / "lesson.pdf")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "lesson.pdf").read_bytes().startswith(b"%PDF-")


def test_without_a_browser_it_says_to_print_the_html(monkeypatch) -> None:
    monkeypatch.setattr(printing.shutil, "which", lambda name: None)
    with pytest.raises(InputError, match=r"PDF needs Chromium or Chrome.*print that file from any browser"):
        printing.pdf("<p>x</p>")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", "--out", "x.html"], "There is no such lesson"),
        (["tensors", "--out", "x.docx"], "A print is HTML or PDF"),
        (["tensors", "--seed", "3", "--out", "x.html"], "Only a sheet of exercises has a seed"),
        (
            ["tensors", "--exercises", "--seed", str(MAX_SEED + 1), "--out", "x.html"],
            "The seed is out of range",
        ),
    ],
)
def test_wrong_options_are_told(words: list[str], said: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["print", *words])
    assert done.exit_code == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())
