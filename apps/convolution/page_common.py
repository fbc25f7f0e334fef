"""What the sections of the bench share: buttons for examples, boxes to type in, and an example as Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

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


def text(
    place: DeltaGenerator, label: str, value: str, key: str, most: int, *, lines: bool = False, **more: Any
) -> str:
    """Draw a box of at most ``most`` characters, one or several lines, whose text stands in the page's address."""
    box = place.text_area if lines else place.text_input
    return box(label, value, key=key, bind="query-params", max_chars=most, **more) or ""


def number(
    place: DeltaGenerator, label: str, bounds: tuple[int, int], value: int, key: str, **more: Any
) -> int:
    """Draw a box with a whole number, which stands in the page's address."""
    return int(place.number_input(label, *bounds, value, key=key, bind="query-params", **more))


def as_keras(write: Callable[[], str]) -> None:
    """Draw the code that gives the same numbers; wrong input becomes a message."""
    with st.expander("As Keras", icon=":material/code:"), input_errors():
        st.code(write(), language="python")
        st.caption("It runs by itself and gives the same numbers.")
