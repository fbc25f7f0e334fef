"""The language of a visitor: of the address, else as chosen before, else that of the browser; and how it is chosen."""

from __future__ import annotations

from threading import local

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from apps.shared.language import ENGLISH, LANGUAGES, found_by

_KEY = "language"  # query parameter, and in the state of the session


class _Drawn(local):
    """The language of the page that a thread draws: every text asks, and the state of a session answers slowly."""

    language = ""


_drawn = _Drawn()  # a thread draws for one visitor


def visitors_language() -> str:
    """The language of the visitor whose page is drawn now; English without one."""
    if _drawn.language:
        return _drawn.language
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    return st.session_state.get(_KEY) or _of_browser()


def _of_browser() -> str:
    spoken = (st.context.locale or "").partition("-")[0].lower()
    return spoken if spoken in LANGUAGES else ENGLISH


def keep_language() -> None:
    """Go on in the language of the session, where a part of a page is drawn anew."""
    _drawn.language = st.session_state.get(_KEY, "")


def choose_language() -> None:
    """Take the language from the page's address, and draw a button for each other one."""
    asked = st.query_params.get(_KEY)
    _drawn.language = ""
    now = asked if asked in LANGUAGES else visitors_language()
    st.session_state[_KEY] = _drawn.language = now
    if st.context.is_embedded or "present" in st.query_params:
        return
    with st.container(key="languages", horizontal=True, gap="xsmall"):
        for key, name in LANGUAGES.items():
            st.button(
                name,
                on_click=_choose,
                args=(key,),
                key=f"language {key}",
                type="tertiary",
                disabled=key == now,
            )


def _choose(language: str) -> None:
    st.session_state[_KEY] = st.query_params[_KEY] = _drawn.language = language


found_by(visitors_language)
