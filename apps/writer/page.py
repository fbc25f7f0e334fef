"""Page "Writing": a network that writes letter by letter, and what is inside it."""

from __future__ import annotations

from functools import partial

from apps.shared.page import PresetChoice, Section, show_page
from apps.writer import (
    page_copies,
    page_gates,
    page_ladder,
    page_quiz,
    page_reading,
    page_unrolled,
    page_write,
)
from apps.writer.application import DEFAULT_PRESET, Writer


def opened(preset: str) -> Writer:
    """Open a writer that has written already: the first visitor does not wait for what is compiled once."""
    writer = Writer.from_preset(preset)
    for _ in writer.stream("\n", length=2, unknown="map"):
        pass
    return writer


WRITERS = PresetChoice(
    Writer.kind, DEFAULT_PRESET, opened, f"writer fit --out models/presets/{DEFAULT_PRESET}"
)
SECTIONS = (
    Section(
        "Write",
        page_write.show,
        "Text as it is written, and what it copied. Try a temperature of 0.3, then one of 1.5.",
        WRITERS,
    ),
    Section(
        "Read",
        page_reading.show,
        "How surprising every letter of a text is. Try your own words beside those of Hamlet.",
        WRITERS,
    ),
    Section(
        "Copies",
        page_copies.show,
        "What of a text stands in the training text. Compare text that was held out: true text repeats itself too.",
        WRITERS,
    ),
    Section(
        "Quiz",
        page_quiz.show,
        "Tell what the network wrote from what Shakespeare wrote, if you can.",
        WRITERS,
    ),
    Section(
        "Gates",
        page_gates.show,
        "Every gate and memory over a text. Look for the unit that knows a speaker's name.",
        WRITERS,
    ),
    Section(
        "Unrolled",
        page_unrolled.show,
        "The network step by step: in training it is told the next letter, in writing it reads its own.",
        WRITERS,
    ),
    Section(
        "Ladder",
        partial(page_ladder.show, DEFAULT_PRESET),
        "What each idea is worth, from guessing at random to the shipped writer.",
    ),
)
show_page("Writing", SECTIONS)
