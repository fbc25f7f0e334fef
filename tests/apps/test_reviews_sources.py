"""Documents to learn from: those of your own, made ones, and folds of a set without a test part."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.reviews.sources import named_source, own_source
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import labelled
from data_prep.text.made_texts import made_reviews
from data_prep.text.text_inputs import plain


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("good", "pos")] * 20, "All documents have one label"),
        ([("good", "pos"), ("fine", "pos"), ("bad", "neg")], "The label neg has too few documents"),
    ],
)
def test_documents_that_teach_nothing_are_refused(rows: list, message: str) -> None:
    with pytest.raises(InputError, match=message):
        own_source(labelled(rows), "made")


def test_aliases_mean_the_labels_as_your_documents_write_them() -> None:
    texts = labelled([(f"film {at}", label) for at in range(20) for label in ("Pos", "NEG")])
    aliases = dict(own_source(texts, "made").aliases)
    assert aliases["positive"] == "Pos" and aliases["0"] == "NEG"
    twice = labelled([(f"film {at}", label) for at in range(20) for label in ("pos", "Pos", "neg")])
    assert own_source(twice, "made").aliases == ()


def test_made_reviews_are_the_same_each_time_and_half_of_them_good() -> None:
    found = made_reviews(40, 3)
    assert found.checksum == made_reviews(40, 3).checksum != made_reviews(40, 4).checksum
    assert found.classes == ("neg", "pos") and found.labels.sum() == 20


@pytest.mark.realdata
def test_no_article_of_the_bbc_is_in_two_folds(data_dir: Path) -> None:
    folds = named_source("bbc").folds(5, 1)
    assert sum(len(fold.test) for fold in folds) == 2_225
    for fold in folds:
        assert not {plain(text).strip() for text in fold.train.texts} & {
            plain(text).strip() for text in fold.test.texts
        }
