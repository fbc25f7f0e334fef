"""The language of a visitor: of the address, else as chosen before, else that of the browser; and how it is chosen."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from apps.shared.language import ENGLISH, LANGUAGES, found_by
from apps.shared.page import component

_document = component("lectern_language", __file__)  # says the language to screen readers
_KEY = "language"  # query parameter, and in the state of the session
# In the free stripe between the navigation and the title.
_PLACE = """<style>div:has(> .st-key-languages) { position: relative; margin-bottom: -1rem; }
.st-key-languages { position: absolute; top: -1.8rem; right: 0; width: auto; z-index: 1; }
.st-key-languages button { min-height: 1.5rem; padding: 0 .3rem; }</style>"""


def visitors_language() -> str:
    """The language of the visitor whose page is drawn now; English without one."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    return st.session_state.get(_KEY) or _of_browser()


def _of_browser() -> str:
    spoken = (st.context.locale or "").partition("-")[0].lower()
    return spoken if spoken in LANGUAGES else ENGLISH


def choose_language() -> None:
    """Take the language from the page's address, and draw a button for each other one."""
    asked = st.query_params.get(_KEY)
    st.session_state[_KEY] = asked if asked in LANGUAGES else visitors_language()  # every text asks for it
    if st.context.is_embedded or "present" in st.query_params:
        return
    now = visitors_language()
    st.html(_PLACE)
    with st.container(key="languages", horizontal=True, gap="xsmall"):
        _document(key="lectern_language", data=now)
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
    st.session_state[_KEY] = st.query_params[_KEY] = language


found_by(visitors_language)
