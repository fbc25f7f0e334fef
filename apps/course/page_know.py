"""Section "What I know": topics and what is known of them, three things to look at again, progress to take along."""

from __future__ import annotations

import streamlit as st

from apps.course import page_exercises, page_lesson, page_progress
from apps.course.catalogue import exercise
from apps.course.lessons import step_named
from apps.course.marked_files import MAX_BYTES
from apps.course.progress import Done, Item, Progress, items_of_topics, today
from apps.lecture.topics import PARTS, Part, Topic, topics
from apps.shared.language import _, language
from apps.shared.page import input_errors
from apps.shared.page_moves import go_to_section
from data_prep.errors import InputError

_AGAIN = 3  # things to look at again
_UPLOADED = "uploaded progress"  # in the state of the session


def show() -> None:
    """Draw the section."""
    progress = page_progress.visitor()
    left, right = st.columns(2, gap="large")
    with right:  # first, since an upload changes what is due
        _take_along(progress)
    with left:
        _again(progress)
    known = sum(_known(progress, topic) == 1.0 for topic in topics())
    st.subheader(_("Topics: {known} of {n} known", known=known, n=len(topics())), anchor=False)
    st.caption(_("A topic is known when its steps were predicted and its exercises answered rightly."))
    for start in range(0, len(PARTS), 2):
        for column, part in zip(st.columns(2), PARTS[start : start + 2], strict=True):
            with column, st.container(border=True, height="stretch", gap="xsmall"):
                _part(progress, part)


def open_item(item: Item) -> None:
    """Go to a step or an exercise."""
    if item.kind == "steps":
        go_to_section("Lessons", **{page_lesson.ADDRESS: item.name})
    else:
        page_exercises.go(item.name)


def _known(progress: Progress, topic: Topic) -> float:
    """The share of a topic's steps and exercises whose last answer was right."""
    own = items_of_topics()[topic.title]
    return sum(_right(progress.done(item)) for item in own) / max(len(own), 1)


def _right(done: Done | None) -> bool:
    return done is not None and done.right


def _part(progress: Progress, part: Part) -> None:
    st.markdown(f"**{_(part.title)}**")
    for topic in part.topics:
        own = items_of_topics()[topic.title]
        right = sum(_right(progress.done(item)) for item in own)
        begun = any(progress.done(item) is not None for item in own)
        icon = "check_circle" if own and right == len(own) else "timelapse" if begun else "circle"
        state = (
            _("known")
            if own and right == len(own)
            else _("{right} of {n} right", right=right, n=len(own))
            if begun
            else _("not yet")
        )
        item = next((one for one in own if not _right(progress.done(one))), own[0] if own else None)
        st.button(
            f"{_(topic.title)} · {state}",
            on_click=open_item,
            args=(item,),
            key=f"topic {topic.title}",
            icon=f":material/{icon}:",
            type="tertiary",
            disabled=item is None,
        )


def _again(progress: Progress) -> None:
    st.subheader(_("Three things to look at again"), anchor=False)
    due = progress.due(today())[:_AGAIN]
    if due:
        st.caption(_("Due, the longest first:"))
    for one in due:
        late = (
            _("Today")
            if not one.days
            else _("Since yesterday")
            if one.days == 1
            else _("For {days} days", days=one.days)
        )
        icon = ":material/menu_book:" if one.item.kind == "steps" else ":material/edit:"
        label = f"{late}: {_title(one.item)}"
        st.button(label, on_click=open_item, args=(one.item,), key=f"again {one.item}", icon=icon)
    if not due:
        day = progress.next_day()
        st.caption(
            _("Nothing is due. The next is due on {day:%Y-%m-%d}.", day=day)
            if day
            else _("Nothing was done yet.")
        )


def _title(item: Item) -> str:
    if item.kind == "steps":
        return step_named(item.name, language()).title
    return _("exercise “{name}”", name=exercise(item.name).key.replace("-", " "))


def _take_along(progress: Progress) -> None:
    st.subheader(_("Take it along"), anchor=False)
    st.caption(
        _(
            "This page keeps nothing about you. Your progress stands in the address of the page, "
            "which you can keep as a bookmark, and in the file that you download here."
        )
    )
    download = st.container()
    uploaded = st.file_uploader(_("Upload my progress"), type="json", key=_UPLOADED)
    if uploaded is not None:
        with input_errors():
            if uploaded.size > MAX_BYTES:
                raise InputError("The file of progress is too large", allowed=f"at most {MAX_BYTES:,} bytes")
            progress.merge(Progress.from_file(uploaded.getvalue()))
            page_progress.keep()
            st.success(
                _(
                    "{n} steps and {exercises} exercises are here now.",
                    n=len(progress.steps),
                    exercises=len(progress.exercises),
                ),
                icon=":material/check_circle:",
            )
    download.download_button(
        _("Download my progress"),
        progress.to_file(),
        "lectern-progress.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )
