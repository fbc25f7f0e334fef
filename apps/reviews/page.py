"""Page "Reviews": one section at a time, each reachable by a link."""

from __future__ import annotations

import streamlit as st

from apps.reviews import page_benchmark as benchmark
from apps.reviews import page_embeddings as embeddings
from apps.reviews import page_inside as inside
from apps.reviews import page_labels as labels
from apps.reviews import page_networks as networks
from apps.reviews import page_padding as padding
from apps.reviews import page_upload as upload
from apps.reviews import page_verdict as verdict
from apps.reviews.application import DEFAULT_PRESET
from apps.reviews.page_loading import choose_preset, load_reviews
from apps.shared.page import input_errors, one_of

WITHOUT_PRESET = {
    "Padding": padding.show,
    "Networks": networks.show,
    "Embeddings": embeddings.show,
    "Benchmark": benchmark.show,
}
SECTIONS = ("Verdict", "Inside", "Labels", "File", *WITHOUT_PRESET)


def main() -> None:
    """Draw the page."""
    st.title("Reviews", anchor=False)
    section = one_of("Section", SECTIONS, "section")
    if section in WITHOUT_PRESET:
        WITHOUT_PRESET[section]()
    else:
        _with_reviews(section)


def _with_reviews(section: str) -> None:
    preset = choose_preset()
    reviews = None
    with input_errors():
        reviews = load_reviews(preset)
    if reviews is None:
        data = "imdb" if preset == DEFAULT_PRESET else "bbc"
        st.info(
            f"Make the preset with `python -m apps reviews fit --data {data} --out models/presets/{preset}`, "
            "then reload."
        )
        return
    match section:
        case "Verdict":
            verdict.show(reviews, preset)
        case "Inside":
            inside.show(reviews, preset)
        case "Labels":
            labels.show(reviews, preset)
        case "File":
            upload.show(reviews)


main()
