"""The universal parts of speech (``tagset.toml``); tags of other sets get colours too."""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

from apps.shared.language import _
from data_prep.files import toml_beside


class Tag(NamedTuple):
    """A universal tag: its name in words, its family, an example, and its colour."""

    name: str
    family: str
    example: str
    colour: str


_TABLE = toml_beside(__file__)
TAGS = {name: Tag(**said) for name, said in _TABLE["tags"].items()}
_COLOURS = [tag.colour for tag in TAGS.values() if tag.family != "other"]  # those of the others are grey


def tag_name(tag: str) -> str:
    """Name a tag in words: "proper noun" for PROPN; the tag itself where it is none of the seventeen."""
    return _(TAGS[tag].name) if tag in TAGS else tag


def terminal_colour(tag: str) -> str:
    """Give the colour of a tag's family in a terminal; that of other tags where it is none of the seventeen."""
    return _TABLE["families"][TAGS[tag].family if tag in TAGS else "other"]


def tag_colour(tag: str) -> str:
    """Give the colour of a tag, CSS; of one that is none of the seventeen always the same one of theirs."""
    return TAGS[tag].colour if tag in TAGS else _COLOURS[crc32(tag.encode()) % len(_COLOURS)]
