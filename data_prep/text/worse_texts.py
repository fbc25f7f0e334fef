"""Texts made worse, as people write in haste: typos, and no punctuation."""

from __future__ import annotations

import re

import numpy as np

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PUNCTUATION = re.compile(r"[^\w\s'’-]+|_+")


def with_typos(text: str, share: float, rng: np.random.Generator, letters: str = _LETTERS) -> str:
    """Make typos in a text: each letter is hit by chance.

    A letter that is hit is replaced by another one, doubled by another one in front of it, left out, or
    exchanged with the next one, each as often. At the end of a word it is replaced instead of the last two, so that no
    word vanishes.

    Args:
        text: The text.
        share: Of the letters that are hit, 0 to 1.
        rng: Of all draws.
        letters: Those that are put in.

    Returns:
        The text with typos; capitals stay capitals where they stood.
    """
    places = [at for at, character in enumerate(text) if character.isalpha()]
    hit = np.flatnonzero(rng.random(len(places)) < share)
    ways, drawn = rng.integers(4, size=len(hit)), rng.integers(len(letters), size=len(hit))
    found, done = list(text), -1
    for at, way, letter in zip((places[one] for one in hit), ways.tolist(), drawn.tolist(), strict=True):
        if at <= done:  # it was exchanged already
            continue
        new = letters[letter].upper() if text[at].isupper() else letters[letter]
        inside = text[at + 1 : at + 2].isalpha()
        if way == 1:
            found[at] = new + text[at]
        elif way == 2 and inside:
            found[at] = ""
        elif way == 3 and inside:
            found[at], found[at + 1], done = text[at + 1], text[at], at + 1
        else:
            found[at] = new
    return "".join(found)


def without_punctuation(text: str) -> str:
    """Leave out what is no letter, digit or white space; apostrophes and hyphens stay."""
    return _PUNCTUATION.sub("", text)
