"""Where documents with labels come from, and what a model card says about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from apps.shared.cards import filled
from apps.shared.measures import checksums_of
from data_prep.datasets import DATASETS, locate
from data_prep.errors import InputError
from data_prep.files import toml_beside
from data_prep.readers.document_sets import read_bbc, read_imdb
from data_prep.readers.labelled_texts import LabelledTexts, Refused, read_csv, read_folder
from data_prep.readers.text import GivenPath, input_file
from data_prep.splits import group_split, k_folds
from data_prep.text.made_texts import made_reviews
from data_prep.text.text_inputs import document_forms
from models.presets.card import CardText

DATA = ("imdb", "bbc")
TEST_SHARE = 0.2  # of your own documents and of the sample
SPLIT_SEED = 1  # of their split: the same for all recipes, so that a test part stays one
_SAMPLE_DOCUMENTS = 600
OWN = "own documents"  # the checksum of your own documents is kept under this name
_MADE = "made reviews"
_SAID = toml_beside(__file__)
_ALIASES = {name: tuple(_SAID[name]["aliases"].items()) for name in DATA}


@dataclass(frozen=True)
class ReviewsSource:
    """Documents to learn from and documents to score.

    Args:
        name: What they are called in protocols.
        train: To learn from; validation is held out of them.
        test: To score once, at the end; None where folds are scored.
        protocol: How the scored documents were chosen.
        checksums: Data set or file to checksum.
        card: Text of the model card.
        unlabelled: Texts without a label.
        aliases: Other names of labels, each with the label that it means.
        published: Other systems' accuracy on the same test documents.
        refused: What could not be used of your own documents.
    """

    name: str
    train: LabelledTexts
    test: LabelledTexts | None
    protocol: str
    checksums: Mapping[str, str]
    card: CardText
    unlabelled: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    published: Mapping[str, float] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of the logits."""
        return self.train.classes

    def held_out(self, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw places to learn from, and a share of the training part that is held out; equal texts are on one side."""
        shares = {"train": 1.0 - share, "validation": share}
        parts = group_split(document_forms(self.train.texts), shares, seed)
        return parts["train"], parts["validation"]

    def folds(self, count: int, seed: int) -> list[ReviewsSource]:
        """Cut the training part into folds, equal texts in one; each source scores one and learns from the others."""
        parts = k_folds(len(self.train), count, seed, document_forms(self.train.texts))
        return [
            replace(self, train=self.train.chosen(train), test=self.train.chosen(test))
            for train, test in parts
        ]

    def labelled_as(self, labels: Sequence[str], aliases: tuple[tuple[str, str], ...]) -> ReviewsSource:
        """Number the labels as a classifier that knows all of them does; unchanged where it does not."""
        numbers = label_numbers(labels, aliases)
        found = [numbers.get(label, numbers.get(label.casefold())) for label in self.labels]
        if None in found:
            return self
        train, test = (
            texts and replace(texts, labels=np.array(found)[texts.labels], classes=tuple(labels))
            for texts in (self.train, self.test)
        )
        return replace(self, train=train, test=test, aliases=aliases)


def label_numbers(labels: Sequence[str], aliases: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the number of each name by which data may call a label: itself, then in small letters it or an alias."""
    numbers = {label: number for number, label in enumerate(labels)}
    named = {alias.casefold(): numbers[label] for alias, label in aliases}
    return named | {label.casefold(): number for label, number in numbers.items()} | numbers


def named_source(name: str) -> ReviewsSource:
    """Return a data set: ``imdb``, the film reviews of IMDB with the official halves; ``bbc``, the news of the BBC.

    Raises:
        InputError: There is no such set, or it cannot be had.
    """
    if name not in DATA:
        raise InputError("There is no such set of documents", allowed=", ".join(DATA), received=name)
    path = locate(name)
    facts = {
        "checksums": checksums_of(path),
        "card": _card(name, **vars(DATASETS[name])),
        "aliases": _ALIASES[name],
    }
    if name == "bbc":  # without an official test part, so that folds are scored
        protocol = "folds of BBC News, equal articles in one fold"
        return ReviewsSource("BBC News", read_bbc(path), None, protocol, **facts)
    found = read_imdb(path)
    facts |= {"unlabelled": found.unlabelled, "published": _SAID["imdb"]["published"]}
    return ReviewsSource("IMDB", found.train, found.test, "official test half of IMDB", **facts)


def own_texts(
    csv: Sequence[GivenPath], folder: GivenPath | None, text: str, label: str
) -> tuple[LabelledTexts, str]:
    """Read CSV files, or a folder where there is one; return the documents and what to call them."""
    if folder is not None:
        return read_folder(folder), Path(folder).resolve().name
    return read_csv(csv, text, label), ", ".join(input_file(path).name for path in csv)


def own_source(texts: LabelledTexts, name: str) -> ReviewsSource:
    """Return your own documents; ``name`` is what to call them, such as the name of the file.

    Raises:
        InputError: There is one label only, or a label has too few documents.
    """
    texts.check_trainable()
    names = [label.casefold() for label in texts.classes]
    own, aliases = dict(zip(names, texts.classes, strict=True)), ()
    if sorted(names) == ["neg", "pos"]:
        aliases = tuple((alias, own[label]) for alias, label in _ALIASES["imdb"])
    return _split(
        texts,
        name=name,
        checksums={OWN: texts.checksum},
        card=_card("own", name=name, labels=len(texts.classes)),
        aliases=aliases,
        refused=texts.refused,
    )


def sample_source() -> ReviewsSource:
    """Return reviews that the project makes, for machines without data and network."""
    texts = made_reviews(_SAMPLE_DOCUMENTS, SPLIT_SEED)
    facts = {"checksums": {_MADE: texts.checksum}, "card": _card("sample"), "aliases": _ALIASES["imdb"]}
    return _split(texts, name="reviews made by rules", **facts)


def source_of(data: Mapping[str, str]) -> ReviewsSource | None:
    """Find the documents that a preset learned from, by the checksums in its metadata; None for your own."""
    name = set_of(data)
    if name is not None:
        return named_source(name)
    return sample_source() if _MADE in data else None


def set_of(data: Mapping[str, str]) -> str | None:
    """Name the set that a preset learned from, by the checksums in its metadata; None for any other documents."""
    return next((name for name in DATA if any(f.name in data for f in DATASETS[name].files.values())), None)


def _split(texts: LabelledTexts, *, name: str, **more: object) -> ReviewsSource:
    """Split documents at random that have no official test part."""
    shares = {"train": 1.0 - TEST_SHARE, "test": TEST_SHARE}
    parts = group_split(document_forms(texts.texts), shares, SPLIT_SEED)
    return ReviewsSource(
        name=name,
        train=texts.chosen(parts["train"]),
        test=texts.chosen(parts["test"]),
        protocol=f"a fifth of {name}, drawn with seed {SPLIT_SEED}",
        **more,
    )


def _card(kind: str, **facts: object) -> CardText:
    return filled({"intended_use": _SAID["intended_use"], **_SAID[kind]["card"]}, **facts)
