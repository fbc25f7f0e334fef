"""IMDB: film reviews, 25,000 + 25,000 with a verdict and 50,000 without (Maas et al. 2011), read from the archive."""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from data_prep.datasets import DATASETS, locate
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
    found: dict[str, list[tuple[str, int, str, str]]] = {"train": [], "test": [], "unsup": []}
    for part, label, number, name, content in _members(path, unlabelled):
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: {name} is not UTF-8 ({error})") from error
        found["unsup" if label == "unsup" else part].append((label, number, name, text))
    counts = DATASETS[DATASET].counts
    for part, key in (("train", "train"), ("test", "test"), ("unsup", "unlabelled")):
        if len(found[part]) != counts[f"{key}_reviews"] and (unlabelled or part != "unsup"):
            raise InputError(
                f"{path} does not hold the {key} reviews of IMDB",
                allowed=f"{counts[f'{key}_reviews']:,} reviews",
                received=len(found[part]),
                remedy="Remove the file, so that it is downloaded again",
            )
    halves = [
        labelled((text, label, name) for label, _, name, text in sorted(found[part]))
        for part in ("train", "test")
    ]
    return Imdb(*halves, tuple(text for _, _, _, text in sorted(found["unsup"])))


def _members(path: Path, unlabelled: bool) -> Iterator[tuple[str, str, int, str, bytes]]:
    """Give part, label, number, name and content of every review in the archive."""
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                match = _NAME.fullmatch(member.name)
                if match is None or (match["label"] == "unsup" and not unlabelled):
                    continue
                if not member.isfile() or member.size > _MOST_BYTES:
                    raise InputError(f"{path}: {member.name} is no review", received=member.size)
                name = member.name.removeprefix("aclImdb/")
                content = archive.extractfile(member).read()  # type: ignore[union-attr]
                yield match["part"], match["label"], int(match["number"]), name, content
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise InputError(
            f"{path} is no archive of reviews, or damaged ({error})",
            remedy="Remove the file, so that it is downloaded again",
        ) from error
