"""Page "Word vectors": one section at a time, each reachable by a link."""

from __future__ import annotations

import streamlit as st

from apps.shared.page import input_errors, load_vectors, one_of
from apps.shared.reports import preset_installed
from apps.vectors import page_analogy as analogy
from apps.vectors import page_benchmark as benchmark
from apps.vectors import page_neighbours as neighbours
from apps.vectors import page_objective as objective
from apps.vectors import page_scores as scores
from apps.vectors import page_word_map as word_map

OURS, PEER = "vectors_en_wiki", "vectors_en_wiki_gensim"
OUTPUT = (
    "vectors_en_wiki_output"  # the keys that our model learned; the section "Objective" does without, too
)
SECTIONS = ("Analogy", "Neighbours", "Map", "Objective", "Scores", "Benchmark")


def main() -> None:
    """Draw the page."""
    st.title("Word vectors", anchor=False)
    section = one_of("Section", SECTIONS, "section")
    if section == "Benchmark":
        benchmark.show()
        return
    ours = peer = None
    with input_errors():
        ours = load_vectors(OURS)
    if ours is None:
        st.info(
            f"Make the preset with `python -m apps vectors fit --out models/presets/{OURS}`, then reload."
        )
        return
    with input_errors():
        peer = load_vectors(PEER) if preset_installed(PEER) else None
    match section:
        case "Analogy":
            analogy.show(ours, peer)
        case "Neighbours":
            neighbours.show(ours, peer)
        case "Map":
            word_map.show(ours, OURS)
        case "Objective":
            output = load_vectors(OUTPUT).word_vectors if preset_installed(OUTPUT) else None
            objective.show(ours, output)
        case "Scores":
            scores.show(OURS, PEER)


main()
