"""Characters and words with spans into the user's own text; ``data_prep.text.wordpiece`` holds word pieces.

Plain Python: one call of tensorflow-text costs milliseconds, too long for one request. Tests compare both.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

import regex

_WORD = r"[\p{L}][\p{L}\p{M}]*|[\p{N}]+"
_OTHER = r"[^\s]"
# The same rule for a text in ASCII, where the standard library's engine is twice as fast.
_ASCII_WORD = "[A-Za-z]+|[0-9]+"


class Token(NamedTuple):
    """A piece of the user's text: ``text == whole[start:end]``, offsets in code points."""

    text: str
    start: int
    end: int


class CharacterTokenizer:
    """Every code point is a token, and its own key; the tokens put together are the text again."""

    def tokenize(self, text: str) -> list[Token]:
        """Cut a text into its code points."""
        return [Token(character, at, at + 1) for at, character in enumerate(text)]

    def keys(self, text: str) -> list[str]:
        """Give every character."""
        return list(text)


class WordTokenizer:
    r"""Words are ``\p{L}[\p{L}\p{M}]*``, numbers ``\p{N}+``: "don't" is ``don``, ``'``, ``t``.

    Combining marks stay with their letter, so a decomposed accent does not cut a word. The classes are those
    of the Unicode version of the pinned ``regex`` package.

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
        """Cut a text into words; in their order, each with ``text[token.start:token.end] == token.text``."""
        return [Token(match.group(), *match.span()) for match in self._finditer(text)]

    def key(self, token_text: str) -> str:
        """Give the form that is looked up: NFC, lower-cased if ``lower``."""
        # Lower-casing comes first: T + diaeresis has no composed form, t + diaeresis has.
        return unicodedata.normalize("NFC", token_text.lower() if self.lower else token_text)

    def keys(self, text: str) -> list[str]:
        """Give every word's key, in the order of ``tokenize``; lower-casing and NFC are one call for the text."""
        if text.isascii():
            return self._findall_ascii(text.lower() if self.lower else text)
        words = self._findall(text)
        # A newline is in no word, composes with nothing and ends a word for the rule of the final sigma, so
        # the joined words become the same keys as the words one by one.
        return self.key("\n".join(words)).split("\n") if words else []
