"""Section "Exercises": the sheet of a lesson by its seed; every exercise with answer, verdict, hints and solution."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st
from streamlit.errors import StreamlitAPIException

from apps.course import page_progress
from apps.course.answers import LETTERS, Choice, Number, Numbers, Shape, Words
from apps.course.answers_computed import Einsum
from apps.course.catalogue import EXERCISES, exercise
from apps.course.exercises import MAX_SEED, Problem, Verdict
from apps.course.lessons import lessons
from apps.lecture.topics import PAGES
from apps.shared.language import _, language
from apps.shared.page import input_errors, named_choice
from apps.shared.page_moves import go_to_section
from data_prep.errors import InputError

LESSON, ONE, SEED = "exercises", "exercise", "seed"  # query parameters
_SEED_BOX, _SHEET, _WORK = (
    "seed of the sheet",
    "seed of the last sheet",
    "work on exercises",
)  # in the state of the session
_SHORT = (Number, Shape, Words, Einsum)  # kinds whose answers fit into one line


@dataclass
class Work:
    """What a visitor has done with an exercise of one seed.

    Attributes:
        typed: The last answer that could be read.
        verdict: On it.
        failed: Whether an answer was not right or could not be read.
        hints: How many are open.
        solved: Whether the solution is open.
    """

    typed: str = ""
    verdict: Verdict | None = None
    failed: bool = False
    hints: int = 0
    solved: bool = False


def show() -> None:
    """Draw the section."""
    with input_errors():
        lesson, only = _chosen()
        seed = _seed()
        names = [only] if only else [one.name for one in EXERCISES[lesson].values()]
        if only:
            st.button(_("The whole sheet"), on_click=_whole_sheet, icon=":material/apps:", type="tertiary")
        else:
            right = sum((done := work(name, seed).verdict) is not None and done.right for name in names)
            st.progress(
                right / len(names), _("{right} of {n} right on this sheet", right=right, n=len(names))
            )
        draw(names, seed)


def leave() -> None:
    """Take the seed out of the address, and out of what is read there: exhibits have parameters of this name."""
    st.session_state.setdefault(_SHEET, random.randrange(MAX_SEED))
    if st.session_state.pop(_SEED_BOX, None) is not None:
        st.query_params.pop(SEED, None)


def go(name: str) -> None:
    """Go to an exercise by its name, or to the sheet of a lesson by its key."""
    lesson, _, key = name.partition("/")
    st.session_state.pop(LESSON, None)
    _whole_sheet()
    go_to_section("Exercises", **{LESSON: lesson, **({ONE: key} if key else {})})


def work(name: str, seed: int) -> Work:
    """What the visitor has done with an exercise of a seed."""
    return st.session_state.setdefault(_WORK, {}).setdefault((name, seed), Work())


def draw(names: Sequence[str], seed: int, *, solutions: bool = True) -> None:
    """Draw exercises one below the other, with or without a way to their solutions."""
    for number, name in enumerate(names, start=1):
        with st.container(border=True):
            _exercise(name, seed, f"{number}. " if len(names) > 1 else "", solutions)


@lru_cache(maxsize=512)
def problem(name: str, seed: int, language: str) -> Problem:
    """Draw an exercise, once for all visitors."""
    return exercise(name).sheet(seed, language)


def _chosen() -> tuple[str, str]:
    """Let the visitor choose a lesson; return its key, and the name of an exercise that the address asks for."""
    asked, key = st.query_params.get(LESSON), st.query_params.get(ONE)
    if asked is not None and asked not in EXERCISES:
        st.query_params.pop(LESSON)
        with input_errors():
            raise InputError("There is no such lesson", allowed=", ".join(EXERCISES), received=asked)
    columns = st.columns([3, 1, 1], vertical_alignment="bottom")
    titles = {
        key: f"{at}. {lesson.title}" for at, (key, lesson) in enumerate(lessons(language()).items(), start=1)
    }
    with columns[0]:
        lesson = named_choice(_("Lesson"), titles, LESSON, on_change=_whole_sheet)
    if _SEED_BOX not in st.session_state:
        st.session_state[_SEED_BOX] = _first_seed()
    columns[1].number_input(_("Seed of the numbers"), 0, MAX_SEED, key=_SEED_BOX)
    columns[2].button(_("Other numbers"), on_click=_other_numbers, icon=":material/casino:", width="stretch")
    if key is None:
        return lesson, ""
    return lesson, exercise(f"{lesson}/{key}").name


def _seed() -> int:
    seed = st.session_state[_SHEET] = st.session_state[_SEED_BOX]
    with suppress(StreamlitAPIException):  # in this run the name belongs to an exhibit that was just left
        st.query_params[SEED] = seed
    return seed


def _first_seed() -> int:
    """Take the seed of before, or that of the address, or draw one."""
    if _SHEET in st.session_state:
        return st.session_state[_SHEET]
    if (asked := st.query_params.get(SEED)) is not None:
        with input_errors():
            if asked.isascii() and asked.isdigit() and len(asked) <= len(str(MAX_SEED)):
                return int(asked)
            raise InputError("The seed is out of range", allowed=f"0 to {MAX_SEED:,}", received=asked)
    return random.randrange(MAX_SEED)


def _other_numbers() -> None:
    st.session_state[_SEED_BOX] = random.randrange(MAX_SEED)


def _whole_sheet() -> None:
    st.query_params.pop(ONE, None)


@st.fragment
def _exercise(name: str, seed: int, number: str, solutions: bool) -> None:
    one, done = problem(name, seed, language()), work(name, seed)
    st.markdown(f"**{number}{', '.join(map(_, exercise(name).topics))}**")
    st.markdown(one.question)
    finished = done.solved or (done.verdict is not None and done.verdict.right)
    with st.form(f"form {name} {seed}", border=False):
        typed = _box(one, done, f"answer {name} {seed}")
        pressed = st.form_submit_button(_("Check"), type="primary", disabled=finished)
    if pressed:
        _check(one, done, typed)
        finished = done.verdict is not None and done.verdict.right
        if finished:
            st.rerun()  # the sheet counts what is right
    elif done.verdict is not None:
        _say(done.verdict)
    if done.failed and not finished:
        _offer(one, done, solutions)
    _told(one, done, solutions and finished)


def _box(one: Problem, done: Work, key: str) -> str:
    """Draw the box that suits the kind of answer."""
    kind = one.kind
    if isinstance(kind, Choice):
        letters = LETTERS[: len(kind.options)]
        at = letters.index(done.typed) if done.typed else None
        return st.radio(_("Answer"), list(letters), at, lambda one: kind.texts[LETTERS.index(one)], key) or ""
    lines = not isinstance(kind, _SHORT) and not (isinstance(kind, Numbers) and len(kind.shape or "1") == 1)
    box = st.text_area if lines else st.text_input
    return box(_("Answer: {asked}", asked=one.asked), done.typed, key=key)


def _check(one: Problem, done: Work, typed: str) -> None:
    done.failed, done.verdict = True, None
    with input_errors():
        done.verdict = one.check(typed)
        done.typed, done.failed = typed, not done.verdict.right
        page_progress.answered(one.exercise, one.seed, done.verdict.right, done.hints)
        _say(done.verdict)


def _say(verdict: Verdict) -> None:
    if verdict.right:
        st.success(verdict.said, icon=":material/check_circle:")
    else:
        st.warning(_("Not yet. {said}", said=verdict.said), icon=":material/replay:")


def _offer(one: Problem, done: Work, solutions: bool) -> None:
    """Draw the buttons of the next hint and of the solution."""
    with st.container(horizontal=True, gap="small"):
        if done.hints < len(one.hints):
            st.button(
                _("Hint {hints} of {n}", hints=done.hints + 1, n=len(one.hints)),
                on_click=_open_hint,
                args=(done,),
                key=f"hint {one.exercise} {one.seed}",
                icon=":material/lightbulb:",
            )
        if solutions:
            st.button(
                _("Show the solution"),
                on_click=_open_solution,
                args=(one, done),
                key=f"show {one.exercise} {one.seed}",
                type="tertiary",
            )


def _open_hint(done: Work) -> None:
    done.hints += 1


def _open_solution(one: Problem, done: Work) -> None:
    done.solved = True
    page_progress.answered(one.exercise, one.seed, False, done.hints)


def _told(one: Problem, done: Work, solution: bool) -> None:
    """Draw the hints that are open, and the solution with the way to the exhibit."""
    for number, hint in enumerate(one.hints[: done.hints], start=1):
        st.markdown(_("**Hint {number}.** {hint}", number=number, hint=hint))
    if solution:
        st.markdown(_("**Solution.** {solution}", solution=one.solution))
        page = PAGES[one.exhibit.page]
        label = _("See it: {page}", page=_(page.title))
        st.page_link(page.view, label=label, icon=page.icon, query_params=one.exhibit.query)
