"""Expressions over words, such as ``paris - france + spain`` or ``2*king - 1.5 * man``.

Grammar::

    expression = [sign] term { sign term }
    term       = [number "*"] word
    sign       = "+" | "-" | "−" (U+2212) | "–" (U+2013)
    word       = characters other than white space, signs, "*", quotes and parentheses
               | '"' any characters except quotes '"'

A sign is a sign with or without spaces around it, so a word that holds one is written in double quotes:
"new-york".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from data_prep.errors import InputError

MAX_LENGTH = 1000
MAX_TERMS = 50
MIN_WEIGHT, MAX_WEIGHT = 0.001, 1000.0
_EXAMPLE = 'words joined by + and -, with weights if wanted: "paris - france + spain" or "2*king - 1.5*man"'
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<sign>[+\-\u2212\u2013])
      | (?P<times>[*\u00d7\u00b7])
      | "(?P<quoted>[^"]*)"
      | (?P<word>[^\s+\-\u2212\u2013*\u00d7\u00b7"()\[\]{}]+)
      | (?P<wrong>\S)
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")


class WeightedWord(NamedTuple):
    """A word as it was typed and its weight, negative if it is subtracted."""

    word: str
    weight: float


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


def parse_expression(expression: str) -> tuple[WeightedWord, ...]:
    """Read an expression.

    Args:
        expression: At most 1,000 characters and 50 terms; weights from 0.001 to 1,000.

    Returns:
        Its terms in order. A word that occurs twice is two terms.

    Raises:
        InputError: The expression is empty, too long or malformed; the message names the place.
    """
    if not expression.strip():
        raise InputError("The expression is empty", allowed=_EXAMPLE)
    if len(expression) > MAX_LENGTH:
        raise InputError(f"The expression has {len(expression)} characters", allowed=f"at most {MAX_LENGTH}")
    tokens = _tokens(expression)
    terms: list[WeightedWord] = []
    position = 0
    while position < len(tokens):
        sign = 1.0
        if tokens[position].kind == "sign":
            sign = 1.0 if tokens[position].text == "+" else -1.0
            position += 1
        elif terms:
            raise _malformed(expression, tokens[position], "there is no + or - between two words")
        weight, word, position = _term(expression, tokens, position)
        terms.append(WeightedWord(word, sign * weight))
    if len(terms) > MAX_TERMS:
        raise InputError(f"The expression has {len(terms)} terms", allowed=f"at most {MAX_TERMS}")
    return tuple(terms)


def _tokens(expression: str) -> list[_Token]:
    tokens = []
    for match in _TOKEN.finditer(expression.rstrip()):
        kind = match.lastgroup or "wrong"  # one of the alternatives takes any character
        token = _Token(kind, match[kind], match.start(kind))
        if kind == "wrong":
            reason = "a quote is not closed" if token.text == '"' else f"{token.text!r} cannot be used"
            if token.text in "()[]{}":
                reason = "parentheses are not read; write each word with its own sign"
            raise _malformed(expression, token, reason)
        if kind == "quoted" and not token.text.strip():
            raise _malformed(expression, token, "there is no word between the quotes")
        tokens.append(token)
    return tokens


def _term(expression: str, tokens: list[_Token], position: int) -> tuple[float, str, int]:
    """Read ``[number "*"] word`` and return the weight, the word and the position behind it."""
    weight = 1.0
    if position + 1 < len(tokens) and tokens[position + 1].kind == "times":
        token, position = tokens[position], position + 2
        if token.kind != "word" or not _NUMBER.fullmatch(token.text):
            reason = f"only a number such as 2 or 1.5 stands before *, not {token.text!r}"
            raise _malformed(expression, token, reason)
        weight = float(token.text)
        if not MIN_WEIGHT <= weight <= MAX_WEIGHT:
            reason = f"the weight {token.text} is not between {MIN_WEIGHT:g} and {MAX_WEIGHT:g}"
            raise _malformed(expression, token, reason)
    if position == len(tokens):
        raise _malformed(expression, tokens[-1], f"nothing follows {tokens[-1].text!r}")
    token = tokens[position]
    if token.kind not in ("word", "quoted"):
        raise _malformed(expression, token, f"a word is expected instead of {token.text!r}")
    return weight, token.text, position + 1


def _malformed(expression: str, token: _Token, reason: str) -> InputError:
    return InputError(
        f"The expression cannot be read at character {token.start + 1}: {reason}",
        allowed=_EXAMPLE,
        received=expression,
    )
