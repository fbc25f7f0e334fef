"""What all pages share: loaded models, messages for wrong input, and a limit on heavy work."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore

import streamlit as st

from apps.vectors.application import Vectors
from data_prep.errors import InputError

_HEAVY_AT_ONCE = 2  # a map by t-SNE keeps a core busy for seconds; more visitors wait in line


@st.cache_resource(show_spinner="Opening the word vectors …")
def load_vectors(preset: str) -> Vectors:
    """Open a preset once for all visitors.

    Args:
        preset: Name of a preset of word vectors.

    Returns:
        The application; shared, so never changed.

    Raises:
        InputError: The preset is missing or damaged.
    """
    return Vectors.from_preset(preset)


@st.cache_resource(show_spinner=False)
def heavy_work() -> BoundedSemaphore:
    """Give the gate that heavy work goes through.

    Returns:
        A semaphore that all visitors share; use it in a ``with`` statement.
    """
    return BoundedSemaphore(_HEAVY_AT_ONCE)


def one_of(label: str, choices: Sequence[str], key: str) -> str:
    """Let the visitor choose one of a few by buttons in a row; the choice stands in the page's address.

    Args:
        label: Of the choice, for screen readers.
        choices: The first one is chosen at the beginning.
        key: Of the widget, and its query parameter.

    Returns:
        The choice.
    """
    return st.segmented_control(
        label,
        choices,
        default=choices[0],
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
    )


def plain(text: str) -> str:
    """Write a text so that Markdown shows it as it is.

    Args:
        text: Anything, such as what a visitor typed.

    Returns:
        The same text with every character that Markdown could read as a sign escaped.
    """
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:^=])", r"\\\1", text)


@contextmanager
def input_errors() -> Iterator[None]:
    """Show wrong input as one message and go on with the rest of the page."""
    try:
        yield
    except InputError as error:
        st.error(plain(str(error)), icon=":material/error:")
