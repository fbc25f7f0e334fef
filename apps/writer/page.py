"""Page "Writing": one section at a time, each reachable by a link."""

from __future__ import annotations

import streamlit as st

from apps.shared.page import input_errors, one_of
from apps.writer import page_copies as copies
from apps.writer import page_gates as gates
from apps.writer import page_ladder as ladder
from apps.writer import page_quiz as quiz
from apps.writer import page_reading as reading
from apps.writer import page_unrolled as unrolled
from apps.writer import page_write as write
from apps.writer.application import DEFAULT_PRESET
from apps.writer.page_loading import load_writer

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
