"""Page "Tagging": one section at a time, each reachable by a link."""

from __future__ import annotations

from apps.shared.page import PresetChoice, Section, show_page
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
SECTIONS = (
    Section(
        "Text",
        page_text.show,
        "A text with the tag of every word. Try a sentence that begins again halfway: the old man the boat.",
        TAGGERS,
    ),
    Section(
        "Network",
        page_network.show,
        "One sentence on its way through the layers. Compare what reads from the left with what reads from the right.",
        TAGGERS,
    ),
    Section(
        "Errors", page_errors.show, "Which tag is mistaken for which: click a square to read where.", TAGGERS
    ),
    Section(
        "Transitions",
        page_transitions.show,
        "Which tag likes to follow which, as the network's last layer has learned it.",
        TAGGERS,
    ),
    Section(
        "Calibration",
        page_calibration.show,
        "Whether a tag that has 80 % is right in 80 % of the cases, and all scores.",
        TAGGERS,
    ),
    Section("Benchmark", page_benchmark.show, "Speed beside other taggers, and what word vectors are worth."),
)
show_page("Tagging", SECTIONS)
