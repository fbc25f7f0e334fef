"""Where the tagger's training sentences come from, and what its model card says about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from apps.tagger.task import TaggerRecipe
    from data_prep.readers.conllu import Sentence
    from models.presets.card import CardText

Part = Literal["train", "dev", "test"]


@dataclass(frozen=True)
class TaggerSource:
    """Tagged sentences in three parts.

    Args:
        read: Part to its sentences.
        trained_on: The training part in words, for the protocols of scores.
        checksums: Data set to checksum.
        card: Text of the model card.
        published: System to the UPOS accuracy that its authors give for the same test part, percent.
    """

    read: Callable[[Part], list[Sentence]]
    trained_on: str
    checksums: Mapping[str, str]
    card: CardText
    published: Mapping[str, float] = field(default_factory=dict)


# Qi et al. 2020, "Stanza: A Python Natural Language Processing Toolkit for Many Human Languages", and the table of
# models of release 1.5, https://stanfordnlp.github.io/stanza/performance.html
PUBLISHED = {"Stanza 1.0": 96.35, "Stanza 1.5": 97.25}


def treebank_source(recipe: TaggerRecipe) -> TaggerSource:
    """Return UD English EWT in its official parts.

    Args:
        recipe: Names the raw texts and the vectors that the tagger is made with.

    Raises:
        InputError: If the treebank cannot be had.
    """
    from data_prep.datasets import DATASETS, locate_files
    from data_prep.readers.conllu import EWT, read_ewt
    from models.presets.card import CardText
    from models.storage.atomic import sha256_of

    checksums = {path.name: f"sha256 {sha256_of(path)}" for path in locate_files(EWT).values()}
    for name in recipe.raw_text:
        checksums |= {path.name: f"sha256 {sha256_of(path)}" for path in locate_files(name).values()}
    treebank = DATASETS[EWT]
    vectors = f", and the word vectors {recipe.vectors}" if recipe.vectors else ""
    raw = ", ".join(f"{name} ({DATASETS[name].licence})" for name in recipe.raw_text) or "none"
    card = CardText(
        title="Parts of speech for English",
        summary="Universal and Penn part-of-speech tags for the words of an English sentence.",
        data=f"UD English EWT, official training part ({treebank.homepage}; {treebank.citation}): weblogs, "
        f"newsgroups, e-mail, reviews and answers. Raw text without tags: {raw}{vectors}. The dev part chose the "
        "epoch and the temperatures; the test part was scored once.",
        licence=f"Treebank: {treebank.licence}. The weights may be used under the same terms.",
        intended_use="Teaching, and tagging of written English.",
        limits="Written English of the web. Speech, verse, other languages and old spelling are outside what was "
        "measured; foreign words and symbols are the weakest tags. Probabilities are calibrated on the same kinds "
        "of text only.",
    )
    return TaggerSource(read_ewt, "the training part", checksums, card, PUBLISHED)


def made_source() -> TaggerSource:
    """Return sentences that the project makes, for machines without data and network."""
    from data_prep.text.made_sentences import made_sentences
    from models.presets.card import CardText

    card = CardText(
        title="Parts of speech for made sentences",
        summary="A tagger that has seen nothing but sentences of a small made grammar.",
        data="Sentences that the project makes from a word list and a few patterns.",
        licence="That of the project.",
        intended_use="Trying out the training where there are no data.",
        limits="It knows a few dozen words; on real text it is of no use.",
    )
    return TaggerSource(made_sentences, "the made sentences", {"made sentences": "no file"}, card)
