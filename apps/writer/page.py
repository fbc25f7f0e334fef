"""Page "Writing": a network that writes letter by letter, and what is inside it."""

from __future__ import annotations

from functools import partial

from apps.shared.page import PresetChoice, show_page
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
    writer.generator.generate("\n", length=2, unknown="map")
    return writer


WRITERS = PresetChoice(
    Writer.kind, DEFAULT_PRESET, opened, f"writer fit --out models/presets/{DEFAULT_PRESET}"
)
show_page(
    __file__,
    {
        WRITERS: {
            "Write": page_write.show,
            "Read": page_reading.show,
            "Copies": page_copies.show,
            "Quiz": page_quiz.show,
            "Gates": page_gates.show,
            "Unrolled": page_unrolled.show,
        },
        None: {"Ladder": partial(page_ladder.show, DEFAULT_PRESET)},
    },
)
