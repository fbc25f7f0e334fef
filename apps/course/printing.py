"""Lessons and sheets of exercises on paper: one file of HTML that needs nothing else, or PDF."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from latex2mathml.exceptions import NoAvailableTokensError
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from apps.course.catalogue import EXERCISES
from apps.course.exercises import Problem
from apps.course.lessons import Lesson, Step, lessons
from apps.course.pictures import picture, picture_url
from apps.course.texts import ENGLISH
from apps.shared.language import N_, translated
from data_prep.errors import InputError
from data_prep.files import write_bytes

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_SECONDS = 60  # before a browser that prints is given up
_SIGN = re.compile(
    r"(<mo[^>]*>(?:&#x00028;|&#x0002C;|&#x0003D;|\(|,|=)</mo>)<mo>(?=&#x02212;)"
)  # it is no difference
_CSS = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def lesson_named(key: str, language: str = ENGLISH) -> Lesson:
    """Find a lesson by its key; an InputError says which there are."""
    found = lessons(language)
    if key not in found:
        raise InputError("There is no such lesson", allowed=", ".join(found), received=key)
    return found[key]


def lesson_html(key: str, *, grey: bool = False, language: str = ENGLISH) -> str:
    """Write a lesson as HTML: the text, question, picture and answer of each step.

    Args:
        key: Of the lesson.
        grey: Whether pictures are made for printers without colour.
        language: Of the texts.

    Raises:
        InputError: There is no such lesson.
    """
    lesson = lesson_named(key, language)
    number = list(lessons(language)).index(key) + 1
    body = [f'<h1>{number}. {escape(lesson.title)}</h1><p class="about">{escape(lesson.about)}</p>']
    body += [_step(at, step, grey, language) for at, step in enumerate(lesson.steps.values(), start=1)]
    return _document(f"{number}. {lesson.title}", body, grey, language)


def sheet_html(
    key: str, *, seed: int = 0, solutions: bool = False, grey: bool = False, language: str = ENGLISH
) -> str:
    """Write the exercises of a lesson as HTML, with the numbers that a seed draws.

    Args:
        key: Of the lesson.
        seed: The same one gives the same sheet.
        solutions: Whether answers and worked solutions stand below the exercises.
        grey: Whether it is made for printers without colour.
        language: Of the texts.

    Raises:
        InputError: There is no such lesson, or the seed is out of range.
    """
    lesson = lesson_named(key, language)
    kind = N_("exercises with solutions, sheet") if solutions else N_("exercises, sheet")
    title = f"{lesson.title}: {translated(kind, language)} {seed}"
    name = translated(N_("Name"), language)
    body = [f"<h1>{escape(title)}</h1>", "" if solutions else f'<p class="who">{name}:</p>']
    problems = (exercise.sheet(seed, language) for exercise in EXERCISES[key].values())
    body += [_exercise(at, one, solutions, language) for at, one in enumerate(problems, start=1)]
    return _document(title, body, grey, language)


def markdown(text: str) -> str:
    """Turn Markdown with formulas in LaTeX into HTML with MathML."""
    return _reader().render(text)


def pdf(html: str) -> bytes:
    """Print HTML as PDF, with a Chromium or Chrome of this machine.

    Raises:
        InputError: There is none, or it fails.
    """
    program = next(filter(None, map(shutil.which, (*BROWSERS, _MAC))), None)
    advice = "Write .html instead, and print that file from any browser"
    if program is None:
        raise InputError("PDF needs Chromium or Chrome, and neither was found", allowed=advice)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        page, out = Path(folder, "print.html"), Path(folder, "print.pdf")
        page.write_text(html, encoding="utf-8")
        options = [
            "--headless",
            "--disable-gpu",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
        ]
        options += ["--no-sandbox"] * (
            getattr(os, "geteuid", lambda: 1)() == 0
        )  # Chromium refuses it to root
        try:
            subprocess.run(
                [program, *options, f"--print-to-pdf={out}", page.as_uri()],
                capture_output=True, timeout=_SECONDS, check=True,
            )  # fmt: skip
            return out.read_bytes()
        except (subprocess.SubprocessError, OSError):
            raise InputError(f"{Path(program).name} could not print", allowed=advice) from None


def write_print(html: str, out: Path) -> None:
    """Write a print to a file, as HTML or as PDF by the end of its name.

    Raises:
        InputError: It ends otherwise, it cannot be written, or there is no browser that prints.
    """
    end = out.suffix.lower()
    if end not in (".html", ".pdf"):
        raise InputError(
            "A print is HTML or PDF", allowed="a name with .html or .pdf at its end", received=out
        )
    write_bytes(out, pdf(html) if end == ".pdf" else html.encode())


def _document(title: str, body: list[str], grey: bool, language: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_CSS}</style></head>'
        f'<body class="{"grey" if grey else "colour"}">{"".join(body)}</body></html>\n'
    )


def _step(number: int, step: Step, grey: bool, language: str) -> str:
    question, drawn = step.question, picture(step, grey=grey)
    options = "".join(f"<li>{_line(one)}</li>" for one in getattr(question.kind, "texts", ()))
    shown = f'<figure><img src="{picture_url(drawn)}" alt="{escape(step.title)}"></figure>' if drawn else ""
    predict, shows = (translated(one, language) for one in (N_("Predict."), N_("What it shows")))
    return (
        f"<section><h2>{number}. {escape(step.title)}</h2>{markdown(step.text)}"
        f'<div class="question">{markdown(f"**{predict}** {question.text}")}<ul>{options}</ul></div>{shown}'
        f"<p><b>{shows}:</b> {_line(question.answer)}</p>{markdown(step.reveal)}</section>"
    )


def _exercise(number: int, problem: Problem, solutions: bool, language: str) -> str:
    text = f"<h2>{number}. <small>{problem.exercise.partition('/')[2]}</small></h2>{markdown(problem.text)}"
    if not solutions:
        room = f'<p class="asked">{_line(problem.asked)}</p><div class="room"></div>'
        return f'<section class="exercise">{text}{room}</section>'
    said = translated(N_("Answer"), language)
    answer = f"<p><b>{said}:</b> <code>{escape(problem.answer)}</code></p>"
    return f'<section>{text}<div class="solution">{answer}{markdown(problem.solution)}</div></section>'


def _line(text: str) -> str:
    return _reader().renderInline(text)


@functools.cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    return reader.use(dollarmath_plugin, renderer=_formula, allow_space=False, double_inline=True)


def _formula(latex: str, options: Mapping[str, Any]) -> str:
    try:
        written = convert(latex, display="block" if options.get("display_mode") else "inline")
    except NoAvailableTokensError:  # an empty formula
        return escape(latex)
    return _SIGN.sub(r'\1<mo form="prefix">', written)
