"""A colour for every universal tag: one hue for a family, its members told apart by lightness and hue."""

from __future__ import annotations

from apps.tagger.tagset import TAGS

_COLOURS = {
    "NOUN": "#3f9cc4",
    "PROPN": "#3a74cf",
    "PRON": "#76c4d6",
    "VERB": "#dd6a33",
    "AUX": "#eda36a",
    "ADJ": "#4fa356",
    "ADV": "#93c05f",
    "DET": "#a78ad0",
    "ADP": "#8265c2",
    "CCONJ": "#c9a8e0",
    "SCONJ": "#b06bb8",
    "PART": "#d08fc0",
    "NUM": "#d3ae2f",
    "INTJ": "#e07b9a",
    "PUNCT": "#a3a9b1",
    "SYM": "#8b939c",
    "X": "#737982",
}
_OTHER = "#737982"
_FULL, _FULL_DARK = 0.62, 0.50  # at full confidence; words have to stay readable on it


def tag_colour(tag: str) -> str:
    """Give the colour of a tag.

    Args:
        tag: Such as ``"NOUN"``.

    Returns:
        A CSS colour.
    """
    return _COLOURS.get(tag, _OTHER)


def ribbon_colour(tag: str, probability: float, *, dark: bool) -> str:
    """Give the colour of a ribbon: the tag's, the more see-through the less sure the network is.

    Args:
        tag: Such as ``"NOUN"``.
        probability: Of the tag, 0 to 1.
        dark: Whether it stands on a dark ground.

    Returns:
        A CSS colour with opacity.
    """
    red, green, blue = (int(tag_colour(tag)[start : start + 2], 16) for start in (1, 3, 5))
    opacity = (_FULL_DARK if dark else _FULL) * probability**2
    return f"rgba({red},{green},{blue},{opacity:.3f})"


assert _COLOURS.keys() == TAGS.keys()
