"""BBC News: 2,225 articles of five topics (Greene and Cunningham 2006), read from the publisher's archive."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from data_prep.datasets import check_counts, locate, reading_archive
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import LabelledTexts, labelled

DATASET = "bbc"
TOPICS = ("business", "entertainment", "politics", "sport", "tech")

_NAME = re.compile(rf"bbc/(?P<topic>{'|'.join(TOPICS)})/(?P<number>[0-9]{{1,6}})\.txt")
_MOST_BYTES = 1 << 20


def read_bbc(path: Path | None = None) -> LabelledTexts:
    """Read the articles, headline first.

    Args:
        path: ``bbc-fulltext.zip``; None finds or downloads it.

    Returns:
        The articles sorted by topic and number. One of them is in Latin-1, all others in UTF-8.

    Raises:
        InputError: The data set cannot be had, is damaged, or holds other counts.
    """
    path = locate(DATASET) if path is None else path
    found: list[tuple[str, int, str, str]] = []
    with reading_archive(path), zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if match := _NAME.fullmatch(entry.filename):
                if entry.file_size > _MOST_BYTES:
                    raise InputError(f"{path}: {entry.filename} is no article", received=entry.file_size)
                text = _decoded(archive.read(entry))
                found.append((match["topic"], int(match["number"]), entry.filename, text))
    check_counts(DATASET, path, {topic: sum(row[0] == topic for row in found) for topic in TOPICS})
    return labelled((text, topic, name) for topic, _, name, text in sorted(found))


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
