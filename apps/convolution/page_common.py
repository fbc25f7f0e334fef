"""What the sections of the bench share: an example as Keras."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from apps.shared.page import input_errors


def as_keras(write: Callable[[], str]) -> None:
    """Draw the code that gives the same numbers; wrong input becomes a message."""
    with st.expander("As Keras", icon=":material/code:"), input_errors():
        st.code(write(), language="python")
        st.caption("It runs by itself and gives the same numbers.")
