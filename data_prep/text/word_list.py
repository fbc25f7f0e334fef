"""Words for the language model of ``apps.ocr``, and for words composed of letters.

The set of letters leaves out the first letter of each of its words, a capital (``data_prep.readers.letters``). A model
of its words has to know whole words and such tails alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from data_prep.errors import InputError
from data_prep.readers.letters import LETTERS

_SHORTEST, _LONGEST = 3, 15


def spellable(words: Iterable[str], without: Collection[str] = ()) -> tuple[str, ...]:
    """Keep the words of 3 to 15 letters a-z.

    Args:
        words: Any words, for example the vocabulary of a corpus.
        without: Words that must not come, neither whole nor without their first letter.

    Returns:
        The words in their order.

    Raises:
        InputError: No word is left.
    """
    letters, left_out = set(LETTERS), set(without)
    kept = tuple(
        word
        for word in words
        if _SHORTEST <= len(word) <= _LONGEST and letters.issuperset(word)
        if left_out.isdisjoint((word, word[1:]))
    )
    if not kept:
        raise InputError("No word can be spelled", allowed="words of 3 to 15 letters a-z")
    return kept


def with_tails(words: Iterable[str]) -> tuple[str, ...]:
    """Add to each word what is left of it without its first letter; each once, sorted."""
    return tuple(sorted({form for word in words for form in (word, word[1:])}))
