"""Texts to learn from: Tiny Shakespeare, texts of your own, or a small one that gensim carries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from apps.shared.cards import card
from apps.shared.measures import checksums_of
from data_prep.datasets import DATASETS, locate
from data_prep.gensim_data import gensim_data
from data_prep.readers.plays import read_shakespeare
from data_prep.readers.text import TextCorpus, read_texts
from models.presets.card import CardText

SHAKESPEARE = "tinyshakespeare"
SAMPLE_TEXT = "lee_background.cor"
# What other systems reach on the last tenth of Tiny Shakespeare, in nats a character.
PUBLISHED = {
    "nanoGPT, transformer of 10.7 M parameters, on a GPU": 1.4697,
    "nanoGPT, its setting for a CPU": 1.88,
}


@dataclass(frozen=True)
class WriterSource:
    """A text to learn from.

    Args:
        text: All of it.
        name: What it is called in protocols.
        checksums: What it is called to its checksum.
        card: Text of the model card.
        published: Other systems' nats a character on the last tenth of this text, where there are such.
    """

    text: str
    name: str
    checksums: Mapping[str, str]
    card: CardText
    published: Mapping[str, float]


def shakespeare_source() -> WriterSource:
    """Return Tiny Shakespeare.

    Raises:
        InputError: It cannot be had, or is not the file that it should be.
    """
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
    """Return the news texts that gensim carries in its test data, for machines without data and network.

    Raises:
        InputError: This gensim has no test data.
    """
    source = text_source([gensim_data(SAMPLE_TEXT)])
    return replace(source, name="the news texts of gensim's test data", card=card(__file__, "sample"))
