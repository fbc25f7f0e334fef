"""The text that a writer learned from, found again by its checksum: what copies are looked for in.

A preset does not hold its training text. Its metadata hold the checksum, so a text is either that very text or refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apps.writer.sources import SAMPLE_TEXT, SHAKESPEARE, file_source, sample_source, shakespeare_source
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.writer.copies import Baseline, CopyMeter
    from apps.writer.sources import WriterSource
    from data_prep.readers.plays import Place, PlayText
    from data_prep.text.streams import Parts


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
        from apps.writer.copies import CopyMeter

        return CopyMeter(self.train, sources=self._places(self.parts.train))

    @cached_property
    def baseline(self) -> Baseline:
        """Matches of the held-out text, which true text has by chance."""
        from apps.writer.copies import Baseline

        return Baseline(self.meter, self.held_out)

    def held_out_place(self, position: int) -> Place:
        """Tell who speaks where in the whole text, for a character of the held-out part."""
        return self._places(self.parts.validation)(position)

    def training_place(self, position: int) -> Place:
        """Tell who speaks where in the whole text, for a character of the training part."""
        return self._places(self.parts.train)(position)

    @cached_property
    def _plays(self) -> PlayText:
        from data_prep.readers.plays import PlayText

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


def learned_text(metadata: Mapping[str, Any], file: str | Path | None = None) -> LearnedText:
    """Find the text that a preset learned from.

    Args:
        metadata: Of the preset: the checksum of its data, and the split of its recipe.
        file: Where the text is; None looks for the texts that the project knows.

    Returns:
        The text, split as it was for training.

    Raises:
        InputError: The file is another text, or there is none and the text is not one that the project knows, or it
            cannot be had.
    """
    from data_prep.text.streams import split_text

    checksums, split = set(metadata["data"].values()), metadata["recipe"]["split"]
    source = _known_source(metadata["data"]) if file is None else file_source(Path(file))
    if set(source.checksums.values()) != checksums:
        raise InputError(
            "This is not the text that the writer learned from",
            allowed=", ".join(metadata["data"]) + " with the checksum that the preset's metadata.json names",
            received=str(file or source.name),
        )
    return LearnedText(source.text, source.name, split, split_text(source.text, split))


def _known_source(data: Mapping[str, str]) -> WriterSource:
    from data_prep.datasets import DATASETS

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
