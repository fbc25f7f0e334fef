"""Raw text as numbers of forms."""

from __future__ import annotations

import io
import tarfile

import pytest

from data_prep.errors import InputError
from data_prep.text.raw_forms import BORDER, first_words, numbered_forms, review_texts


def test_forms_are_numbered_in_the_order_they_come_each_text_behind_a_border() -> None:
    ids, forms = numbered_forms(["Don’t go, don't.", "go"])
    assert forms == ["Do", "n't", "go", ",", "do", "."]
    assert ids.tolist() == [BORDER, 0, 1, 2, 3, 4, 1, 5, BORDER, 2]


def test_known_forms_keep_their_numbers() -> None:
    ids, forms = numbered_forms(["new go"], ["go", "stay"])
    assert (ids.tolist(), forms) == ([BORDER, 2, 0], ["go", "stay", "new"])


def test_first_words_stop_before_there_are_too_many() -> None:
    assert list(first_words(["abcd " * 10, "abcd " * 10, "abcd " * 10], 21)) == ["abcd " * 10] * 2


def test_reviews_come_out_of_the_archive(tmp_path) -> None:
    path = tmp_path / "reviews.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (
            ("train/pos/1_9.txt", "good<br />film"),
            ("train/urls.txt", "no"),
            ("train/unsup/2_0.txt", "so"),
        ):
            member = tarfile.TarInfo(f"aclImdb/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    assert list(review_texts(path)) == ["good film", "so"]
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(InputError, match="or damaged"):
        list(review_texts(path))
