"""The three protocols for the set of handwritten words: how it is split into words to learn from and words to read.

All ten folds hold the same 55 different words, so protocols (a) and (b) measure a closed lexicon: no word is read that
was not learned. In (c) no word to read occurs among those to learn from.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.readers.letters import LetterWords
from data_prep.splits import assert_disjoint, k_folds

Protocol = Literal["a", "b", "c"]
PROTOCOLS: Mapping[str, str] = MappingProxyType(
    {
        "a": "ten folds: learned from nine, read the tenth",
        "b": "ten folds: learned from one, read the other nine",
        "c": "five splits of the different words: no word that is read was learned",
    }
)
UNSEEN_SPLITS = 5


class WordSplit(NamedTuple):
    """Words to learn from and words to read, int64 indices both; ``name`` tells it from the others."""

    name: str
    train: np.ndarray
    test: np.ndarray


def splits_of(protocol: Protocol, words: LetterWords) -> tuple[WordSplit, ...]:
    """Return the splits of a protocol.

    Args:
        protocol: Row of ``PROTOCOLS``.
        words: The whole set.

    Returns:
        Ten splits for (a) and (b), five for (c).

    Raises:
        InputError: There is no such protocol, a part would be empty, or parts share what they must not.
    """
    if protocol not in PROTOCOLS:
        raise InputError("There is no such protocol", allowed=", ".join(PROTOCOLS), received=protocol)
    if protocol == "c":
        texts = words.texts
        folds = k_folds(len(texts), UNSEEN_SPLITS, seed=0, groups=texts)
        splits = [WordSplit(f"words{number}", *parts) for number, parts in enumerate(folds)]
    else:
        splits = []
        for fold in np.unique(words.folds).tolist():
            inside, outside = np.flatnonzero(words.folds == fold), np.flatnonzero(words.folds != fold)
            parts = (outside, inside) if protocol == "a" else (inside, outside)
            splits.append(WordSplit(f"fold{fold}", *parts))
    for split in splits:
        if not len(split.train) or not len(split.test):
            raise InputError(
                "A part of a split would be empty", received=split.name, remedy="Give more folds"
            )
        assert_disjoint({"train": split.train.tolist(), "test": split.test.tolist()})
    return tuple(splits)
