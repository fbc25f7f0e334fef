from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.ocr_protocols import PROTOCOLS, WORDS, splits_of
from data_prep.readers.letters import LetterWords, encode_word, read_letters

TEXTS = ("ab", "cd", "efg", "hi", "jk", "lmn", "op")


def made_words(copies: int = 10) -> LetterWords:
    """Every text once in each fold."""
    texts = TEXTS * copies
    labels = [encode_word(text) for text in texts]
    images = np.zeros((sum(map(len, labels)), 16, 8), np.uint8)
    return LetterWords.of(images, labels, np.repeat(np.arange(copies), len(TEXTS)))


def check(words: LetterWords) -> None:
    everything = set(range(len(words.folds)))
    for name in PROTOCOLS:
        for train, test in splits_of(name, words).values():
            assert len(train) and len(test)
            assert set(train.tolist()) | set(test.tolist()) == everything
            assert not set(train.tolist()) & set(test.tolist())
    nine, one, unseen = (list(splits_of(name, words).values()) for name in "abc")
    assert len(nine) == len(one) == 10 and len(unseen) == 5
    for (train, test), (other_train, other_test) in zip(nine, one, strict=True):
        assert len(set(words.folds[test])) == 1 == len(set(words.folds[other_train]))
        np.testing.assert_array_equal(train, other_test)
    for name, parts in splits_of(WORDS, words).items():
        for part, same in zip(parts, splits_of("a", words)[name], strict=True):
            np.testing.assert_array_equal(part, same)
    texts = np.array(words.texts)
    for train, test in unseen:
        assert not set(texts[train]) & set(texts[test])
    tested = [set(texts[test]) for _, test in unseen]
    assert set.union(*tested) == set(texts) and sum(map(len, tested)) == len(set(texts))


def test_splits_are_disjoint() -> None:
    check(made_words())


@pytest.mark.realdata
def test_splits_of_the_set_are_disjoint(data_dir: Path) -> None:
    check(read_letters(data_dir / "ocr_letters" / "letter.data.gz"))
