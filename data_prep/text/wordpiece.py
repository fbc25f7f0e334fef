"""Word pieces: a learned vocabulary of word beginnings and ``##`` continuations, greedy longest match.

Source: Schuster and Nakajima, "Japanese and Korean voice search", ICASSP 2012; the greedy match as in BERT.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping

import numpy as np

from data_prep.errors import InputError
from data_prep.text.tokenizer import Token, WordTokenizer
from data_prep.text.vocab import DEFAULT_SPECIALS, UNK_TOKEN, Vocabulary

JOINER = "##"
_CACHED_WORDS = 1 << 16
_MAX_WORD_BYTES = 100
_LEARNED_WORDS = 20_000  # the most frequent ones; the time grows with them
_LEARNED_CHARACTERS = 1000  # words with a rarer character are not learned from

Piece = tuple[str, int, int]  # a vocabulary entry and its place in a word's key, in code points


class WordPieceTokenizer:
    """Words cut into the longest vocabulary entries from the left; a word that cannot be cut is one UNK.

    Words are those of ``WordTokenizer(punctuation=True)``; one whose key has more than 100 bytes of UTF-8 is one UNK.
    A token's span is its place in the user's text; where lower-casing or NFC changes the length of a word, pieces
    that meet inside one user's character both span it.

    Args:
        vocabulary: With the specials ``<pad>`` and ``<unk>``; see ``learn_word_pieces``.
        lower: Whether words are lower-cased before the lookup; as when the vocabulary was learned.

    Raises:
        InputError: If the vocabulary has no ``<unk>``, or holds an empty piece.
    """

    def __init__(self, vocabulary: Vocabulary, lower: bool = True) -> None:
        if UNK_TOKEN not in vocabulary.specials:
            raise InputError("Word pieces need a vocabulary with <pad> and <unk>", received=vocabulary)
        self._entries = frozenset(vocabulary.entries)
        if empty := self._entries & {"", JOINER}:
            raise InputError("The vocabulary of word pieces holds a piece that is empty", received=empty)
        self.vocabulary, self.lower = vocabulary, lower
        self.words = WordTokenizer(punctuation=True, lower=lower)
        self._longest = max(map(len, vocabulary.entries), default=0)
        self._pieces = functools.lru_cache(_CACHED_WORDS)(self._cut)

    def tokenize(self, text: str) -> list[Token]:
        """Cut one text into word pieces; as ``WordTokenizer.tokenize`` does."""
        keyed = ((word, self.words.key(word.text)) for word in self.words.tokenize(text))
        return [token for word, key in keyed for token in _placed(word, key, self._pieces(key), self.lower)]

    def keys(self, text: str) -> list[str]:
        """Give the vocabulary entries of a text, ``<unk>`` for a word that cannot be cut."""
        return [entry for key in self.words.keys(text) for entry, _, _ in self._pieces(key)]

    @staticmethod
    def decode(pieces: Iterable[str]) -> str:
        """Join pieces to words and words by single spaces; the text's spaces and case are lost.

        Args:
            pieces: Vocabulary entries, as ``keys`` or ``Vocabulary.decode`` gives them.

        Returns:
            The text; a continuation without a beginning starts a word.
        """
        return re.sub(rf"(?:^| ){JOINER}(?=[^ ])", "", " ".join(pieces))

    def _cut(self, key: str) -> tuple[Piece, ...]:
        unknown = ((UNK_TOKEN, 0, len(key)),)
        if len(key.encode("utf-8", "replace")) > _MAX_WORD_BYTES:
            return unknown
        pieces: list[Piece] = []
        start = 0
        while start < len(key):
            prefix = JOINER if start else ""
            ends = range(min(len(key), start + self._longest), start, -1)
            end = next((end for end in ends if prefix + key[start:end] in self._entries), None)
            if end is None:
                return unknown
            pieces.append((prefix + key[start:end], start, end))
            start = end
        return tuple(pieces)


def learn_word_pieces(word_counts: Mapping[str, int], size: int) -> Vocabulary:
    """Learn a vocabulary of word pieces with tensorflow-text's learner.

    Args:
        word_counts: Keys of ``WordTokenizer(punctuation=True)`` and their counts.
        size: The most entries, specials included. Every character that is kept takes up to two.

    Returns:
        The vocabulary, without counts.

    Raises:
        InputError: If there are no words, or the size is too small for the characters alone.
    """
    if not word_counts:
        raise InputError("There are no words to learn word pieces from", remedy="Give a longer text")
    # Imported here: only learning needs it, and it loads TensorFlow.
    from tensorflow_text.tools.wordpiece_vocab import wordpiece_tokenizer_learner_lib as learner

    entries = learner.learn(
        dict(word_counts),
        size,
        list(DEFAULT_SPECIALS),
        lower_thresh=1,
        max_input_tokens=_LEARNED_WORDS,
        max_unique_chars=_LEARNED_CHARACTERS,
        include_joiner_token=True,  # without it the learner writes continuations without their "##"
        joiner=JOINER,
    )
    pieces = [entry for entry in entries if entry not in (*DEFAULT_SPECIALS, "", JOINER)]
    if (needed := len(pieces) + len(DEFAULT_SPECIALS)) > size:
        raise InputError(
            "The size is too small for the word pieces of this text",
            allowed=f"{needed} or more",
            received=size,
        )
    return Vocabulary(pieces)


def _placed(word: Token, key: str, pieces: Iterable[Piece], lower: bool) -> list[Token]:
    """Carry pieces of a word's key over to the user's text."""
    borders = _borders(word.text, key, lower)
    tokens = []
    for _, start, end in pieces:
        if borders is not None:
            # From the last common border before the piece to the first one behind it.
            start = borders[np.searchsorted(borders[:, 1], start, "right") - 1, 0]
            end = borders[np.searchsorted(borders[:, 1], end, "left"), 0]
        tokens.append(Token(word.text[start:end], word.start + int(start), word.start + int(end)))
    return tokens


def _borders(word: str, key: str, lower: bool) -> np.ndarray | None:
    """Give the places where word and key can both be cut, (n, 2) offsets; None if all are the same."""
    plain = word.lower() if lower else word
    # Equal length before NFC means one character for each (only one code point grows when it is lower-cased).
    if len(plain) == len(word) and key == plain:
        return None
    cuts = [(0, 0)]
    for at in range(1, len(word) + 1):
        head = _normal(word[:at], lower)
        if head + _normal(word[at:], lower) == key:
            cuts.append((at, len(head)))
    return np.array(cuts)


def _normal(text: str, lower: bool) -> str:
    return unicodedata.normalize("NFC", text.lower() if lower else text)
