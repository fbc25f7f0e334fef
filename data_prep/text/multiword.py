"""Multiword tokens: surface tokens that stand for words which are no pieces of them, such as German "zum" = zu dem.

Tokens whose words are pieces of them ("don't" = do n't) need no table: their words are cut like all others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from data_prep.readers.conllu import Sentence
from data_prep.text.tokenizer import Token

MultiwordTokens = Mapping[str, tuple[str, ...]]


def multiword_tokens(sentences: Iterable[Sentence]) -> dict[str, tuple[str, ...]]:
    """Collect the multiword tokens of a treebank.

    Args:
        sentences: The treebank.

    Returns:
        Surface form to its words, sorted; forms that more often are a word of their own, or are cut into pieces, are
        left out.
    """
    found: defaultdict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for sentence in sentences:
        for token in sentence.tokens:
            words = tuple(word.form for word in sentence.words[token.first : token.last + 1])
            found[token.form][words] += 1
    usual = {form: max(sorted(words), key=words.__getitem__) for form, words in sorted(found.items())}
    return {form: words for form, words in usual.items() if len(words) > 1 and "".join(words) != form}


def expanded(tokens: Iterable[Token], table: MultiwordTokens) -> Iterator[Token]:
    """Put the words of multiword tokens in their places; they share the span of the token.

    A form that the table does not have is looked up in lower case; its first letter stays a capital.

    Args:
        tokens: As they stand in a text.
        table: As :func:`multiword_tokens` gives it.

    Yields:
        The words.
    """
    for token in tokens:
        words = table.get(token.text)
        if words is None and (lower := table.get(token.text.lower())) is not None:
            words = (lower[0][:1].upper() + lower[0][1:], *lower[1:])
        yield from (Token(word, token.start, token.end) for word in words or (token.text,))
