"""A lesson for a class: large type, arrow keys; a step is three screens, its text, its question and what is shown."""

from __future__ import annotations

import streamlit as st

from apps.course import page_exhibit
from apps.course.lessons import Lesson, Step, lesson_and_step
from apps.shared.language import _, language
from apps.shared.page import component, input_errors
from data_prep.errors import InputError

ADDRESS, _LESSON, _LOOK, _INPUTS = "present", "lesson", "look", "inputs"  # query parameters
_LOOKS = ("text", "question", "answer")  # screens of a step
_fit = component("lectern_fit", __file__, isolate_styles=False)


def show() -> None:
    """Draw the screen of the address."""
    with input_errors():
        try:
            lesson, step = lesson_and_step(st.query_params.get(_LESSON, ""), language())
        except InputError:
            st.button(_("Back"), on_click=_leave, shortcut="Esc")
            raise
        look = st.query_params.get(_LOOK, _LOOKS[0])
        look = look if look in _LOOKS else _LOOKS[0]
        screens = [(name, one) for name in lesson.steps for one in _LOOKS]
        at = screens.index((step.name, look))
        st.header(step.title, anchor=False)
        text, exhibit = st.columns([2, 3], gap="medium")
        with text, st.container(key="presented-text"):
            _words(step, look)
        with (
            exhibit,
            st.container(key="presented-inputs" if _INPUTS in st.query_params else "presented-exhibit"),
        ):
            _exhibit(lesson, step, answered=look == "answer")
        _ways(screens, at)
        _fit(key="lectern_fit", data={"screen": f"{step.name} {look}"})


def _words(step: Step, look: str) -> None:
    if look == "text":
        st.markdown(step.text)
    elif look == "question":
        st.markdown(f"**{_('Predict.')}** {step.question.text}")
        options = getattr(step.question.kind, "texts", ())
        st.markdown("\n".join(f"- {one}" for one in options))
    else:
        st.markdown(f"{_('It shows')} **{step.question.answer}**\n\n{step.reveal}")


def _exhibit(lesson: Lesson, step: Step, *, answered: bool) -> None:
    shown = step.exhibit if answered else step.before
    page_exhibit.show(shown, f"{step.name} {answered}")


def _ways(screens: list[tuple[str, str]], at: int) -> None:
    """Draw the way back, on and out: keys first, small buttons for a mouse; clickers send the keys of pages."""
    back, on = screens[max(at - 1, 0)], screens[min(at + 1, len(screens) - 1)]
    with st.container(key="present-ways", horizontal=True, gap="xxsmall"):
        st.button("‹", on_click=_go, args=back, shortcut="Left", help=_("Back"), disabled=at == 0)
        st.button("›", on_click=_go, args=on, shortcut="Right", help=_("On"), disabled=at == len(screens) - 1)
        st.button("✎", on_click=_inputs, shortcut="E", help=_("Inputs of the exhibit, or none"))
        st.button("✕", on_click=_leave, shortcut="Esc", help=_("Back to the lesson"))
    with st.container(key="present-clicker"):
        st.button(_("Page up"), on_click=_go, args=back, shortcut="PageUp")
        st.button(_("Page down"), on_click=_go, args=on, shortcut="PageDown")


def _go(name: str, look: str) -> None:
    st.query_params[_LESSON] = name
    st.query_params[_LOOK] = look


def _inputs() -> None:
    if st.query_params.pop(_INPUTS, None) is None:
        st.query_params[_INPUTS] = "true"


def _leave() -> None:
    for name in (ADDRESS, _LOOK, _INPUTS):
        st.query_params.pop(name, None)
