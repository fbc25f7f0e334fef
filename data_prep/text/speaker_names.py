"""Other names for the speakers of a play: augmentation for a language model that has to read plays with new ones.

Whoever learns a play by heart expects its names, and is wrong about every other play. Here speakers get new names that
hold for a stretch of the text, in the headings and where they are called by name, so that a name can only be known
from what was read before. New names are those of other speakers, or words of the text in capitals.
"""

from __future__ import annotations

import re

import numpy as np

from data_prep.readers.plays import PlayText, Speech

_STRETCH = (20, 80)  # speeches that a name holds for, at least and at most
_WORD = re.compile(r"[A-Za-z]{3,11}")
_OF_SPEAKERS = 0.5  # share of the new names that are those of other speakers


class SpeakerNames:
    """A play, as :mod:`data_prep.readers.plays` describes it, of whose speakers a share can be renamed again and again.

    A text without speakers stays as it is.
    """

    def __init__(self, text: str, share: float) -> None:
        self.text, self.share = text, share
        self._speeches = PlayText(text).speeches
        self._speakers = sorted({speech.speaker for speech in self._speeches})
        known = set(text)
        capitals = {word.upper() for word in _WORD.findall(text)}
        self._words = sorted(word for word in capitals if known.issuperset(word))

    def renamed(self, rng: np.random.Generator) -> str:
        """Return the text with other names, which are drawn as the stretches and speakers are; nothing else changes."""
        if not self._speeches:
            return self.text
        pieces = [self.text[: self._speeches[0].start]]
        first = 0
        while first < len(self._speeches):
            count = int(rng.integers(*_STRETCH, endpoint=True))
            pieces.append(self._stretch(self._speeches[first : first + count], rng))
            first += count
        return "".join(pieces)

    def _stretch(self, speeches: tuple[Speech, ...], rng: np.random.Generator) -> str:
        """Return the text of some speeches in a row, renamed."""
        speakers = sorted({speech.speaker for speech in speeches})
        names = {speaker: self._new_name(rng) for speaker in speakers if rng.random() < self.share}
        called = {name.title(): names[name].title() for name in names if name.isalpha() and name.isupper()}
        pattern = re.compile(rf"\b({'|'.join(map(re.escape, called)) or '(?!)'})\b")
        pieces = []
        for speech in speeches:
            heading = self.text[speech.start : speech.words_start]
            words = self.text[speech.words_start : speech.end]
            pieces.append(heading.replace(speech.speaker, names.get(speech.speaker, speech.speaker), 1))
            pieces.append(pattern.sub(lambda match: called[match[0]], words))
        return "".join(pieces)

    def _new_name(self, rng: np.random.Generator) -> str:
        source = self._speakers if rng.random() < _OF_SPEAKERS or not self._words else self._words
        return source[int(rng.integers(len(source)))]
