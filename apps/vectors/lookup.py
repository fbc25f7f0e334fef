"""Looking up what a person typed among the keys of word vectors; close spellings for what is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors

_SPELLINGS = 3
_LEAST_LIKENESS = 0.6
_NAMED_WORDS = 5
_NAMED_LENGTH = 40


class WordLookup:
    """Finds keys: as written and, if there is no such key, by the vocabulary's key rule (NFC, lower case).

    Args:
        word_vectors: The vectors whose keys are searched.
    """

    def __init__(self, word_vectors: WordVectors) -> None:
        self.word_vectors = word_vectors

    @cached_property
    def _key_rule(self) -> Callable[[str], str]:
        from data_prep.text.tokenizer import WordTokenizer

        return WordTokenizer(punctuation=False, lower=True).key

    def key(self, word: str) -> str | None:
        """Look a word up.

        Args:
            word: As a person typed it.

        Returns:
            The key of its vector, or None.
        """
        if word in self.word_vectors:
            return word
        key = self._key_rule(word)
        return key if key in self.word_vectors else None

    def keys(self, words: Iterable[str]) -> list[str]:
        """Look words up, all of which must be known.

        Args:
            words: As a person typed them.

        Returns:
            The keys, in order.

        Raises:
            InputError: One or more words are unknown; names them and close spellings.
        """
        words = list(words)
        found = [self.key(word) for word in words]
        unknown = [word for word, key in zip(words, found, strict=True) if key is None]
        if unknown:
            raise self.unknown(unknown)
        return [key for key in found if key is not None]

    def close_spellings(self, word: str, limit: int = _SPELLINGS) -> list[str]:
        """Find known words that are spelt alike.

        Args:
            word: An unknown word.
            limit: How many at most.

        Returns:
            Keys, the closest first (optimal string alignment distance), the more frequent first among equals.
        """
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        matches = process.extract(
            self._key_rule(word),
            self.word_vectors.keys,
            scorer=OSA.normalized_similarity,
            limit=limit,
            score_cutoff=_LEAST_LIKENESS,
        )
        return [match[0] for match in matches]

    def unknown(self, words: Sequence[str]) -> InputError:
        """Make the error that names unknown words.

        Args:
            words: One or more unknown words.

        Returns:
            The error, with close spellings; to be raised by the caller.
        """
        words = list(dict.fromkeys(words))
        named = ", ".join(map(_short, words[:_NAMED_WORDS])) + (", …" if len(words) > _NAMED_WORDS else "")
        hints = []
        for word in words[:_NAMED_WORDS]:
            spellings = self.close_spellings(word)
            if spellings:
                hints.append(f"for {_short(word)}: " + ", ".join(spellings))
        return InputError(
            f"{'Unknown word' if len(words) == 1 else 'Unknown words'} {named}",
            allowed=f"one of the {len(self.word_vectors)} words that have a vector",
            remedy="Close spellings " + "; ".join(hints) if hints else "No known word is spelt alike",
        )


def _short(word: str) -> str:
    return repr(word if len(word) <= _NAMED_LENGTH else word[: _NAMED_LENGTH - 1] + "…")
