"""Characters and words with spans into the user's own text; ``data_prep.text.wordpiece`` holds word pieces.

Every tokenizer has two paths of the same rules. The light one (``tokenize``, ``keys``) is plain Python: one
call of tensorflow-text costs milliseconds, too long for one request. The batch one (``tokenize_batch``) is
tensorflow-text. Tests compare them on real text and on arbitrary unicode.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import regex

_WORD = r"[\p{L}][\p{L}\p{M}]*|[\p{N}]+"
_OTHER = r"[^\s]"
_NOT_IN_WORDS = r"[^\p{L}\p{N}]+"
_SPACE = r"[\s]+"
# The same rule for a text in ASCII, where the standard library's engine is twice as fast.
_ASCII_WORD = "[A-Za-z]+|[0-9]+"
_PROPERTIES = (r"\p{L}", r"\p{M}", r"\p{N}", r"\s")
_LAST_CODE_POINT = 0x10FFFF


class Token(NamedTuple):
    """A piece of the user's text: ``text == whole[start:end]``, offsets in code points."""

    text: str
    start: int
    end: int


class Tokenizer(ABC):
    """What characters, words and word pieces have in common."""

    @abstractmethod
    def tokenize(self, text: str) -> list[Token]:
        """Cut one text, in plain Python.

        Args:
            text: Any string; nothing in it is an error.

        Returns:
            Tokens in the order of the text, with ``text[token.start:token.end] == token.text``.
        """

    @abstractmethod
    def tokenize_batch(self, texts: Sequence[str]) -> list[list[Token]]:
        """Cut many texts by the same rules with tensorflow-text.

        Args:
            texts: Any strings.

        Returns:
            One list of tokens a text, equal to ``[self.tokenize(text) for text in texts]``.
        """

    @abstractmethod
    def keys(self, text: str) -> list[str]:
        """Give the lookup forms of a text, one a token, by the fastest way there is.

        Args:
            text: Any string.

        Returns:
            As many keys as ``tokenize(text)`` has tokens, in the same order.
        """


class CharacterTokenizer(Tokenizer):
    """Every code point is a token, and its own key; the tokens put together are the text again."""

    def tokenize(self, text: str) -> list[Token]:
        """Cut one text into its code points; see ``Tokenizer.tokenize``."""
        return [Token(character, at, at + 1) for at, character in enumerate(text)]

    def tokenize_batch(self, texts: Sequence[str]) -> list[list[Token]]:
        """Cut many texts into their code points; see ``Tokenizer.tokenize_batch``."""
        # Imported here: the light path must answer without loading TensorFlow.
        import tensorflow_text

        encoded = [_utf8(text) for text in texts]
        return _tokens(texts, encoded, tensorflow_text.UnicodeCharTokenizer().tokenize_with_offsets)

    def keys(self, text: str) -> list[str]:
        """Give every character; see ``Tokenizer.keys``."""
        return list(text)


class WordTokenizer(Tokenizer):
    r"""Words are ``\p{L}[\p{L}\p{M}]*``, numbers ``\p{N}+``: "don't" is ``don``, ``'``, ``t``.

    Combining marks stay with their letter, so a decomposed accent does not cut a word. The classes are those
    of the Unicode version of the pinned ``regex`` package, in both paths.

    Args:
        punctuation: Whether every other character that is not a space is a token of its own (else it is left
            out).
        lower: Whether the keys are lower-cased.
    """

    def __init__(self, punctuation: bool = True, lower: bool = True) -> None:
        self.punctuation, self.lower = punctuation, lower
        rule = f"{_WORD}|{_OTHER}" if punctuation else _WORD
        self._finditer = regex.compile(rule).finditer
        self._findall = regex.compile(rule).findall
        ascii_rule = f"{_ASCII_WORD}|{_OTHER}" if punctuation else _ASCII_WORD
        self._findall_ascii = re.compile(ascii_rule, re.ASCII).findall

    def tokenize(self, text: str) -> list[Token]:
        """Cut one text into words; see ``Tokenizer.tokenize``."""
        return [Token(match.group(), *match.span()) for match in self._finditer(text)]

    def tokenize_batch(self, texts: Sequence[str]) -> list[list[Token]]:
        """Cut many texts into words; see ``Tokenizer.tokenize_batch``."""
        import tensorflow_text

        # regex_split reads a text only up to its first NUL; another control character falls under the same
        # rule.
        encoded = [_utf8(text).replace(b"\0", b"\1") for text in texts]
        gaps, kept = (_SPACE, f"{_WORD}|{_OTHER}") if self.punctuation else (_NOT_IN_WORDS, _WORD)
        patterns = _re2_pattern(f"{kept}|{gaps}"), _re2_pattern(kept)
        return _tokens(texts, encoded, lambda of: tensorflow_text.regex_split_with_offsets(of, *patterns))

    def key(self, token_text: str) -> str:
        """Give the form that is looked up: NFC, lower-cased if ``lower``."""
        # Lower-casing comes first: T + diaeresis has no composed form, t + diaeresis has.
        return unicodedata.normalize("NFC", token_text.lower() if self.lower else token_text)

    def keys(self, text: str) -> list[str]:
        """Give every word's key; see ``Tokenizer.keys``. Lower-casing and NFC are one call for the text."""
        if text.isascii():
            return self._findall_ascii(text.lower() if self.lower else text)
        words = self._findall(text)
        # A newline is in no word, composes with nothing and ends a word for the rule of the final sigma, so
        # the joined words become the same keys as the words one by one.
        return self.key("\n".join(words)).split("\n") if words else []


def code_point_spans(encoded: Sequence[bytes], starts: Any, ends: Any) -> list[list[tuple[int, int]]]:
    """Turn ragged byte offsets into UTF-8 texts, one row a text, into spans of code points."""
    data = np.frombuffer(b"".join(encoded), np.uint8)
    # In UTF-8 every byte but 10xxxxxx begins a code point.
    before = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])
    firsts = np.cumsum([0, *map(len, encoded)])[starts.value_rowids().numpy()]
    borders = (before[firsts + side.flat_values.numpy()] - before[firsts] for side in (starts, ends))
    spans = list(zip(*(border.tolist() for border in borders), strict=True))
    return [spans[first:last] for first, last in pairwise(starts.row_splits.numpy().tolist())]


def _tokens(
    texts: Sequence[str], encoded: Sequence[bytes], cut: Callable[[Sequence[bytes]], Any]
) -> list[list[Token]]:
    if not texts:
        return []
    _, starts, ends = cut(encoded)
    rows = zip(texts, code_point_spans(encoded, starts, ends), strict=True)
    return [[Token(text[begin:end], begin, end) for begin, end in spans] for text, spans in rows]


def _utf8(text: str) -> bytes:
    """Encode for tensorflow-text; a lone surrogate has no UTF-8, so ``?``, of the same class, stands in."""
    return text.encode("utf-8", "replace")


@functools.cache
def _re2_pattern(pattern: str) -> str:
    """Write the property classes out as ranges: RE2's Unicode tables are older than those of ``regex``.

    Measured with tensorflow-text 2.21 and regex 2026.11.15: their letters differ in 22,068 code points.
    """
    for name in _PROPERTIES:
        pattern = pattern.replace(name, _ranges(name))
    return pattern


@functools.cache
def _ranges(name: str) -> str:
    characters = "".join(map(chr, range(_LAST_CODE_POINT + 1)))
    spans: Iterable[tuple[int, int]] = (match.span() for match in regex.finditer(f"{name}+", characters))
    return "".join(f"\\x{{{start:x}}}-\\x{{{end - 1:x}}}" for start, end in spans)
