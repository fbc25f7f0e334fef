"""What a link of a teacher opens: the assigned steps and exercises, the student's name, and the file to hand in."""

from __future__ import annotations

import re

import streamlit as st

from apps.course import page_exercises, page_lesson
from apps.course.assignments import MAX_NAME, Answers, Assignment, student
from apps.course.lessons import lessons
from apps.shared.language import _, language
from apps.shared.page import input_errors

ADDRESS = "assignment"
_AT = "screen of the assignment"  # in the state of the session


def show(code: str) -> None:
    """Draw an assignment."""
    st.title(_("Assignment"), anchor=False)
    with input_errors():
        assignment = Assignment.from_code(code)
        lesson = lessons(language())[assignment.lesson]
        screens = [_("Step {at}", at=at) for at in range(1, len(assignment.steps) + 1)]
        screens.append(_("Exercises and hand in") if assignment.exercises else _("Hand in"))
        at = min(st.session_state.get(_AT, 0), len(screens) - 1)
        last = at == len(screens) - 1
        st.markdown(f"**{lesson.title}** · {screens[at]}")
        if len(screens) > 1:
            with st.container(horizontal=True):
                st.button(_("Back"), on_click=_go, args=(at - 1,), disabled=at == 0)
                st.button(_("Next"), on_click=_go, args=(at + 1,), disabled=last, type="primary")
            st.progress((at + 1) / len(screens), _("{at} of {n}", at=at + 1, n=len(screens)))
        if not last:
            page_lesson.show_step(lesson, lesson.step(assignment.steps[at]))
            return
        names = [f"{assignment.lesson}/{key}" for key in assignment.exercises]
        page_exercises.draw(names, assignment.seed, solutions=False)
        _hand_in(assignment)


def _go(at: int) -> None:
    st.session_state[_AT] = at


def typed_answers(assignment: Assignment) -> dict[str, str]:
    """What the visitor has answered so far, by the names of items."""
    predictions = st.session_state.get(page_lesson.PREDICTIONS, {})
    found = {}
    for name in assignment.names:
        step = name.removeprefix("step ")
        answer = page_exercises.work(name, assignment.seed).typed if step == name else predictions.get(step)
        if answer:
            found[name] = answer
    return found


@st.fragment
def _hand_in(assignment: Assignment) -> None:
    st.subheader(_("Hand in"), anchor=False)
    answers = typed_answers(assignment)
    st.markdown(
        _(
            "{n} of {all} answered. Your last answer to each counts. Type your name, download the "
            "file, and give it to your teacher.",
            n=len(answers),
            all=len(assignment.names),
        )
    )
    name = st.text_input(_("Your name"), key="name of the student", max_chars=MAX_NAME)
    data = b""
    with input_errors():
        data = Answers(assignment, student(name), answers).to_file() if name.strip() else b""
    short = re.sub(r"[^\w-]+", "-", name).strip("-")
    st.download_button(
        _("Download my answers"),
        data,
        f"{assignment.lesson}-{short}.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
        disabled=not data,
    )
