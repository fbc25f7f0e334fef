"""Page "Convolution bench": one section at a time, each reachable by a link."""

from __future__ import annotations

import streamlit as st

from apps.convolution import page_digit as digit
from apps.convolution import page_einstein as einstein
from apps.convolution import page_kinds as kinds
from apps.convolution import page_learned as learned
from apps.convolution import page_signals as signals
from apps.convolution import page_sizes as sizes
from apps.shared.page import one_of

VIEWS = {
    "Signal": signals,
    "Learned": learned,
    "Kinds": kinds,
    "Digit": digit,
    "Sizes": sizes,
    "Einstein": einstein,
}
SECTIONS = tuple(VIEWS)


def main() -> None:
    """Draw the page."""
    st.title("Convolution bench", anchor=False)
    section = one_of("Section", SECTIONS, "section")
    VIEWS[section].show()


main()
