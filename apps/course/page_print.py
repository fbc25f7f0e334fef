"""Section "Print": a lesson or a sheet of its exercises as a file, or out of the browser's printer."""

from __future__ import annotations

import streamlit as st

from apps.course.exercises import MAX_SEED
from apps.course.lessons import lessons
from apps.course.printing import lesson_html, sheet_html
from apps.shared.language import N_, _, language
from apps.shared.page import component, input_errors, named_choice, number_box, one_of

_LESSON, _SHEET = N_("Lesson"), N_("Exercises")
_printer = component("lectern_printer", __file__)


def show() -> None:
    """Draw the section."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {
            key: f"{at}. {one.title}" for at, (key, one) in enumerate(lessons(language()).items(), start=1)
        }
        key = named_choice(_("Lesson"), names, "of", width=320)
        kind = one_of(_("What is printed"), (_LESSON, _SHEET), "sheet", named=True)
        grey = st.checkbox(_("Black and white"), key="grey", bind="query-params")
    with input_errors():
        if kind == _LESSON:
            html, name = lesson_html(key, grey=grey, language=language()), f"{key}.html"
        else:
            html, name = _sheet(key, grey)
        with st.container(horizontal=True, vertical_alignment="center"):
            _printer(key="printer", data={"html": html, "label": _("Print")}, width="content")
            st.download_button(
                _("Download as HTML"), html, name, "text/html", icon=":material/download:", on_click="ignore"
            )
        st.caption(
            _(
                "“Print” opens the window of the browser's printer, which can also save a PDF. The file has its "
                "pictures in it and needs nothing else. On the command line: `python -m apps course print`."
            )
        )
        st.iframe(html, height=600)


def _sheet(key: str, grey: bool) -> tuple[str, str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = number_box(
            st,
            _("Seed of the numbers"),
            (0, MAX_SEED),
            0,
            "seed",
            width=200,
            help=_("The same seed, the same sheet"),
        )
        solutions = st.checkbox(_("With solutions"), key="solutions", bind="query-params")
    html = sheet_html(key, seed=seed, solutions=solutions, grey=grey, language=language())
    return html, f"{key}-{seed}{'-solutions' if solutions else ''}.html"
