"""Looking up what a person typed among the keys of word vectors; close spellings for what is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.tokenizer import WordTokenizer

_KEY_RULE = WordTokenizer(punctuation=False, lower=True).key
_SPELLINGS = 3
_LEAST_LIKENESS = 0.6
_NAMED_WORDS = 5
_NAMED_LENGTH = 40


class WordLookup:
    """Finds keys: as written and, if there is no such key, by the vocabulary's key rule (NFC, lower case).

    Attributes:
        word_vectors: The vectors whose keys are searched.
    """

    word_vectors: WordVectors

    def key(self, word: str) -> str | None:
        """Look a word up.

        Args:
            word: As a person typed it.

        Returns:
            The key of its vector, or None.
        """
        if word in self.word_vectors:
            return word
        key = _KEY_RULE(word)
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
            raise self.unknown_words(unknown)
        return [key for key in found if key is not None]

    def close_spellings(self, word: str, limit: int = _SPELLINGS) -> list[str]:
        """Find known words that are spelt alike, at most ``limit``.

        The closest come first (optimal string alignment distance), the more frequent first among equals.
        """
        matches = process.extract(
            _KEY_RULE(word),
            self.word_vectors.keys,
            scorer=OSA.normalized_similarity,
            limit=limit,
            score_cutoff=_LEAST_LIKENESS,
        )
        return [match[0] for match in matches]

    def unknown_words(self, words: Sequence[str]) -> InputError:
        """Make the error that names unknown words with close spellings; to be raised by the caller."""
        words = list(dict.fromkeys(words))
        named = ", ".join(map(_short, words[:_NAMED_WORDS])) + (", …" if len(words) > _NAMED_WORDS else "")
        hints = []
        for word in words[:_NAMED_WORDS]:
            if spellings := self.close_spellings(word):
                hints.append(f"for {_short(word)}: " + ", ".join(spellings))
        return InputError(
            f"{'Unknown word' if len(words) == 1 else 'Unknown words'} {named}",
            allowed=f"one of the {len(self.word_vectors)} words that have a vector",
            remedy="Close spellings " + "; ".join(hints) if hints else "No known word is spelt alike",
        )


def _short(word: str) -> str:
    return repr(word if len(word) <= _NAMED_LENGTH else word[: _NAMED_LENGTH - 1] + "…")
