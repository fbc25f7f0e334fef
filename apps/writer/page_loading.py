"""The writer and the text that it learned from, opened once for all visitors."""

from __future__ import annotations

import streamlit as st

from apps.writer.application import Writer
from apps.writer.results import NextTokens, ScoredText


@st.cache_resource(show_spinner="Opening the writer …")
def load_writer(preset: str) -> Writer:
    """Open the preset of a writer.

    Args:
        preset: Name of a writer.

    Returns:
        The application; shared, so never changed.

    Raises:
        InputError: The preset is missing or damaged.
    """
    writer = Writer.from_preset(preset)
    for _ in writer.stream("\n", length=2):
        pass  # the first visitor does not wait for what is compiled once
    return writer


def linked_text(name: str, default: str, most: int) -> str:
    """Take the text that a box begins with from the page's address; one that is too long is cut, and that is said.

    Args:
        name: Of the parameter in the address.
        default: The text where the address has none.
        most: Characters that the box holds.

    Returns:
        The text.
    """
    text = st.query_params.get(name, default)
    if len(text) > most:
        st.warning(f"The text of the link has {len(text):,} characters; the box holds the first {most:,}.")
    return text[:most]


@st.cache_data(show_spinner=False, max_entries=64)
def next_tokens(
    _writer: Writer,
    preset: str,
    context: str,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    unknown: str,
) -> NextTokens:
    """Say what can come next; see :meth:`apps.writer.application.Writer.next_tokens`."""
    return _writer.next_tokens(context, temperature=temperature, top_k=top_k, top_p=top_p, unknown=unknown)


@st.cache_data(show_spinner=False, max_entries=16)
def scored(_writer: Writer, preset: str, text: str, unknown: str) -> ScoredText:
    """Score a text; see :meth:`apps.writer.application.Writer.score`."""
    return _writer.score(text, unknown=unknown)


@st.cache_data(show_spinner="Indexing the training text …", max_entries=4, ttl=600)
def training_text_problem(_writer: Writer, preset: str) -> str | None:
    """Say why copies cannot be looked for, or None where they can; tried again after ten minutes."""
    from data_prep.errors import InputError

    try:
        _ = _writer.learned.baseline
    except InputError as error:
        return str(error)
    return None
