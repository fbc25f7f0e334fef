"""Page "Convolution bench": one section at a time, each reachable by a link."""

from __future__ import annotations

import streamlit as st

from apps.views.bench import digit, einstein, kinds, learned, signals, sizes
from apps.views.shared import one_of

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
