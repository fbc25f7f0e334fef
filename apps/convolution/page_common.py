"""What the sections of the bench share: buttons for examples, and an example as Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from apps.shared.page import input_errors


def examples(choices: Mapping[str, tuple[str, Mapping[str, object]]]) -> None:
    """Draw a button for each example; it sets the widgets, and so the page's address.

    Args:
        choices: Name to the button's words and the values of the widgets by key.
    """
    with st.container(horizontal=True, gap="xsmall"):
        for name, (label, values) in choices.items():
            st.button(label, on_click=_take, args=(dict(values),), key=f"take {name}")


def as_keras(write: Callable[[], str]) -> None:
    """Draw the code that gives the same numbers.

    Args:
        write: Gives it; wrong input becomes a message.
    """
    with st.expander("As Keras", icon=":material/code:"), input_errors():
        st.code(write(), language="python")
        st.caption("It runs by itself and gives the same numbers.")


def _take(values: Mapping[str, object]) -> None:
    for key, value in values.items():
        st.session_state[key] = value
