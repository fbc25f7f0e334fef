"""Page "Convolution bench": one section at a time, each reachable by a link."""

from __future__ import annotations

import streamlit as st

from apps.convolution import page_digit, page_einsum, page_kinds, page_learned, page_signals, page_sizes
from apps.shared.page import one_of

SECTIONS = {  # name in the address to what draws it, and what to try there
    "Signal": (page_signals.show, "Press an example, or change signal and layers, and follow every sum."),
    "Learned": (page_learned.show, "Take another seed, then move the steps back and see the kernels change."),
    "Kinds": (page_kinds.show, "Choose a kind, change filter or boundary, and step through the output."),
    "Digit": (page_digit.show, "Choose a digit and a kernel, and let it walk over the picture with Play."),
    "Sizes": (page_sizes.show, "Press a question of the lecture, or type your own sizes and layers."),
    "Einstein": (page_einsum.show, "Press an example, or type an expression in either notation."),
}


def main() -> None:
    """Draw the page."""
    st.title("Convolution bench", anchor=False)
    show, hint = SECTIONS[one_of("Section", tuple(SECTIONS), "section")]
    st.caption(hint)
    show()


main()
