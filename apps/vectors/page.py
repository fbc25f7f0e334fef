"""Page "Word vectors": neighbours, analogies and maps, and how word2vec learns."""

from __future__ import annotations

from apps.shared.page import PresetChoice, show_page
from apps.vectors import (
    page_analogy,
    page_benchmark,
    page_neighbours,
    page_objective,
    page_scores,
    page_word_map,
)
from apps.vectors.application import DEFAULT_PRESET, Vectors
from apps.vectors.page_peer import GENSIM

VECTORS = PresetChoice(
    Vectors.kind,
    DEFAULT_PRESET,
    Vectors.from_preset,
    f"vectors fit --recipe shipped --out models/presets/{DEFAULT_PRESET}",
    # gensim's vectors are shown beside ours; the matrices that were trained belong to a preset.
    fits=lambda preset: preset.name != GENSIM and not preset.name.endswith(("_input", "_output")),
)
SECTIONS = {
    VECTORS: {
        "Analogy": page_analogy.show,
        "Neighbours": page_neighbours.show,
        "Map": page_word_map.show,
        "Objective": page_objective.show,
        "Scores": lambda ours, preset: page_scores.show(preset, GENSIM),
    },
    None: {"Benchmark": page_benchmark.show},
}

if __name__ == "__main__":
    show_page(__file__, SECTIONS)
