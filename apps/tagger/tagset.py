"""The universal parts of speech: names for people, and families that share a colour.

Source: https://universaldependencies.org/u/pos/.
"""

from __future__ import annotations

from typing import NamedTuple


class Tag(NamedTuple):
    """A universal tag: its name in words, its family, and an example."""

    name: str
    family: str
    example: str


FAMILIES = ("names", "verbs", "modifiers", "function words", "numbers", "other")

TAGS: dict[str, Tag] = {
    "NOUN": Tag("noun", "names", "dog"),
    "PROPN": Tag("proper noun", "names", "Madrid"),
    "PRON": Tag("pronoun", "names", "she"),
    "VERB": Tag("verb", "verbs", "bark"),
    "AUX": Tag("auxiliary", "verbs", "has"),
    "ADJ": Tag("adjective", "modifiers", "green"),
    "ADV": Tag("adverb", "modifiers", "often"),
    "DET": Tag("determiner", "function words", "the"),
    "ADP": Tag("adposition", "function words", "in"),
    "CCONJ": Tag("coordinating conjunction", "function words", "and"),
    "SCONJ": Tag("subordinating conjunction", "function words", "because"),
    "PART": Tag("particle", "function words", "not"),
    "NUM": Tag("numeral", "numbers", "seven"),
    "INTJ": Tag("interjection", "other", "oh"),
    "PUNCT": Tag("punctuation", "other", "."),
    "SYM": Tag("symbol", "other", "$"),
    "X": Tag("other", "other", "xyz"),
}


def tag_name(tag: str) -> str:
    """Name a tag in words.

    Args:
        tag: Such as ``"PROPN"``.

    Returns:
        Such as "proper noun"; the tag itself where it is none of the seventeen.
    """
    return TAGS[tag].name if tag in TAGS else tag


def family(tag: str) -> str:
    """Give the family of a tag.

    Args:
        tag: Such as ``"PROPN"``.

    Returns:
        One of ``FAMILIES``.
    """
    return TAGS[tag].family if tag in TAGS else "other"
