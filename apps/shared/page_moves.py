"""Moves of a button to another section, which clicks on the page before do not take back.

The browser sends its address and what its choosers show with every click. The second half of a double click, or one
more by a visitor who waited, has those of the page before: there the move counts. The browser's way back has that
address as well, but its chooser shows where the move led.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

SECTION = "section"  # query parameter
_MOVE, _PAGE = "move to a section", "page of sections"  # in the state of the session: the last ones


class _Move(NamedTuple):
    to: Mapping[str, str]  # query parameters
    before: Mapping[str, str | None]
    left: str  # section
    drawn: bool = False  # whether the browser was given the page that it led to


def go_to_section(name: str, **more: str) -> None:
    """Go to another section, with query parameters of its own; for callbacks."""
    to = {SECTION: name, **more}
    before = {key: st.query_params.get(key) for key in to}
    st.session_state[_MOVE] = _Move(to, before, st.session_state[SECTION])
    st.query_params.update(to)


def stay_where_moved() -> None:
    """Take a click with the address of before to where the last move leads, as long as that was not drawn."""
    move = st.session_state.get(_MOVE)
    if move is not None and not move.drawn and _is_there(move.before):
        st.query_params.update(move.to)


def section_chosen(name: str) -> None:
    """Put the section that the chooser shows into the page's address, where the visitor has chosen it."""
    run = get_script_run_ctx(suppress_warning=True)
    if run is not None and run.fragment_ids_this_run:
        return  # a click within a section, by a browser that does not show the new one's name yet
    move = st.session_state.get(_MOVE)
    if move is not None and name == move.left and _is_there(move.before):
        st.query_params.update(move.to)
        return
    st.session_state.pop(_MOVE, None)
    st.query_params[SECTION] = name


def _is_there(address: Mapping[str, str | None]) -> bool:
    return all(st.query_params.get(key) == value for key, value in address.items())


def page_begins(page: str) -> None:
    """Say which page is drawn: on another one a move does not count any more."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        st.session_state.pop(_MOVE, None)


def page_drawn() -> None:
    """Say that a page is drawn to its end."""
    move = st.session_state.get(_MOVE)
    if move is not None and not move.drawn:
        st.session_state[_MOVE] = move._replace(drawn=True)
