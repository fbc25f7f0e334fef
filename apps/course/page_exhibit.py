"""An exhibit of another page, drawn within a lesson."""

from __future__ import annotations

import importlib

import streamlit as st

from apps.course.exhibits import Exhibit
from apps.shared.page import show_section

_SHOWN = "exhibit shown"  # by name, in the state of the session
NOT_WIDGETS = ("section", "preset")


def show(exhibit: Exhibit, name: str) -> None:
    """Draw an exhibit; where another name was drawn before, its widgets get the values of the exhibit.

    Values of an address that somebody opens stay as they are.
    """
    before = st.session_state.get(_SHOWN)
    if before != name:
        st.session_state[_SHOWN] = name
        for key, value in exhibit.values.items():
            if key not in NOT_WIDGETS and (before is not None or key not in st.query_params):
                st.session_state[key] = value
    page = importlib.import_module(f"apps.{exhibit.page}.page")
    section = exhibit.values["section"]
    with st.container(key=f"exhibit-{exhibit.page}-{section}"):  # by which a picture's corner knows its page
        show_section(page.SECTIONS, section, exhibit.values.get("preset"))
