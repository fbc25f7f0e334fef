"""Words for the language model of ``apps.ocr``, and for words composed of letters.

The set of letters leaves out the first letter of each of its words, a capital (``data_prep.readers.letters``). A model
of its words has to know whole words and such tails alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from data_prep.errors import InputError
from data_prep.readers.letters import LETTERS

_SHORTEST, _LONGEST = 3, 15


def spellable(
    words: Iterable[str], without: Collection[str] = (), alphabet: str = LETTERS
) -> tuple[str, ...]:
    """Keep the words of 3 to 15 letters of an alphabet.

    Args:
        words: Any words, for example the vocabulary of a corpus.
        without: Words that must not come, neither whole nor without their first letter.
        alphabet: The letters.

    Returns:
        The words in their order.

    Raises:
        InputError: No word is left.
    """
    left_out, letters = set(without), set(alphabet)
    kept = tuple(
        word
        for word in words
        if _SHORTEST <= len(word) <= _LONGEST and letters.issuperset(word)
        if word not in left_out and word[1:] not in left_out
    )
    if not kept:
        known = "a-z" if alphabet == LETTERS else alphabet
        raise InputError("No word can be spelled", allowed=f"words of 3 to 15 letters {known}")
    return kept


def with_tails(words: Iterable[str], without: Collection[str] = ()) -> tuple[str, ...]:
    """Add to each word what is left of it without its first letter.

    Args:
        words: Words of two letters or more.
        without: As in :func:`spellable`.

    Returns:
        Words and tails, each once, sorted.
    """
    left_out = set(without)
    found = {form for word in words for form in (word, word[1:])}
    return tuple(sorted(form for form in found if form not in left_out and form[1:] not in left_out))
