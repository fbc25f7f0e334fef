from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.images.letter_folds import PROTOCOLS, splits_of
from data_prep.readers.letters import LetterWords, encode_word, read_letters

TEXTS = ("ab", "cd", "efg", "hi", "jk", "lmn", "op")


def made_words(copies: int = 10) -> LetterWords:
    """Every text once in each fold."""
    texts = TEXTS * copies
    labels = [encode_word(text) for text in texts]
    starts = np.cumsum([0, *map(len, labels)])
    flat = np.concatenate(labels)
    folds = np.repeat(np.arange(copies), len(TEXTS))
    return LetterWords(np.zeros((len(flat), 16, 8), np.uint8), flat, starts, folds)


def check(words: LetterWords) -> None:
    everything = set(range(len(words.folds)))
    for name in PROTOCOLS:
        for split in splits_of(name, words):
            assert set(split.train.tolist()) | set(split.test.tolist()) == everything
            assert not set(split.train.tolist()) & set(split.test.tolist())
    nine, one, unseen = (splits_of(name, words) for name in "abc")
    assert len(nine) == len(one) == 10 and len(unseen) == 5
    for first, second in zip(nine, one, strict=True):
        assert len(set(words.folds[first.test])) == 1 == len(set(words.folds[second.train]))
        np.testing.assert_array_equal(first.train, second.test)
    texts = np.array(words.texts)
    for split in unseen:
        assert not set(texts[split.train]) & set(texts[split.test])
    tested = [set(texts[split.test]) for split in unseen]
    assert set.union(*tested) == set(texts) and sum(map(len, tested)) == len(set(texts))
    assert all(first.name != second.name for first, second in pairwise(unseen))


def test_splits_are_disjoint() -> None:
    check(made_words())


@pytest.mark.realdata
def test_splits_of_the_set_are_disjoint(data_dir: Path) -> None:
    check(read_letters(data_dir / "ocr_letters" / "letter.data.gz"))


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(InputError, match="no such protocol"):
        splits_of("d", made_words())


def test_one_fold_cannot_be_split() -> None:
    with pytest.raises(InputError, match="part of a split would be empty"):
        splits_of("a", made_words(1))
