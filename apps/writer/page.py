"""Page "Writing": a network that writes letter by letter, and what is inside it."""

from __future__ import annotations

from functools import partial

from apps.shared.page import PresetChoice, show_page
from apps.writer import (
    page_copies,
    page_errors,
    page_gates,
    page_gradients,
    page_ladder,
    page_quiz,
    page_reading,
    page_unrolled,
    page_write,
)
from apps.writer.application import DEFAULT_PRESET, Writer

WRITERS = PresetChoice(
    Writer.kind, DEFAULT_PRESET, page_write.opened, f"writer fit --out models/presets/{DEFAULT_PRESET}"
)
SECTIONS = {
    WRITERS: {
        "Write": page_write.show,
        "Read": page_reading.show,
        "Errors": page_errors.show,
        "Copies": page_copies.show,
        "Quiz": page_quiz.show,
        "Gates": page_gates.show,
        "Gradients": page_gradients.show,
        "Unrolled": page_unrolled.show,
    },
    None: {"Ladder": partial(page_ladder.show, DEFAULT_PRESET)},
}

if __name__ == "__main__":
    show_page(__file__, SECTIONS)
