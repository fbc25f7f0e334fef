"""Page "Tagging": one section at a time, each reachable by a link."""

from __future__ import annotations

import streamlit as st

from apps.shared.page import input_errors, one_of
from apps.tagger import page_benchmark as benchmark
from apps.tagger import page_calibration as calibration
from apps.tagger import page_errors as errors
from apps.tagger import page_network as network
from apps.tagger import page_text as text
from apps.tagger import page_transitions as transitions
from apps.tagger.application import DEFAULT_PRESET, SEGMENTER_PRESET
from apps.tagger.page_loading import load_tagger

SECTIONS = ("Text", "Network", "Errors", "Transitions", "Calibration", "Benchmark")


def main() -> None:
    """Draw the page."""
    st.title("Tagging", anchor=False)
    section = one_of("Section", SECTIONS, "section")
    match section:
        case "Errors":
            errors.show(DEFAULT_PRESET)
        case "Calibration":
            calibration.show(DEFAULT_PRESET)
        case "Benchmark":
            benchmark.show()
        case _:
            _with_tagger(section)


def _with_tagger(section: str) -> None:
    tagger = None
    with input_errors():
        tagger = load_tagger(DEFAULT_PRESET, SEGMENTER_PRESET)
    if tagger is None:
        st.info(
            f"Make the preset with `python -m apps tagger fit --out models/presets/{DEFAULT_PRESET}`, "
            "then reload."
        )
        return
    match section:
        case "Text":
            text.show(tagger)
        case "Network":
            network.show(tagger)
        case "Transitions":
            transitions.show(tagger, DEFAULT_PRESET)


main()
