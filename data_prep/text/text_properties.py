"""What is true of each character of a text, for comparing it with the units of a network.

After Karpathy, Johnson and Fei-Fei 2016, "Visualizing and understanding recurrent networks", who found units that
follow quotes and the position in a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from data_prep.readers.plays import PlayText

# A double quote up to the next one. A single quote opens behind a space or a dash, before a capital, and closes behind
# a punctuation mark, so that neither "'Tis" nor "don't" opens or closes one by itself; the contractions that begin
# with one and a capital are left out by name.
_DOUBLE = r'"[^"]*"|“[^”]*”'
_CONTRACTED = r"(?:Tis|Twas|Twere|Twill|Twould|Twixt|Fore|Faith|Save|Gainst|Pray|Sblood|Zounds|Swounds)\b"
_SINGLE = (
    rf"(?:(?<=[\s(-])|\A)'(?!{_CONTRACTED})(?=[A-Z])(?:(?!\n\n)[^'\"]|\b'(?=\w)|(?<=\s)'(?=[a-z]))*[.,;:!?-]'"
)
_QUOTE = re.compile(f"{_DOUBLE}|{_SINGLE}")


def inside_speaker_name(text: str) -> np.ndarray:
    """Tell which characters belong to a speaker's name above a speech, the colon included, bool (characters,)."""
    inside = np.zeros(len(text), bool)
    for speech in PlayText(text).speeches:
        inside[speech.start : speech.start + len(speech.speaker) + 1] = True
    return inside


def line_position(text: str) -> np.ndarray:
    """Count the characters before each one in its line, int64 (characters,); a line's end belongs to it."""
    places = np.arange(len(text))
    follows_break = np.array([False, *(character == "\n" for character in text)])[: len(text)]
    return places - np.maximum.accumulate(np.where(follows_break, places, 0))


def inside_quote(text: str) -> np.ndarray:
    """Tell which characters stand in a quote, its marks included, bool (characters,)."""
    inside = np.zeros(len(text), bool)
    for match in _QUOTE.finditer(text):
        inside[match.start() : match.end()] = True
    return inside


PROPERTIES: dict[str, Callable[[str], np.ndarray]] = {
    "speaker's name": inside_speaker_name,
    "position in the line": line_position,
    "quote": inside_quote,
}
