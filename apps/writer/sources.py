"""Where the writer's text comes from, and what its model card says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        checksums: File to checksum.
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
        InputError: If it cannot be had, or is not the file that it should be.
    """
    from data_prep.datasets import DATASETS, locate
    from data_prep.readers.plays import read_shakespeare
    from models.presets.card import CardText

    dataset, path = DATASETS[SHAKESPEARE], locate(SHAKESPEARE)
    text = read_shakespeare(path)
    card = CardText(
        title="Shakespeare, letter by letter",
        summary="A character language model: it says how probable each next character is, and so writes and scores "
        "text in the manner of Shakespeare's plays.",
        data=f"Tiny Shakespeare ({dataset.homepage}; {dataset.citation}): about a million characters of plays.",
        licence=f"Text: {dataset.licence}. The weights may be used freely.",
        intended_use="Teaching: next-character probabilities, sampling, gates, and how much of a sample is copied.",
        limits="It has read a million characters of one author. What it writes looks like verse and means nothing; "
        "parts of it are copied from the training text. It knows only the characters of that text.",
    )
    return WriterSource(text, "Tiny Shakespeare", _checksums(path), card, PUBLISHED)


def file_source(path: Path) -> WriterSource:
    """Return a text file of one's own, plain or gzip.

    Args:
        path: The file.

    Raises:
        InputError: If it is missing, too large, empty, binary or not UTF-8.
    """
    from data_prep.readers.text import read_text
    from models.presets.card import CardText

    text = read_text(path)
    card = CardText(
        title=f"A language model of {path.name}",
        summary="It says how probable each next token is, and so writes and scores text in the manner of its text.",
        data=f"The file {path.name}.",
        licence="That of the text.",
        intended_use="Trying out what a recurrent network learns from a text of one's own.",
        limits="It has read this one text, and parts of what it writes are copied from it.",
    )
    return WriterSource(text, path.name, _checksums(path), card, {})


def sample_source() -> WriterSource:
    """Return the news texts that gensim carries in its test data, for machines without data and network.

    Raises:
        InputError: If this gensim has no test data.
    """
    from apps.vectors.evaluation import gensim_data
    from models.presets.card import CardText

    path = gensim_data(SAMPLE_TEXT)
    source = file_source(path)
    card = CardText(
        title="News, letter by letter",
        summary=source.card.summary,
        data="300 Australian news texts of 2001 from gensim's test data (Lee et al. 2005).",
        licence="That of gensim's test data.",
        intended_use="Trying out the training where there are no data.",
        limits=source.card.limits,
    )
    return WriterSource(source.text, "the news texts of gensim's test data", source.checksums, card, {})


def _checksums(path: Path) -> dict[str, str]:
    from models.storage.atomic import sha256_of

    return {path.name: f"sha256 {sha256_of(path)}"}
