"""Section "Lessons": the ten lessons, and a step of one: text, question, exhibit."""

from __future__ import annotations

import streamlit as st

from apps.course import page_exercises, page_exhibit, page_progress
from apps.course.answers import Choice, said
from apps.course.lessons import Lesson, Question, Step, lesson_and_step, lessons
from apps.lecture.drawings import drawing_url
from apps.shared.language import _, language
from apps.shared.page import component, input_errors
from apps.shared.style import palette
from data_prep.errors import InputError

ADDRESS = "lesson"  # query parameter: name of a step, or key of a lesson
PREDICTIONS = "predictions"  # of this visitor by step, in the state of the session
_top = component("lectern_top", __file__, isolate_styles=False)


def show() -> None:
    """Draw the section."""
    name = st.query_params.get(ADDRESS, "")
    if not name:
        _overview()
        return
    with input_errors():
        try:
            lesson, step = lesson_and_step(name, language())
        except InputError:
            st.button(_("All lessons"), on_click=go, args=("",), icon=":material/apps:")
            raise
        _step(lesson, step)


def go(name: str) -> None:
    """Go to a step by its name, or to the overview by an empty one."""
    if name:
        st.query_params[ADDRESS] = name
    else:
        st.query_params.pop(ADDRESS, None)


def time_of(lesson: Lesson) -> str:
    """Say how long a lesson takes a quick and a slow reader."""
    return _("{quick} to {slow} minutes", quick=lesson.minutes[0], slow=lesson.minutes[1])


def _overview() -> None:
    done_steps = page_progress.visitor().steps
    every = list(lessons(language()).values())
    for start in range(0, len(every), 5):
        for column, (number, lesson) in zip(
            st.columns(5), enumerate(every[start : start + 5], start + 1), strict=True
        ):
            done = sum(name in done_steps for name in lesson.steps)
            with column, st.container(border=True, height="stretch"):
                st.image(drawing_url(lesson.key, palette()), width="stretch", alt="")
                st.markdown(f"**{number}. {lesson.title}**")
                st.caption(lesson.about)
                st.space("stretch")
                st.caption(_("{n} steps", n=len(lesson.steps)) + f" · {time_of(lesson)}")
                label = _("Begin") if not done else _("Go on") if done < len(lesson.steps) else _("Again")
                st.button(
                    _("{label} · {done} of {n}", label=label, done=done, n=len(lesson.steps))
                    if done
                    else label,
                    on_click=go,
                    args=(lesson.key,),
                    key=f"begin {lesson.key}",
                )


def _step(lesson: Lesson, step: Step) -> None:
    names = list(lesson.steps)
    at = names.index(step.name)
    _place(lesson, names, at)
    show_step(lesson, step)
    _on(lesson, names, at)
    _top(key="lectern_top", data={"step": step.name})


def show_step(lesson: Lesson, step: Step) -> None:
    """Draw a step: text, question, exhibit."""
    predictions = st.session_state.setdefault(PREDICTIONS, {})
    st.subheader(step.title, anchor=False)
    left, right = st.columns([3, 2], gap="large")
    left.markdown(step.text)
    with right, st.container(border=True):
        _question(step.name, step.question)
    answered = step.name in predictions
    if answered:
        _answer(step, predictions[step.name])
    exhibit = step.exhibit if answered else step.before
    with st.container(border=True):
        page_exhibit.show(exhibit, f"{step.name} {answered}")


def _place(lesson: Lesson, names: list[str], at: int) -> None:
    """Draw where one is, and the way back and on."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(_("Lessons"), on_click=go, args=("",), icon=":material/apps:", type="tertiary")
        place = _("**{title}** · step {at} of {n}", title=lesson.title, at=at + 1, n=len(names))
        st.markdown(place + ("" if at else f" · {time_of(lesson)}"))
        st.space("stretch")
        st.button(
            _("Present"),
            on_click=_present,
            icon=":material/slideshow:",
            type="tertiary",
            help=_("For a class"),
        )
        st.button(_("Back"), on_click=go, args=(names[max(at - 1, 0)],), disabled=at == 0)
        if at + 1 < len(names):
            st.button(_("Next"), on_click=go, args=(names[at + 1],), type="primary")
        else:
            st.button(_("Exercises"), on_click=page_exercises.go, args=(lesson.key,), type="primary")
    st.progress((at + 1) / len(names))


def _on(lesson: Lesson, names: list[str], at: int) -> None:
    """Draw the way on once more, below a long exhibit."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        if at + 1 < len(names):
            title = lesson.step(names[at + 1]).title
            st.button(_("Next: {title}", title=title), on_click=go, args=(names[at + 1],), type="primary")
        else:
            label = _("To the exercises of this lesson")
            st.button(label, on_click=page_exercises.go, args=(lesson.key,), type="primary")


def _present() -> None:
    st.query_params["present"] = "true"


def _question(name: str, question: Question) -> None:
    st.markdown(_("**Predict.** {text}", text=question.text))
    with st.form(f"question {name}", border=False):
        key = f"prediction {name}"
        if isinstance(question.kind, Choice):
            given = st.radio(_("Your prediction"), question.kind.texts, index=None, key=key)
        else:
            asked = said("asked", question.kind.form, language())
            given = st.text_input(_("Your prediction"), key=key, placeholder=asked)
        if not st.form_submit_button(_("Show me"), type="primary"):
            return
    with input_errors():
        true = question.check(given or "")[0]
        if isinstance(question.kind, Choice):  # its letter, which is the same in every language
            given = question.kind.written(question.kind.read(given))
        st.session_state[PREDICTIONS][name] = given
        page_progress.predicted(name, true)


def _answer(step: Step, prediction: str) -> None:
    """Say what the exhibit shows beside what was predicted."""
    question = step.question
    true, comment = question.check(prediction)
    predicted = question.shown(question.kind.read(prediction))
    icon = ":material/check_circle:" if true else ":material/visibility:"
    lead = _("As you predicted") if true else _("You predicted {what}. The exhibit shows", what=predicted)
    st.info(f"{lead}: **{question.answer}**. {comment}\n\n{step.reveal}", icon=icon)
    with st.container(horizontal=True, gap="xsmall"):
        for one in step.tries:
            st.button(one.title, on_click=st.session_state.update, args=(one.values,), key=f"try {one.title}")
