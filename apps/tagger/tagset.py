"""The universal parts of speech: names for people, families, and colours; tags of other sets get colours too.

Source: https://universaldependencies.org/u/pos/.
"""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32


class Tag(NamedTuple):
    """A universal tag: its name in words, its family, an example, and its colour: one hue for a family."""

    name: str
    family: str
    example: str
    colour: str


TAGS: dict[str, Tag] = {
    "NOUN": Tag("noun", "names", "dog", "#3f9cc4"),
    "PROPN": Tag("proper noun", "names", "Madrid", "#3a74cf"),
    "PRON": Tag("pronoun", "names", "she", "#76c4d6"),
    "VERB": Tag("verb", "verbs", "bark", "#dd6a33"),
    "AUX": Tag("auxiliary", "verbs", "has", "#eda36a"),
    "ADJ": Tag("adjective", "modifiers", "green", "#4fa356"),
    "ADV": Tag("adverb", "modifiers", "often", "#93c05f"),
    "DET": Tag("determiner", "function words", "the", "#a78ad0"),
    "ADP": Tag("adposition", "function words", "in", "#8265c2"),
    "CCONJ": Tag("coordinating conjunction", "function words", "and", "#c9a8e0"),
    "SCONJ": Tag("subordinating conjunction", "function words", "because", "#b06bb8"),
    "PART": Tag("particle", "function words", "not", "#d08fc0"),
    "NUM": Tag("numeral", "numbers", "seven", "#d3ae2f"),
    "INTJ": Tag("interjection", "other", "oh", "#e07b9a"),
    "PUNCT": Tag("punctuation", "other", ".", "#a3a9b1"),
    "SYM": Tag("symbol", "other", "$", "#8b939c"),
    "X": Tag("other", "other", "xyz", "#737982"),
}
_COLOURS = [tag.colour for tag in TAGS.values()]


def tag_name(tag: str) -> str:
    """Name a tag in words: "proper noun" for PROPN; the tag itself where it is none of the seventeen."""
    return TAGS[tag].name if tag in TAGS else tag


def family(tag: str) -> str:
    """Give the family of a tag, ``"other"`` where it is none of the seventeen."""
    return TAGS[tag].family if tag in TAGS else "other"


def tag_colour(tag: str) -> str:
    """Give the colour of a tag, CSS; of one that is none of the seventeen always the same one of theirs."""
    return TAGS[tag].colour if tag in TAGS else _COLOURS[crc32(tag.encode()) % len(_COLOURS)]
