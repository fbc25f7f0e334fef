"""What is exported of a classifier of documents: its networks and their sum."""

from __future__ import annotations

from typing import Any

from data_prep.files import toml_beside
from data_prep.text.made_texts import made_reviews
from data_prep.text.text_inputs import Reading, encode
from lectern.export.written import INPUTS, Exportable
from models.text_classifier.config import golden_inputs


def exportable(reviews: Any) -> Exportable:
    """Give networks, words and labels, of an application ``Reviews``."""
    config, words = reviews.config, list(reviews.vocabulary)
    networks = {f"member{at}": _read(member) for at, member in enumerate(config.members, start=1)}
    return Exportable(
        "A document to its label",
        reviews.keras_model(),
        [encode(text, reviews.vocabulary) for text in made_reviews(INPUTS, 1).texts],
        lambda some: golden_inputs(config, some),
        {
            "vocabulary.json": {
                "words": dict(zip(words, range(len(words)), strict=True)),
                "networks": networks,
            },
            "labels.json": list(reviews.labels),
        },
        toml_beside(__file__)["code"],
    )


def _read(how: Reading) -> list[Any]:
    counting = "once" if how.distinct else "log" if how.sublinear_tf else "all" if how.is_bag else "order"
    return [how.vocabulary_size, how.max_words, how.head_words, how.ngrams, how.buckets, counting]
