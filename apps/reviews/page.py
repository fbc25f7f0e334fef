"""Page "Reviews": a classifier of documents reads, says why, and is looked into."""

from __future__ import annotations

from apps.reviews import (
    page_errors,
    page_inside,
    page_labels,
    page_padding,
    page_results,
    page_upload,
    page_verdict,
)
from apps.reviews.application import DEFAULT_PRESET, Reviews
from apps.shared.page import PresetChoice, show_page

CLASSIFIERS = PresetChoice(
    Reviews.kind,
    DEFAULT_PRESET,
    Reviews.from_preset,
    f"reviews fit --data imdb --out models/presets/{DEFAULT_PRESET}",
)
SECTIONS = {
    CLASSIFIERS: {
        "Verdict": page_verdict.show,
        "Inside": page_inside.show,
        "Errors": page_errors.show,
        "Labels": page_labels.show,
        "File": page_upload.show,
    },
    None: {
        "Padding": page_padding.show,
        "Networks": page_results.show_networks,
        "Embeddings": page_results.show_embeddings,
        "Benchmark": page_results.show_benchmark,
    },
}

if __name__ == "__main__":
    show_page(__file__, SECTIONS)
