"""Page "Word vectors": neighbours, analogies and maps, and how word2vec learns."""

from __future__ import annotations

from apps.shared.page import PresetChoice, Section, show_page
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
    f"vectors fit --out models/presets/{DEFAULT_PRESET}",
    # gensim's vectors are shown beside ours, and an output matrix holds keys, not vectors of words.
    fits=lambda preset: preset.name != GENSIM and not preset.name.endswith("_output"),
)
SECTIONS = (
    Section(
        "Analogy",
        page_analogy.show,
        "Add and subtract words: Paris without France, with Spain. Try euro - france + japan.",
        VECTORS,
    ),
    Section(
        "Neighbours",
        page_neighbours.show,
        "Which words are used alike. Try a word with two senses, such as bank.",
        VECTORS,
    ),
    Section(
        "Map",
        page_word_map.show,
        "Words in two dimensions: zoom, search, and see what lies together.",
        VECTORS,
    ),
    Section(
        "Objective",
        page_objective.show,
        "How the vectors are learned: hide a word and let its neighbours find it. Move the hidden word.",
        VECTORS,
    ),
    Section(
        "Scores",
        lambda ours, preset: page_scores.show(preset, GENSIM),
        "How well the vectors answer three public sets of questions. Compare the sections.",
        VECTORS,
    ),
    Section("Benchmark", page_benchmark.show, "Our word2vec beside gensim's: speed, memory and scores."),
)
show_page("Word vectors", SECTIONS)
