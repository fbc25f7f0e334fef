"""The progress of the visitor who looks at the page: in the state of the session, and in the page's address."""

from __future__ import annotations

import streamlit as st

from apps.course.progress import Progress, today
from apps.shared.page import input_errors

ADDRESS = "progress"
_STATE, _WRITTEN = "progress of the course", "progress in the address"


def visitor() -> Progress:
    """The visitor's progress; whoever changes it calls :func:`keep`."""
    return st.session_state.setdefault(_STATE, Progress())


def restore() -> None:
    """Take over what the address holds, once; one message where that is damaged."""
    code = st.query_params.get(ADDRESS, "")
    if code and code != st.session_state.get(_WRITTEN):
        with input_errors():
            visitor().merge(Progress.from_code(code))
            st.session_state[_WRITTEN] = code
            keep()
    elif not code:
        keep()


def keep() -> None:
    """Write the progress into the address."""
    code = visitor().to_code()
    if code and code != st.query_params.get(ADDRESS):
        st.query_params[ADDRESS] = code
    st.session_state[_WRITTEN] = code


def predicted(name: str, right: bool) -> None:
    """Note the prediction of a step."""
    visitor().predicted(name, right, today())
    keep()


def answered(name: str, seed: int, right: bool, hints: int) -> None:
    """Note an answer to an exercise."""
    visitor().answered(name, seed, right, hints, today())
    keep()
