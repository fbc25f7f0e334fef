"""Page "Reading": words letter by letter and in one piece, and what context does for both."""

from __future__ import annotations

import json

from apps.ocr import page_benchmark, page_context, page_letters, page_words
from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader
from apps.shared.page import PresetChoice, Section, show_page
from models.ocr.config import KIND
from models.presets.search import FoundPreset
from models.presets.store import CONFIG


def _reads(preset: FoundPreset) -> str | None:
    try:
        return json.loads((preset.path / CONFIG).read_text(encoding="utf-8")).get("reads")
    except (OSError, ValueError, AttributeError):
        return None


def _presets(reads: str, default: str) -> PresetChoice:
    make = f"ocr fit --recipe {reads} --out models/presets/{default}"
    return PresetChoice(
        KIND, default, Reader.from_preset, make, lambda preset: _reads(preset) == reads, key=reads
    )


LETTERS, WORDS = _presets("letters", LETTERS_PRESET), _presets("words", WORDS_PRESET)
SECTIONS = (
    Section(
        "Letters",
        page_letters.show,
        "A word letter by letter, before and after its context counts. Try another hand, or write a word yourself.",
        LETTERS,
    ),
    Section(
        "Words",
        page_words.show,
        "A word in one piece, with the path through its frames. Try joined letters: nobody has to cut them.",
        WORDS,
    ),
    Section(
        "Unseen words",
        page_benchmark.show_unseen,
        "Errors where the words to read were learned, and where they were not. Compare the two groups.",
    ),
    Section(
        "Transitions",
        page_context.show_transitions,
        "What the CRF learned about which letter follows which. Look for the column after q.",
        LETTERS,
    ),
    Section(
        "Noise",
        page_context.show_noise,
        "A word gets worse pixel by pixel. Move the slider until only context holds it.",
        LETTERS,
    ),
    Section(
        "Errors",
        page_context.show_errors,
        "Words that context makes wrong, and words that it makes right. Change the kind and go through them.",
        LETTERS,
    ),
    Section("Benchmark", page_benchmark.show, "Errors on fold 0, and speed beside CRFsuite."),
)
show_page("Reading", SECTIONS)
