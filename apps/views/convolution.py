"""Page "Convolution bench": one section at a time, each reachable by a link."""

from __future__ import annotations

import streamlit as st

from apps.views.bench import digit, einstein, kinds, learned, signals, sizes

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
    section = st.segmented_control(
        "Section",
        SECTIONS,
        default=SECTIONS[0],
        required=True,
        key="section",
        bind="query-params",
        label_visibility="collapsed",
    )
    VIEWS[section].show()


main()
