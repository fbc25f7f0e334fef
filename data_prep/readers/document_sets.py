"""Document sets, read from their archives: film reviews of IMDB and news of the BBC.

IMDB: 25,000 + 25,000 reviews with a verdict and 50,000 without (Maas et al. 2011). BBC News: 2,225 articles of five
topics (Greene and Cunningham 2006).
"""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from data_prep.datasets import check_counts, locate, reading_archive
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import LabelledTexts, labelled

VERDICTS = ("neg", "pos")
TOPICS = ("business", "entertainment", "politics", "sport", "tech")

_REVIEW = re.compile(
    r"aclImdb/(?P<part>train|test)/(?P<label>pos|neg|unsup)/(?P<number>[0-9]{1,6})_[0-9]+\.txt"
)
_ARTICLE = re.compile(rf"bbc/(?P<topic>{'|'.join(TOPICS)})/(?P<number>[0-9]{{1,6}})\.txt")
_MOST_BYTES = 1 << 20  # of a document


class Imdb(NamedTuple):
    """The official halves, and the reviews without a verdict."""

    train: LabelledTexts
    test: LabelledTexts
    unlabelled: tuple[str, ...]


class Review(NamedTuple):
    """A review of the archive; its part is ``train``, ``test``, or ``unlabelled``."""

    part: str
    label: str
    number: int
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
    path = locate("imdb") if path is None else path
    found: dict[str, list[Review]] = {part: [] for part in (Imdb._fields if unlabelled else Imdb._fields[:2])}
    for review in archive_reviews(path):
        if review.part in found:
            found[review.part].append(review)
    check_counts("imdb", path, {f"{part}_reviews": len(reviews) for part, reviews in found.items()})
    train, test = (
        labelled((one.text, one.label) for one in sorted(found[part])) for part in ("train", "test")
    )
    return Imdb(train, test, tuple(one.text for one in sorted(found.get("unlabelled", []))))


def archive_reviews(path: Path) -> Iterator[Review]:
    """Read every review of the archive, in its order."""
    with reading_archive(path), tarfile.open(path, "r|gz") as archive:
        for member in archive:
            match = _REVIEW.fullmatch(member.name)
            if match is None:
                continue
            if not member.isfile() or member.size > _MOST_BYTES:
                raise InputError(f"{path}: {member.name} is no review", received=member.size)
            content = archive.extractfile(member).read()  # type: ignore[union-attr]
            try:
                text = content.decode("utf-8")
            except UnicodeDecodeError as error:
                raise InputError(f"{path}: {member.name} is not UTF-8 ({error})") from error
            part = "unlabelled" if match["label"] == "unsup" else match["part"]
            yield Review(part, match["label"], int(match["number"]), text)


def read_bbc(path: Path) -> LabelledTexts:
    """Read the articles of the BBC, headline first.

    Args:
        path: ``bbc-fulltext.zip``.

    Returns:
        The articles sorted by topic and number. One of them is in Latin-1, all others in UTF-8.

    Raises:
        InputError: The archive is damaged, or holds other counts.
    """
    found: list[tuple[str, int, str]] = []
    with reading_archive(path), zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if match := _ARTICLE.fullmatch(entry.filename):
                if entry.file_size > _MOST_BYTES:
                    raise InputError(f"{path}: {entry.filename} is no article", received=entry.file_size)
                content = archive.read(entry)
                try:
                    text = content.decode("utf-8")
                except UnicodeDecodeError:
                    text = content.decode("latin-1")
                found.append((match["topic"], int(match["number"]), text))
    check_counts("bbc", path, {topic: sum(row[0] == topic for row in found) for topic in TOPICS})
    return labelled((text, topic) for topic, _, text in sorted(found))
