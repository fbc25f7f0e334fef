"""Page "Reviews": a classifier of documents reads, says why, and is looked into."""

from __future__ import annotations

from functools import partial

from apps.reviews import page_inside, page_labels, page_padding, page_results, page_upload, page_verdict
from apps.reviews.application import DEFAULT_PRESET, Reviews
from apps.reviews.reports import SPEED
from apps.shared.page import PresetChoice, Section, show_page
from apps.shared.page_reports import show_report

CLASSIFIERS = PresetChoice(
    Reviews.kind,
    DEFAULT_PRESET,
    Reviews.from_preset,
    f"reviews fit --data imdb --out models/presets/{DEFAULT_PRESET}",
)
SECTIONS = (
    Section(
        "Verdict",
        page_verdict.show,
        "What each word of a document adds to its verdict, and how the verdict turns from word to word. Try a review "
        "that says the opposite of what it means.",
        CLASSIFIERS,
    ),
    Section(
        "Inside",
        page_inside.show,
        "The hidden state along a document, and where attention looks. Write a sentence twice and compare.",
        CLASSIFIERS,
    ),
    Section(
        "Labels",
        page_labels.show,
        "Labels have embeddings, as words do: which words lie nearest to each. Change the layout of the map.",
        CLASSIFIERS,
    ),
    Section(
        "File",
        page_upload.show,
        "A verdict for every row of a CSV file, and a file of verdicts to take away.",
        CLASSIFIERS,
    ),
    Section(
        "Padding",
        page_padding.show,
        "Documents of all lengths in one batch, and what the mask hides. Change lines and batch size.",
    ),
    Section(
        "Networks", page_results.show_networks, "Eight networks on the same reviews, and published results."
    ),
    Section("Embeddings", page_results.show_embeddings, "What word vectors are worth where labels are few."),
    Section("Benchmark", partial(show_report, SPEED), "Speed and accuracy beside TF-IDF and fastText."),
)
show_page("Reviews", SECTIONS)
