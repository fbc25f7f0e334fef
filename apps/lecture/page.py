"""Home page: the lecture as a path of drawings, and every slide topic with the place where it works."""

from __future__ import annotations

from html import escape

import streamlit as st

from apps.lecture.drawings import drawing_url
from apps.lecture.topics import DOORS, PAGES, PARTS, Door, Part, built_topics, topics
from apps.shared.language import _
from apps.shared.style import Palette, palette


def _path_style(colours: Palette) -> str:
    return f"""<style>
.lecture-path {{ display: grid; gap: .8rem; padding-bottom: 1.8rem;
  grid-template-columns: repeat(auto-fill, minmax(min(12rem, 46%), 1fr)); }}
.lecture-path a {{ color: {colours.text}; text-decoration: none; border: 1px solid {colours.grid};
  border-radius: .5rem; padding: .5rem .7rem .6rem; display: block; }}
.lecture-path a:hover, .lecture-path a:focus-visible {{ border-color: {colours.ours}; }}
.lecture-path img {{ width: 100%; display: block; }}
.lecture-path .name {{ font-size: .92rem; font-weight: 600; line-height: 1.25; margin: .2rem 0 .35rem; }}
.lecture-path .stops {{ display: flex; gap: 4px; flex-wrap: wrap; }}
.lecture-path .stop {{ width: 9px; height: 9px; border-radius: 50%; border: 1.4px solid {colours.ours}; }}
.lecture-path .built {{ background: {colours.ours}; }}
</style>"""


def _tile(number: int, part: Part, colours: Palette) -> str:
    stops = "".join(f'<span class="stop{" built" if topic.built else ""}"></span>' for topic in part.topics)
    built = _(
        "{n} of {all} topics work here", n=sum(topic.built for topic in part.topics), all=len(part.topics)
    )
    return (
        f'<a href="#{part.key}" target="_self" title="{escape(built)}">'
        f'<img src="{drawing_url(part.key, colours)}" alt=""><div class="name">{number}. {_(part.title)}</div>'
        f'<div class="stops">{stops}</div></a>'
    )


def _path() -> None:
    colours = palette()
    tiles = "".join(_tile(number, part, colours) for number, part in enumerate(PARTS, start=1))
    st.html(
        f'{_path_style(colours)}<nav class="lecture-path" aria-label="{_("The path of the lecture")}">{tiles}</nav>'
    )
    st.caption(
        _(
            "The path of the lecture: choose a part to go to its topics. Each dot is a topic of the "
            "slides; those with a full dot can be tried here, {n} of {all}.",
            n=len(built_topics()),
            all=len(topics()),
        )
    )


def _door(door: Door) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.markdown(f"### {_(door.title)}\n{_(door.about)}")
        with st.container(horizontal=True, gap="xsmall"):
            for key, query, label in door.links:
                page = PAGES[key]
                if page.built:
                    st.page_link(page.view, label=_(label or page.title), icon=page.icon, query_params=query)


def _part(number: int, part: Part) -> None:
    left, right = st.columns([2, 5], gap="medium")
    waiting = sorted({_(PAGES[topic.page].title) for topic in part.topics if not topic.built})
    with left:
        st.subheader(f"{number}. {_(part.title)}", anchor=part.key)
        if waiting:
            st.markdown(
                " ".join(f":gray-badge[{_('{page}: not built yet', page=title)}]" for title in waiting)
            )
        course = PAGES["course"]
        label = _("Lesson {number}", number=number)
        st.page_link(course.view, label=label, icon=course.icon, query_params={"lesson": part.key})
    with right, st.container(border=True, gap="xsmall"):
        for topic in part.topics:
            page = PAGES[topic.page]
            if topic.built:
                label = f"**{_(topic.title)}** · {_(topic.idea)}"
                st.page_link(page.view, label=label, icon=page.icon, query_params=topic.query)
            else:
                st.caption(f"{page.icon} {_(topic.title)} · {_(topic.idea)}")


def show() -> None:
    """Draw the page."""
    st.title("Lectern", anchor=False)
    st.markdown(
        _(
            "A lecture on convolutional and recurrent networks turned into working software: use "
            "its models here, train them with one command, and see them measured against the best "
            "known systems."
        )
    )
    st.html(f'<h2 class="for-readers">{_("The lecture")}</h2>')
    for column, door in zip(st.columns(len(DOORS)), DOORS, strict=True):
        with column:
            _door(door)
    _path()
    for number, part in enumerate(PARTS, start=1):
        _part(number, part)
    st.caption(
        _(
            "After “Convolutional & recurrent networks”, 10-701 Introduction to Machine Learning, "
            "Geoff Gordon and Pradeep Ravikumar."
        )
    )


show()
