"""Page "Reading": words letter by letter and in one piece, and what context does for both."""

from __future__ import annotations

import json

from apps.ocr import page_benchmark, page_context, page_errors, page_letters, page_words
from apps.ocr.application import LETTERS_PRESET, WORDS_PRESET, Reader
from apps.shared.page import PresetChoice, show_page
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
SECTIONS = {
    LETTERS: {
        "Letters": page_letters.show,
        "Transitions": page_context.show_transitions,
        "Noise": page_context.show_noise,
        "Errors": page_errors.show,
    },
    WORDS: {"Words": page_words.show},
    None: {"Unseen words": page_benchmark.show_unseen, "Benchmark": page_benchmark.show},
}

if __name__ == "__main__":
    show_page(__file__, SECTIONS)
