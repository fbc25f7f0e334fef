"""Where tagged sentences come from: UD English EWT, a treebank of your own, sentences that the project makes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from apps.shared.cards import filled
from apps.shared.measures import checksums_of
from apps.tagger.word_table import RawTexts, WordTable
from data_prep.datasets import DATASETS, locate, locate_files
from data_prep.errors import InputError
from data_prep.files import toml_beside
from data_prep.readers import treebank as reading
from data_prep.readers.conllu import EWT, UPOS_TAGS, Sentence, read_conllu, read_ewt
from data_prep.readers.text import TextCorpus, input_file, iter_lines
from data_prep.text.made_texts import made_sentences
from data_prep.text.raw_forms import review_texts
from models.presets.card import CardText
from models.training.task import Option, Options

PARTS = ("train", "dev", "test")
MADE = "made sentences"
SEGMENTER_HELP = "Segmenter to use; else that of the tagger's preset, or segmenter_en_ewt."
_EVALUATE = ("evaluate",)
SEGMENTER_OPTIONS = (
    Option("treebank", "Your own, CoNLL-U; UD English EWT if not given.", metavar="FILE", excludes="data"),
    Option("dev", "Its part that chooses the weights; else a tenth of it is held out.", metavar="FILE"),
    Option("test", "Its part that is scored; else another tenth is held out.", metavar="FILE"),
    Option("file", "CoNLL-U to score; else the test part.", metavar="FILE", verbs=_EVALUATE),
)
TAGGER_OPTIONS = (
    *SEGMENTER_OPTIONS,
    Option("text", "Raw text without tags: files or folders.", many=True, metavar="RAW"),
    Option("vectors", "Word vectors: a preset, or a file.", type=str, metavar="PRESET_OR_FILE"),
    Option("segmenter", SEGMENTER_HELP, type=str, metavar="NAME_OR_FOLDER", verbs=_EVALUATE),
)
_EWT_TEST = ("en_ewt-ud-test.conllu.gz", "UD English EWT, test")  # in the data of the shipped presets
_SAID = toml_beside(__file__)


@dataclass(frozen=True)
class Treebank:
    """Tagged sentences in three parts.

    Args:
        train, dev, test: To learn from, to choose by, to be scored, once.
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
    tags: reading.TagSets
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
        data = "Sentences that the project makes from a word list and a few patterns."
        cards = _cards("other", name=MADE, data=data, licence="That of the project.")
        return _built_in(made_sentences, f"the {MADE}", {MADE: "no file"}, cards)
    if options.get("treebank") is not None:
        return _own(options, seed)
    if given := [f"--{part}" for part in PARTS[1:] if options.get(part) is not None]:
        raise InputError(f"{' and '.join(given)} need --treebank", remedy="Name the training part as well")
    checksums = checksums_of(*locate_files(EWT).values())
    more = {**_cards("english", **vars(DATASETS[EWT])), "published": _SAID["published"]}
    return _built_in(read_ewt, "the training part", checksums, more)


def raw_texts(names: tuple[str, ...], files: tuple[Path, ...]) -> tuple[RawTexts, dict[str, str], str]:
    """Open texts without tags: the data sets ``wiki`` and ``imdb``, and files and folders of your own.

    Returns:
        What opens each, the checksums of all files, and what a model card says of them.

    Raises:
        InputError: One of them cannot be had.
    """
    readers = {"wiki": iter_lines, "imdb": review_texts}
    texts = {name: partial(readers[name], locate(name)) for name in names}
    paths = [path for name in names for path in locate_files(name).values()]
    said = [f"{name} ({DATASETS[name].licence})" for name in names]
    if files:
        corpus = TextCorpus(files)
        texts["text"] = corpus.lines
        paths += corpus.files
        said.append("your own")
    return texts, checksums_of(*paths), ", ".join(said) or "none"


def scored_sentences(file: str | Path | None, metadata: Mapping[str, Any], universal: bool) -> list[Sentence]:
    """Read what a preset of this metadata is scored on.

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
        first = next(iter(data.values()), None)  # what was held out comes from it
        if first in checksums_of(path).values() and "test" in metadata.get("held_out", ()):
            return reading.held_out_sentences(sentences, seed=metadata["seed"])[1]
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


def _built_in(read: Any, trained_on: str, checksums: Mapping[str, str], more: Mapping[str, Any]) -> Treebank:
    """Read what has official parts; the outputs of the network are all universal tags, whatever they hold."""
    parts = [read(part) for part in PARTS]
    tags = reading.TagSets(UPOS_TAGS, reading.tag_sets(parts[0]).xpos)
    return Treebank(*parts, tags=tags, trained_on=trained_on, checksums=checksums, **more)


def _own(options: Options, seed: int) -> Treebank:
    given = {"train": options["treebank"], **{part: options.get(part) for part in PARTS[1:]}}
    files = {part: input_file(path) for part, path in given.items() if path is not None}
    parts = {part: reading.read_treebank(path) for part, path in files.items()}
    held_out = tuple(part for part in ("test", "dev") if part not in parts)  # as scored_sentences does
    for part in held_out:
        parts["train"], parts[part] = reading.held_out_sentences(parts["train"], seed=seed)
    for part in PARTS[1:]:
        _compare(parts["train"], parts[part], part)
    names, name = ", ".join(path.name for path in files.values()), files["train"].name
    left = f"; held out of its first file: {', '.join(held_out)}" if held_out else ""
    said = f"The treebank {names}{left}."
    return Treebank(
        *(parts[part] for part in PARTS),
        tags=reading.tag_sets(parts["train"], untagged=True),
        trained_on=f"the training part of {name}",
        checksums=checksums_of(*files.values()),
        own=True,
        held_out=held_out,
        **_cards("other", name=f"the treebank {name}", data=said, licence="That of the treebank."),
    )


def _compare(train: list[Sentence], other: list[Sentence], part: str) -> None:
    """Say which sentences stand in both parts; refuse one that lacks a column of tags that training has."""
    if shared := reading.shared_sentences(train, other):
        print(f"{shared} sentences of the {part} part stand in the training part too", file=sys.stderr)
    wanted, found = reading.tag_sets(train)._asdict(), reading.tag_sets(other)._asdict()
    for column in (column for column in wanted if wanted[column] and not found[column]):
        raise InputError(f"The {part} part has no {column.upper()} tags, but the training part has")


def _cards(treebank: str, **said: Any) -> dict[str, CardText]:
    """Fill in the texts of both model cards."""
    return {card: filled(texts, **said) for card, texts in _SAID[treebank].items()}
