"""The text that a writer learned from, found again by its checksum: what copies are looked for in.

A preset does not hold its training text. Its metadata hold the checksum, so a text is either that very text or refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from apps.writer.copies import Baseline, CopyMeter
from apps.writer.sources import (
    SAMPLE_TEXT,
    SHAKESPEARE,
    WriterSource,
    sample_source,
    shakespeare_source,
    text_source,
)
from data_prep.datasets import DATASETS
from data_prep.errors import InputError
from data_prep.readers.plays import Place, PlayText
from data_prep.text.streams import Parts, split_text


@dataclass(frozen=True)
class LearnedText:
    """The text of a writer, with the parts that it learned from and was scored on.

    Args:
        text: All of it.
        name: What it is called.
        split: Row of ``data_prep.text.streams.SPLITS``.
        parts: The two parts by that split.
    """

    text: str
    name: str
    split: str
    parts: Parts

    @cached_property
    def train(self) -> str:
        """What the writer learned from, piece after piece."""
        return "".join(self.parts.train)

    @cached_property
    def held_out(self) -> str:
        """What it was scored on, piece after piece."""
        return "".join(self.parts.validation)

    @cached_property
    def meter(self) -> CopyMeter:
        """The index over what it learned from; made at the first call, which takes a second or two."""
        return CopyMeter(self.train, sources=self.training_place)

    @cached_property
    def baseline(self) -> Baseline:
        """Matches of the held-out text, which true text has by chance."""
        return Baseline(self.meter, self.held_out)

    @cached_property
    def held_out_place(self) -> Callable[[int], Place]:
        """Tells who speaks where in the whole text, for a character of the held-out part."""
        return self._places(self.parts.validation)

    @cached_property
    def training_place(self) -> Callable[[int], Place]:
        """Tells who speaks where in the whole text, for a character of the training part."""
        return self._places(self.parts.train)

    @cached_property
    def _plays(self) -> PlayText:
        return PlayText(self.text)

    def _places(self, pieces: tuple[str, ...]) -> Callable[[int], Place]:
        """Return the function from a position in the joined pieces to a place of the whole text."""
        offsets, at, done = [], 0, 0
        for piece in pieces:
            at = self.text.index(piece, at)
            offsets.append((done, at - done))
            done += len(piece)
            at += len(piece)

        def place(position: int) -> Place:
            shift = next(shift for first, shift in reversed(offsets) if first <= position)
            return self._plays.place(position + shift)

        return place


def learned_text(metadata: Mapping[str, Any], files: Sequence[str | Path] = ()) -> LearnedText:
    """Find the text that a preset learned from.

    Args:
        metadata: Of the preset: the checksum of its data, and the split of its recipe.
        files: Where the text is; nothing looks for the texts that the project knows.

    Returns:
        The text, split as it was for training.

    Raises:
        InputError: The files are another text, or there are none and the text is not one that the project knows, or it
            cannot be had.
    """
    data, split = metadata["data"], metadata["recipe"]["split"]
    source = text_source(files) if files else _known_source(data)
    if set(source.checksums.values()) != set(data.values()):
        raise InputError(
            "This is not the text that the writer learned from",
            allowed=", ".join(data) + " with the checksum that the preset's metadata.json names",
            received=", ".join(map(str, files)) or source.name,
        )
    return LearnedText(source.text, source.name, split, split_text(source.text, split))


def _known_source(data: Mapping[str, str]) -> WriterSource:
    name, checksum = next(iter(data.items()))
    shakespeare = DATASETS[SHAKESPEARE].files["all"].checksum.partition(":")[2]
    if checksum.split()[-1] == shakespeare:
        return shakespeare_source()
    if name == SAMPLE_TEXT:
        return sample_source()
    raise InputError(
        f"The text that the writer learned from, {name}, is not one that Lectern can find by itself",
        remedy="Name it with --text FILE",
    )
