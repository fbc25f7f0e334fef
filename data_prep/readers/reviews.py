"""IMDB: film reviews, 25,000 + 25,000 with a verdict and 50,000 without (Maas et al. 2011), read from the archive."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from data_prep.datasets import check_counts, locate, reading_archive
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import LabelledTexts, labelled

DATASET = "imdb"
LABELS = ("neg", "pos")

_NAME = re.compile(
    r"aclImdb/(?P<part>train|test)/(?P<label>pos|neg|unsup)/(?P<number>[0-9]{1,6})_[0-9]+\.txt"
)
_MOST_BYTES = 1 << 20


class Imdb(NamedTuple):
    """The official halves, and the reviews without a verdict; names are those of the files."""

    train: LabelledTexts
    test: LabelledTexts
    unlabelled: tuple[str, ...]


class Review(NamedTuple):
    """A review of the archive."""

    part: str
    label: str
    number: int
    name: str
    text: str


def read_imdb(path: Path | None = None, *, unlabelled: bool = True) -> Imdb:
    """Read the reviews without unpacking the archive to disk.

    Args:
        path: ``aclImdb_v1.tar.gz``; None finds or downloads it.
        unlabelled: Whether to keep the reviews without a verdict.

    Returns:
        All reviews as their authors wrote them, HTML line breaks included, sorted by part, label and number.

    Raises:
        InputError: The data set cannot be had, is damaged, holds a review that is not UTF-8, or other counts.
    """
    path = locate(DATASET) if path is None else path
    found: dict[str, list[Review]] = {"train": [], "test": []} | ({"unlabelled": []} if unlabelled else {})
    for review in archive_reviews(path):
        part = "unlabelled" if review.label == "unsup" else review.part
        if part in found:
            found[part].append(review._replace(part=part))
    check_counts(DATASET, path, {f"{part}_reviews": len(reviews) for part, reviews in found.items()})
    halves = [
        labelled((one.text, one.label, one.name) for one in sorted(found[part])) for part in Imdb._fields[:2]
    ]
    return Imdb(*halves, tuple(one.text for one in sorted(found.get("unlabelled", []))))


def archive_reviews(path: Path) -> Iterator[Review]:
    """Read every review of the archive, in its order."""
    with reading_archive(path), tarfile.open(path, "r|gz") as archive:
        for member in archive:
            match = _NAME.fullmatch(member.name)
            if match is None:
                continue
            if not member.isfile() or member.size > _MOST_BYTES:
                raise InputError(f"{path}: {member.name} is no review", received=member.size)
            content = archive.extractfile(member).read()  # type: ignore[union-attr]
            try:
                text = content.decode("utf-8")
            except UnicodeDecodeError as error:
                raise InputError(f"{path}: {member.name} is not UTF-8 ({error})") from error
            name = member.name.removeprefix("aclImdb/")
            yield Review(match["part"], match["label"], int(match["number"]), name, text)
