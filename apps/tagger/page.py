"""Page "Tagging": one section at a time, each reachable by a link."""

from __future__ import annotations

from apps.shared.page import PresetChoice, show_page
from apps.tagger import (
    page_benchmark,
    page_calibration,
    page_errors,
    page_network,
    page_text,
    page_transitions,
)
from apps.tagger.application import DEFAULT_PRESET, Tagger

TAGGERS = PresetChoice(
    Tagger.kind, DEFAULT_PRESET, Tagger.from_preset, f"tagger fit --out models/presets/{DEFAULT_PRESET}"
)
SECTIONS = {
    TAGGERS: {
        "Text": page_text.show,
        "Network": page_network.show,
        "Errors": page_errors.show,
        "Transitions": page_transitions.show,
        "Calibration": page_calibration.show,
    },
    None: {"Benchmark": page_benchmark.show},
}

if __name__ == "__main__":
    show_page(__file__, SECTIONS)
