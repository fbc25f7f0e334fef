"""Where tagged sentences come from: UD English EWT, a treebank of your own, sentences that the project makes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apps.shared.measures import checksums_of
from apps.tagger.word_table import RawTexts, WordTable
from data_prep.datasets import DATASETS, locate, locate_files
from data_prep.errors import InputError
from data_prep.readers.conllu import EWT, UNTAGGED, UPOS_TAGS, Sentence, read_conllu, read_ewt
from data_prep.readers.text import TextCorpus, input_file
from data_prep.readers.treebank import (
    TagSets,
    held_out_sentences,
    read_treebank,
    shared_sentences,
    tag_sets,
)
from data_prep.text.made_texts import made_sentences
from data_prep.text.raw_forms import review_texts, wiki_texts
from models.presets.card import CardText
from models.training.task import Option, Options

PARTS = ("train", "dev", "test")
MADE = "made sentences"
# Qi et al. 2020, "Stanza: A Python Natural Language Processing Toolkit for Many Human Languages", and the table of
# models of release 1.5, https://stanfordnlp.github.io/stanza/performance.html
PUBLISHED = {"Stanza 1.0": 96.35, "Stanza 1.5": 97.25}
TREEBANK_OPTIONS = (
    Option(
        "treebank",
        "Your own treebank, CoNLL-U; UD English EWT if not given.",
        metavar="FILE",
        excludes="data",
    ),
    Option("dev", "Its part that chooses the weights; else a tenth of it is held out.", metavar="FILE"),
    Option("test", "Its part that is scored; else another tenth is held out.", metavar="FILE"),
)
FILE_OPTION = Option(
    "file",
    "CoNLL-U file; the test part of the treebank that it learned from if not given.",
    metavar="FILE",
    verbs=("evaluate",),
)
_EWT_DATA = f"{DATASETS[EWT].homepage}; {DATASETS[EWT].citation}"
_EWT_TEST = ("en_ewt-ud-test.conllu.gz", "UD English EWT, test")  # in the data of the shipped presets


@dataclass(frozen=True)
class Treebank:
    """Tagged sentences in three parts.

    Args:
        train: To learn from.
        dev: To choose by.
        test: To be scored, once.
        tags: The tags of the training part.
        trained_on: The training part in words, for the protocols of scores.
        checksums: Data set or file to checksum.
        card: Text of the tagger's model card.
        segmenter_card: Text of the segmenter's.
        own: Whether a tagger gets a segmenter of its own.
        held_out: Parts that were held out of the file of the training part.
        published: System to the UPOS accuracy that its authors give for the same test part, percent.
        texts: Raw texts without tags.
        table: Words and their frozen vectors, for a tagger.
    """

    train: list[Sentence]
    dev: list[Sentence]
    test: list[Sentence]
    tags: TagSets
    trained_on: str
    checksums: Mapping[str, str]
    card: CardText
    segmenter_card: CardText
    own: bool = False
    held_out: tuple[str, ...] = ()
    published: Mapping[str, float] = field(default_factory=dict)
    texts: RawTexts = field(default_factory=dict)
    table: WordTable | None = None


def treebank(options: Options, seed: int) -> Treebank:
    """Read the treebank that the options name.

    Raises:
        InputError: It cannot be had, is not well-formed, or has too few sentences.
    """
    if options.get("sample"):
        return _made()
    if options.get("treebank") is not None:
        return _own(options, seed)
    if given := [f"--{part}" for part in PARTS[1:] if options.get(part) is not None]:
        raise InputError(f"{' and '.join(given)} need --treebank", remedy="Name the training part as well")
    return _english()


def raw_texts(name: str) -> Callable[[], Iterator[str]]:
    """Return what opens the texts of a data set without tags."""
    path = locate(name)
    return {"wiki": lambda: wiki_texts(path), "imdb": lambda: review_texts(path)}[name]


def own_text(paths: tuple[Path, ...]) -> tuple[RawTexts, dict[str, str]]:
    """Open raw text of your own; return it under its name, and the checksums of its files."""
    corpus = TextCorpus(paths)
    return {"text": corpus.lines}, checksums_of(*corpus.files)


def scored_sentences(file: str | Path | None, metadata: Mapping[str, Any], universal: bool) -> list[Sentence]:
    """Read what a preset is scored on.

    Args:
        file: A CoNLL-U file; of the one that the preset learned from what was held out is scored. None takes the
            test part of the data that it learned from.
        metadata: Of the preset; empty where nothing is known.
        universal: Whether every word of the file must have a UPOS tag of Universal Dependencies.

    Raises:
        InputError: There is no such file, it is not well-formed or not tagged, or must be named.
    """
    data = metadata.get("data", {})
    if file is not None:
        path = input_file(file)
        sentences = read_conllu(path, require_tags=universal, any_tags=not universal)
        learned = set(checksums_of(path).values()) & set(data.values())
        if learned and "test" in metadata.get("held_out", ()):
            return held_out_sentences(sentences, seed=metadata["seed"])[1]
        return sentences
    if not data or any(name in data for name in _EWT_TEST):
        return read_ewt("test")
    if MADE in data:
        return made_sentences("test")
    raise InputError(
        "It is not known where the treebank is that this preset did not learn from",
        allowed="a CoNLL-U file; of the one that it learned from, what was held out is scored",
        remedy="Name it with --file",
    )


def _english() -> Treebank:
    parts = [read_ewt(part) for part in PARTS]
    return Treebank(
        *parts,
        tags=TagSets(UPOS_TAGS, tag_sets(parts[0]).xpos),
        trained_on="the training part",
        checksums=checksums_of(*locate_files(EWT).values()),
        card=CardText(
            title="Parts of speech for English",
            summary="Universal and Penn part-of-speech tags for the words of an English sentence.",
            data=f"UD English EWT, official training part ({_EWT_DATA}): weblogs, newsgroups, e-mail, reviews and "
            "answers. The dev part chose the epoch and the temperatures; the test part was scored once.",
            licence=f"Treebank: {DATASETS[EWT].licence}. The weights may be used under the same terms.",
            intended_use="Teaching, and tagging of written English.",
            limits="Written English of the web. Speech, verse, other languages and old spelling are outside what was "
            "measured; foreign words and symbols are the weakest tags. Probabilities are calibrated on the same kinds "
            "of text only.",
        ),
        segmenter_card=CardText(
            title="Sentences and words of English text",
            summary="A small convolutional network over characters that cuts raw English text into sentences "
            "and words as Universal Dependencies does: clitics, punctuation and the parts of hyphenated words are "
            "words.",
            data="Training part of UD English EWT: weblogs, newsgroups, e-mails, reviews and answers. Some "
            "documents are varied in training: one sentence a line, other case, typeset dashes. The dev part chose "
            "the epoch.",
            licence="The treebank and these weights: CC BY-SA 4.0.",
            intended_use="The first step of a tagger or parser for English text of any length.",
            limits="English only; it was trained on the keyboard English of the web before 2012. Where a "
            "sentence ends without any sign, as it often does there, the network guesses.",
        ),
        published=PUBLISHED,
    )


def _made() -> Treebank:
    parts = [made_sentences(part) for part in PARTS]
    return Treebank(
        *parts,
        tags=TagSets(UPOS_TAGS, tag_sets(parts[0]).xpos),
        trained_on=f"the {MADE}",
        checksums={MADE: "no file"},
        **_cards(
            MADE, "Sentences that the project makes from a word list and a few patterns.", "The project's."
        ),
    )


def _own(options: Options, seed: int) -> Treebank:
    files = {part: input_file(options[part]) for part in PARTS if part != "train" and options.get(part)}
    files = {"train": input_file(options["treebank"]), **files}
    parts = {part: read_treebank(path) for part, path in files.items()}
    held_out = tuple(
        part for part in ("test", "dev") if part not in parts
    )  # in this order: see scored_sentences
    for part in held_out:
        parts["train"], parts[part] = held_out_sentences(parts["train"], seed=seed)
    for part in PARTS[1:]:
        _compare(parts["train"], parts[part], part)
    name = files["train"].name
    how = "A tenth of the file each was held out as the parts that choose and are scored" if held_out else ""
    return Treebank(
        *(parts[part] for part in PARTS),
        tags=_inventory(parts["train"]),
        trained_on=f"the training part of {name}",
        checksums=checksums_of(*files.values()),
        own=True,
        held_out=held_out,
        **_cards(
            f"the treebank {name}", f"The treebank {', '.join(path.name for path in files.values())}. {how}"
        ),
    )


def _compare(train: list[Sentence], other: list[Sentence], part: str) -> None:
    """Say which sentences stand in both parts; refuse one that lacks a column of tags that training has."""
    if shared := shared_sentences(train, other):
        print(f"{shared} sentences of the {part} part stand in the training part too", file=sys.stderr)
    for column, wanted, found in zip(TagSets._fields, tag_sets(train), tag_sets(other), strict=True):
        if wanted and not found:
            raise InputError(f"The {part} part has no {column.upper()} tags, but the training part has")


def _inventory(train: list[Sentence]) -> TagSets:
    """Return the tags to learn: ``_`` is one of them where words have no tag, and the only one of a missing column."""
    words = [word for sentence in train for word in sentence.words]
    bare = TagSets(*(any(getattr(word, name) == UNTAGGED for word in words) for name in TagSets._fields))
    return TagSets(*(found + (UNTAGGED,) * some for found, some in zip(tag_sets(train), bare, strict=True)))


def _cards(name: str, data: str, licence: str = "That of the treebank.") -> dict[str, CardText]:
    """Make the texts of both model cards."""
    tagger = CardText(
        title=f"Parts of speech of {name}",
        summary=f"Part-of-speech tags for words, learned from {name}.",
        data=data,
        licence=licence,
        intended_use="Tagging of text of the kind that it learned from.",
        limits="Other kinds of text, and other languages, are outside what was measured.",
    )
    segmenter = CardText(
        **vars(tagger)
        | {
            "title": f"Sentences and words of {name}",
            "summary": f"Cuts raw text into sentences and words as {name} does.",
            "intended_use": "The first step of a tagger for text of the kind that it learned from.",
        }
    )
    return {"card": tagger, "segmenter_card": segmenter}
