"""Page "Writing": one section at a time, each reachable by a link."""

from __future__ import annotations

import streamlit as st

from apps.views.shared import input_errors, one_of
from apps.views.writing import copies, gates, ladder, quiz, reading, unrolled, write
from apps.views.writing.loading import load_writer
from apps.writer import DEFAULT_PRESET

SECTIONS = ("Write", "Read", "Copies", "Quiz", "Gates", "Unrolled", "Ladder")


def main() -> None:
    """Draw the page."""
    st.title("Writing", anchor=False)
    section = one_of("Section", SECTIONS, "section")
    if section == "Ladder":
        ladder.show(DEFAULT_PRESET)
        return
    writer = None
    with input_errors():
        writer = load_writer(DEFAULT_PRESET)
    if writer is None:
        st.info(
            f"Make the preset with `python -m apps writer fit --out models/presets/{DEFAULT_PRESET}`, "
            "then reload."
        )
        return
    views = {
        "Write": write,
        "Read": reading,
        "Copies": copies,
        "Quiz": quiz,
        "Gates": gates,
        "Unrolled": unrolled,
    }
    views[section].show(writer, DEFAULT_PRESET)


main()
