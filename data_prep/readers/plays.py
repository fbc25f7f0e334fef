"""Plays as Tiny Shakespeare writes them: blocks behind blank lines, each headed by its speaker's name and a colon.

The file has neither titles nor acts, scenes or stage directions. What can be told of a place in it is its line,
its speaker, and its play: a play begins with the speech that begins with the play's first words (``OPENINGS``).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from pathlib import Path
from typing import NamedTuple

from data_prep.datasets import check_counts
from data_prep.readers.text import read_text

DATASET = "tinyshakespeare"

# Title to the first line of the first speech that the file has of it, in the order of the file.
OPENINGS = {
    "Coriolanus": "Before we proceed any further, hear me speak.",
    "Richard III": "Now is the winter of our discontent",
    "Richard II": "Old John of Gaunt, time-honour'd Lancaster,",
    "Romeo and Juliet": "Gregory, o' my word, we'll not carry coals.",
    "Henry VI, Part 3": "I wonder how the king escaped our hands.",
    "The Winter's Tale": "If you shall chance, Camillo, to visit Bohemia, on",
    "Measure for Measure": "Escalus.",
    "The Taming of the Shrew": "I'll pheeze you, in faith.",
    "The Tempest": "Boatswain!",
}

# A name stands behind a blank line or at the start of the text. Lines of verse that end with a colon never do.
_HEADING = re.compile(r"(?:\A|(?<=\n\n))([^\n:]+):(?:\n|\Z)")


class Speech(NamedTuple):
    """A speech: ``text[start:end]``, with the name and the colon.

    ``words_start`` is where the words begin, after the line with the name; ``play`` is None before the first
    opening of a known play.
    """

    speaker: str
    start: int
    words_start: int
    end: int
    play: str | None


class Place(NamedTuple):
    """What can be told of a character of a text: ``line`` counts from 1, ``column`` from 0.

    ``speaker`` is None before the first speech, ``play`` before the first opening of a known play.
    """

    line: int
    column: int
    speaker: str | None
    play: str | None


class PlayText:
    """Any text with its speeches; one without any is a text without speakers."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.speeches: tuple[Speech, ...] = tuple(self._speeches())

    def place(self, position: int) -> Place:
        """Tell what is known of the character at a position: its line, column, speaker and play."""
        line = self.text.count("\n", 0, position) + 1
        column = position - (self.text.rfind("\n", 0, position) + 1)
        number = bisect_right(self.speeches, position, key=lambda speech: speech.start)
        speech = self.speeches[number - 1] if number else None
        return Place(line, column, speech and speech.speaker, speech and speech.play)

    def _speeches(self) -> list[Speech]:
        openings = {line: title for title, line in OPENINGS.items()}
        headings = list(_HEADING.finditer(self.text))
        borders = [*(heading.start() for heading in headings), len(self.text)]
        found, play = [], None
        for heading, end in zip(headings, borders[1:], strict=True):
            first_line = self.text[heading.end() : end].partition("\n")[0]
            play = openings.pop(first_line, play)  # each play opens once
            found.append(Speech(heading[1], heading.start(), heading.end(), end, play))
        return found


def read_shakespeare(path: Path) -> str:
    """Read Tiny Shakespeare, every character as it stands there.

    Raises:
        InputError: There is no such file, or it does not have the characters that the registry names.
    """
    text = read_text(path)
    check_counts(DATASET, path, {"characters": len(text), "different_characters": len(set(text))})
    return text
