"""Raw text as numbers of word forms, cut as the treebanks of English cut words: for what is learned without tags."""

from __future__ import annotations

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

import numpy as np

from data_prep.readers.document_sets import archive_reviews

BORDER = -1  # begin of a text

# Clitics are words of their own.
_TOKEN = re.compile(r"\w+(?=n't\b)|n't\b|'(?:s|re|ve|ll|d|m)\b|\w+|[^\w\s]", re.IGNORECASE)
_BREAK = re.compile(r"<br />")
_APOSTROPHE = "’"
_CHARACTERS_A_WORD = 5


def numbered_forms(texts: Iterable[str], forms: list[str] | None = None) -> tuple[np.ndarray, list[str]]:
    """Turn texts into one stream of form numbers; new forms follow those that have a number already.

    Returns:
        Int32 (n,), each text behind a ``BORDER``, and the form of each number.
    """
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    for form in forms or ():
        _ = numbers[form]
    ids = array("i")
    for text in texts:
        ids.append(BORDER)
        ids.extend(map(numbers.__getitem__, _TOKEN.findall(text.replace(_APOSTROPHE, "'"))))
    return np.array(ids, np.int32), list(numbers)


def first_words(texts: Iterable[str], words: int) -> Iterator[str]:
    """Give the first texts, until they hold about ``words`` words."""
    left = words * _CHARACTERS_A_WORD
    for text in texts:
        left -= len(text)
        if left < 0:
            return
        yield text


def review_texts(path: Path) -> Iterator[str]:
    """Read the texts of the Large Movie Review Dataset out of ``aclImdb_v1.tar.gz``, in the order of the archive.

    Raises:
        InputError: If the archive is damaged, or a review is not UTF-8.
    """
    for review in archive_reviews(path):
        yield _BREAK.sub(" ", review.text)
