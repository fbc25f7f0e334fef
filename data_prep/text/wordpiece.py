"""Word pieces: a learned vocabulary of word beginnings and ``##`` continuations, greedy longest match.

Source: Schuster and Nakajima, "Japanese and Korean voice search", ICASSP 2012; the greedy match as in BERT;
the batch path is tensorflow-text's linear-time form of it (Song et al., "Fast WordPiece tokenization", EMNLP
2021).
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.text.tokenizer import Token, Tokenizer, WordTokenizer, code_point_spans
from data_prep.text.vocab import DEFAULT_SPECIALS, UNK_TOKEN, Vocabulary

JOINER = "##"
_CACHED_WORDS = 1 << 16


class _Piece(NamedTuple):
    """A vocabulary entry and its place in a word's key, in code points."""

    entry: str
    start: int
    end: int


class WordPieceTokenizer(Tokenizer):
    """Words cut into the longest vocabulary entries from the left; a word that cannot be cut is one UNK.

    Words are those of ``WordTokenizer(punctuation=True)``. A token's span is its place in the user's text;
    where lower-casing or NFC changes the length of a word, pieces that meet inside one user's character both
    span it.

    Args:
        vocabulary: With the specials ``<pad>`` and ``<unk>``; see ``learn_word_pieces``.
        lower: Whether words are lower-cased before the lookup; as when the vocabulary was learned.
        max_word_bytes: A word whose key is longer in UTF-8 is one ``<unk>``.

    Raises:
        InputError: If the vocabulary has no ``<unk>``, holds an empty piece or one with a NUL, or
            ``max_word_bytes`` is below 1.
    """

    def __init__(self, vocabulary: Vocabulary, lower: bool = True, max_word_bytes: int = 100) -> None:
        if UNK_TOKEN not in vocabulary.specials:
            raise InputError("Word pieces need a vocabulary with <pad> and <unk>", received=vocabulary)
        for entry in vocabulary.entries:
            # tensorflow-text takes a piece to end at its first NUL.
            if entry in ("", JOINER) or "\0" in entry:
                raise InputError(
                    "The vocabulary of word pieces holds a piece that is empty or has a NUL", received=entry
                )
        if max_word_bytes < 1:
            raise InputError("max_word_bytes is too small", allowed="1 or more", received=max_word_bytes)
        self.vocabulary, self.lower, self.max_word_bytes = vocabulary, lower, max_word_bytes
        self.words = WordTokenizer(punctuation=True, lower=lower)
        self._entries = frozenset(vocabulary.entries)
        self._longest = max(map(len, vocabulary.entries), default=0)
        self._pieces = functools.lru_cache(_CACHED_WORDS)(self._cut)

    def tokenize(self, text: str) -> list[Token]:
        """Cut one text into word pieces; see ``Tokenizer.tokenize``."""
        keyed = ((word, self.words.key(word.text)) for word in self.words.tokenize(text))
        return [token for word, key in keyed for token in _placed(word, key, self._pieces(key), self.lower)]

    def tokenize_batch(self, texts: Sequence[str]) -> list[list[Token]]:
        """Cut many texts into word pieces; see ``Tokenizer.tokenize_batch``."""
        rows = self.words.tokenize_batch(texts)
        key_of = {word.text: self.words.key(word.text) for words in rows for word in words}
        pieces = self._cut_batch(sorted(set(key_of.values())))
        return [
            [
                token
                for word in words
                for token in _placed(word, key_of[word.text], pieces[key_of[word.text]], self.lower)
            ]
            for words in rows
        ]

    def keys(self, text: str) -> list[str]:
        """Give the vocabulary entries of a text, ``<unk>`` for a word that cannot be cut."""
        return [piece.entry for key in self.words.keys(text) for piece in self._pieces(key)]

    @staticmethod
    def decode(pieces: Iterable[str]) -> str:
        """Join pieces to words and words by single spaces; the text's spaces and case are lost.

        Args:
            pieces: Vocabulary entries, as ``keys`` or ``Vocabulary.decode`` gives them.

        Returns:
            The text; a continuation without a beginning starts a word.
        """
        return re.sub(rf"(?:^| ){JOINER}(?=[^ ])", "", " ".join(pieces))

    def _cut(self, key: str) -> tuple[_Piece, ...]:
        """Cut one word's key in plain Python."""
        if len(key.encode("utf-8", "replace")) > self.max_word_bytes:
            return (_Piece(UNK_TOKEN, 0, len(key)),)
        pieces: list[_Piece] = []
        start = 0
        while start < len(key):
            prefix = JOINER if start else ""
            for end in range(min(len(key), start + self._longest), start, -1):
                if prefix + key[start:end] in self._entries:
                    pieces.append(_Piece(prefix + key[start:end], start, end))
                    start = end
                    break
            else:
                return (_Piece(UNK_TOKEN, 0, len(key)),)
        return tuple(pieces)

    def _cut_batch(self, keys: list[str]) -> dict[str, list[_Piece]]:
        """Cut different keys with tensorflow-text."""
        if not keys:
            return {}
        encoded = [key.encode("utf-8", "replace") for key in keys]
        ids, starts, ends = self._fast.tokenize_with_offsets(encoded)
        entries = iter(self.vocabulary.decode(ids.flat_values.numpy()))
        rows = zip(keys, code_point_spans(encoded, starts, ends), strict=True)
        return {key: [_Piece(next(entries), *span) for span in spans] for key, spans in rows}

    @functools.cached_property
    def _fast(self) -> Any:
        # Imported here: the light path must answer without loading TensorFlow.
        import tensorflow as tf
        import tensorflow_text

        return tensorflow_text.FastWordpieceTokenizer(
            vocab=list(self.vocabulary),
            suffix_indicator=JOINER,
            max_bytes_per_word=self.max_word_bytes,
            token_out_type=tf.int32,
            unknown_token=UNK_TOKEN,
            no_pretokenization=True,
        )


def learn_word_pieces(
    word_counts: Mapping[str, int],
    size: int,
    *,
    specials: Sequence[str] = DEFAULT_SPECIALS,
    max_words: int = 20_000,
    max_characters: int = 1000,
) -> Vocabulary:
    """Learn a vocabulary of word pieces with tensorflow-text's learner.

    Args:
        word_counts: Keys of ``WordTokenizer(punctuation=True)`` and their counts, see ``vocab.count_keys``.
        size: The most entries, specials included. Every character that is kept takes up to two.
        specials: As in ``Vocabulary``; must hold ``<unk>``.
        max_words: Only this many words, the most frequent ones, are learned from; the time grows with them.
        max_characters: Words with a character outside this many most frequent ones are not learned from.

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
        list(specials),
        lower_thresh=1,
        max_input_tokens=max_words,
        max_unique_chars=max_characters,
        # Without it the learner writes continuations without their "##"; the entry "##" itself is left out
        # below.
        include_joiner_token=True,
        joiner=JOINER,
    )
    pieces = [entry for entry in entries if entry not in specials and entry not in ("", JOINER)]
    if len(pieces) + len(specials) > size:
        raise InputError(
            "The size is too small for the word pieces of this text",
            allowed=f"{len(pieces) + len(specials)} or more",
            received=size,
            remedy="Give a larger size or a smaller max_characters",
        )
    return Vocabulary(pieces, specials=specials)


def _placed(word: Token, key: str, pieces: Iterable[_Piece], lower: bool) -> list[Token]:
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
