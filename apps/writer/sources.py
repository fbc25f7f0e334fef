"""Texts to learn from: Tiny Shakespeare, texts of your own, a small one that gensim carries, or lines that are made.

A preset does not hold its training text, in which copies are looked for. Its metadata hold the checksum, so a text is
either that very text or refused.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from apps.shared.cards import card
from apps.shared.measures import checksums_of
from apps.writer.copies import MAX_QUERY, CopyMeter
from data_prep.datasets import DATASETS, gensim_data, locate
from data_prep.errors import InputError
from data_prep.readers.plays import Place, PlayText, read_shakespeare
from data_prep.readers.text import TextCorpus, read_texts
from data_prep.text.streams import split_text
from models.presets.card import CardText

SHAKESPEARE = "tinyshakespeare"
SAMPLE_TEXT = "lee_background.cor"
MOST_REMEMBERED = 500  # steps
_MADE = "lines with a sign to remember over {} steps"
_SIGNS, _FILLER, _ASKED = "+-", ".", "="
_MADE_CHARACTERS = 400_000
# What other systems reach on the last tenth of Tiny Shakespeare, in nats a character.
PUBLISHED = {
    "nanoGPT, transformer of 10.7 M parameters, on a GPU": 1.4697,
    "nanoGPT, its setting for a CPU": 1.88,
}


@dataclass(frozen=True)
class WriterSource:
    """A text to learn from: what it is called, its checksums by name, and other systems' losses on its last tenth.

    ``asked``: the character behind which a sign has to be told, in lines that are made for that; empty for other texts.
    """

    text: str
    name: str
    checksums: Mapping[str, str]
    card: CardText
    published: Mapping[str, float]
    asked: str = field(default="", kw_only=True)


def shakespeare_source() -> WriterSource:
    """Return Tiny Shakespeare; refuse a file that cannot be had or is not what it should be."""
    dataset, path = DATASETS[SHAKESPEARE], locate(SHAKESPEARE)
    facts = {name: getattr(dataset, name) for name in ("homepage", "citation", "licence")}
    return WriterSource(
        read_shakespeare(path),
        "Tiny Shakespeare",
        checksums_of(path),
        card(__file__, "shakespeare", **facts),
        published=PUBLISHED,
    )


def text_source(paths: Sequence[str | Path]) -> WriterSource:
    """Return texts of your own, one after the other as one text.

    Args:
        paths: Files, plain or gzip, folders of them, or ``-`` for standard input.

    Raises:
        InputError: One of them is missing, too large, empty, binary or not UTF-8.
    """
    text, files = read_texts(paths), TextCorpus(list(paths)).files
    name = ", ".join(file.name for file in files)
    # Of several files the order counts as well.
    together = {name: f"sha256 {hashlib.sha256(text.encode()).hexdigest()}"}
    checksums = checksums_of(*files) if len(files) == 1 else together
    return WriterSource(text, name, checksums, card(__file__, "own", name=name), published={})


def sample_source() -> WriterSource:
    """Return the news texts that gensim carries in its test data, for machines without data and network."""
    source = text_source([gensim_data(SAMPLE_TEXT)])
    return replace(source, name="the news texts of gensim's test data", card=card(__file__, "sample"))


def remembered_source(steps: int) -> WriterSource:
    """Make lines that each begin with one of two signs, which has to be told again after so many other characters.

    Only the first character of a line says how it ends (after Hochreiter and Schmidhuber 1997, section 5.2).

    Raises:
        InputError: The steps are out of bounds.
    """
    if not 1 <= steps <= MOST_REMEMBERED:
        raise InputError(
            "A sign cannot be remembered over this many steps",
            allowed=f"1 to {MOST_REMEMBERED} (--remember)",
            received=steps,
        )
    kinds = [made_line(sign, steps) for sign in _SIGNS]
    count = _MADE_CHARACTERS // (len(kinds[0]) + 1)
    drawn = np.random.default_rng(steps).integers(len(kinds), size=count)
    text = "".join(f"{kinds[kind]}\n" for kind in drawn.tolist())
    name, checksum = _MADE.format(steps), hashlib.sha256(text.encode()).hexdigest()
    made = card(__file__, "remember", steps=steps)
    return WriterSource(text, name, {name: f"sha256 {checksum}"}, made, published={}, asked=_ASKED)


def made_line(sign: str, steps: int) -> str:
    """Return a line of :func:`remembered_source`, without its end."""
    return f"{sign}{_FILLER * steps}{_ASKED}{sign}"


class LearnedText:
    """The text of a writer, split as it was for training.

    Attributes:
        source: All of it.
        split: Row of ``data_prep.text.streams.SPLITS``.
        parts: The pieces that the writer learned from, and those that it was scored on.
        train: The former as one text.
        held_out: The latter as one text.
    """

    def __init__(self, source: WriterSource, split: str) -> None:
        self.source, self.split = source, split
        self.parts = split_text(source.text, split)
        self.train, self.held_out = map("".join, self.parts)

    @cached_property
    def meter(self) -> CopyMeter:
        """The index over what it learned from; made at the first call, which takes a moment."""
        return CopyMeter(self.train, self.training_place)

    @cached_property
    def held_out_matches(self) -> np.ndarray:
        """Longest match at each position of the held-out text, at most 2,000,000; int32 (characters,)."""
        return self.meter.longest_at(self.held_out[:MAX_QUERY])

    @cached_property
    def held_out_place(self) -> Callable[[int], Place]:
        """Tells where a character of the held-out part stands in the whole text."""
        return self._places(1)

    @cached_property
    def training_place(self) -> Callable[[int], Place]:
        """Tells where a character of the training part stands in the whole text."""
        return self._places(0)

    @cached_property
    def _plays(self) -> PlayText:
        return PlayText(self.source.text)

    def _places(self, part: int) -> Callable[[int], Place]:
        """Return the function from a position in the joined pieces of a part to a place of the whole text."""
        # In the text a piece of the training part and a held-out one take turns.
        in_text = [0, *accumulate(len(piece) for pair in zip(*self.parts, strict=True) for piece in pair)][
            part::2
        ]
        joined = [0, *accumulate(map(len, self.parts[part][:-1]))]

        def place(position: int) -> Place:
            number = bisect_right(joined, position) - 1
            return self._plays.place(in_text[number] + position - joined[number])

        return place


def learned_text(metadata: Mapping[str, Any], files: Sequence[str | Path] = ()) -> LearnedText:
    """Find the text that a preset learned from, by its metadata: the checksum of its data, the split of its recipe.

    Args:
        metadata: Of the preset.
        files: Where the text is; nothing looks for the texts that the project knows.

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
    return LearnedText(source, split)


def _known_source(data: Mapping[str, str]) -> WriterSource:
    name, checksum = next(iter(data.items()))
    shakespeare = DATASETS[SHAKESPEARE].files["all"].checksum.partition(":")[2]
    if checksum.split()[-1] == shakespeare:
        return shakespeare_source()
    if name == SAMPLE_TEXT:
        return sample_source()
    if made := re.fullmatch(_MADE.format(r"(\d{1,3})"), name):
        return remembered_source(int(made[1]))
    raise InputError(
        f"The text that the writer learned from, {name}, is not one that Lectern can find by itself",
        remedy="Name it with --text FILE",
    )
