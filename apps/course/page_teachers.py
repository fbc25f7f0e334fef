"""Section "For teachers": assign steps and exercises by a link, and how the answers of a class are graded."""

from __future__ import annotations

import random
from urllib.parse import urlencode, urlsplit

import streamlit as st

from apps.course.assignments import Assignment, assigned
from apps.course.catalogue import EXERCISES
from apps.course.exercises import MAX_SEED
from apps.course.lessons import lessons
from apps.course.page_assignment import ADDRESS
from apps.lecture.topics import PAGES
from apps.shared.language import N_, _, language
from apps.shared.page import input_errors

_SEED = "seed of the assignment"


def show() -> None:
    """Draw the section."""
    st.subheader(_("Assign"), anchor=False)
    titles = {
        key: f"{at}. {lesson.title}" for at, (key, lesson) in enumerate(lessons(language()).items(), start=1)
    }
    left, right = st.columns([3, 1])
    lesson = left.selectbox(_("Lesson"), list(titles), format_func=titles.get, key="assigned lesson")
    st.session_state.setdefault(_SEED, random.randrange(MAX_SEED))
    seed = right.number_input(_("Seed of the numbers"), 0, MAX_SEED, key=_SEED)
    steps = {name.partition("/")[2]: step.title for name, step in lessons(language())[lesson].steps.items()}
    exercises = {
        key: f"{key.replace('-', ' ')} · {', '.join(map(_, one.topics))}"
        for key, one in EXERCISES[lesson].items()
    }
    chosen = [
        st.multiselect(
            _(label), list(known), list(known), format_func=known.get, key=f"assigned {label} of {lesson}"
        )
        for label, known in ((N_("Steps"), steps), (N_("Exercises"), exercises))
    ]
    with input_errors():
        _link(assigned(lesson, int(seed), *chosen))
    st.subheader(_("Grade"), anchor=False)
    st.markdown(
        _(
            "Students type their name, download one file each and send it to you. Put the files "
            "into a folder. The command checks every answer anew: a file holds what was typed, and "
            "no score. A prediction gives its point whether it came true or not. A file that "
            "cannot be graded is named, and the others are graded."
        )
    )
    st.code("python -m apps course grade FOLDER --out grades.csv", language="bash", wrap_lines=True)


def _link(assignment: Assignment) -> None:
    query = {ADDRESS: assignment.to_code()}
    here = urlsplit(st.context.url or "")
    st.markdown(_("The link for your students:"))
    st.code(
        f"{here.scheme}://{here.netloc}/course?{urlencode(query, safe='~')}", language=None, wrap_lines=True
    )
    label = _("See what they see")
    st.page_link(PAGES["course"].view, label=label, icon=":material/visibility:", query_params=query)
