"""What the sections of the bench share: buttons for examples, boxes to type in, and an example as Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from apps.convolution.examples import Example
from apps.shared.page import input_errors


def examples(section: str, choices: Mapping[str, Example]) -> None:
    """Draw a button for each example; it sets the widgets, and so the page's address."""
    with st.container(horizontal=True, gap="xsmall"):
        for name, example in choices.items():
            values = (example.values,)
            st.button(
                example.title, on_click=st.session_state.update, args=values, key=f"take {section} {name}"
            )


def as_keras(write: Callable[[], str]) -> None:
    """Draw the code that gives the same numbers; wrong input becomes a message."""
    with st.expander("As Keras", icon=":material/code:"), input_errors():
        st.code(write(), language="python")
        st.caption("It runs by itself and gives the same numbers.")
