"""Page "Course": the lecture taught in ten lessons, with exercises that are checked."""

from __future__ import annotations

import streamlit as st

from apps.course import (
    page_assignment,
    page_exercises,
    page_know,
    page_lesson,
    page_present,
    page_print,
    page_progress,
    page_teachers,
)
from apps.shared.page import show_page

SECTIONS = {
    None: {
        "Lessons": page_lesson.show,
        "Exercises": page_exercises.show,
        "Know": page_know.show,
        "Teachers": page_teachers.show,
        "Print": page_print.show,
    }
}


def show() -> None:
    """Draw the page, or only what a teacher's link assigns, or a lesson for a class."""
    page_progress.restore()
    if page_present.ADDRESS in st.query_params:
        page_present.show()
        return
    assignment = st.query_params.get(page_assignment.ADDRESS)
    if assignment is not None:
        page_assignment.show(assignment)
        return
    if st.query_params.get("section") not in ("Exercises", "Print"):
        page_exercises.leave()
    show_page(__file__, SECTIONS)


if __name__ == "__main__":
    show()
