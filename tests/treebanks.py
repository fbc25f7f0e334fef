"""Treebanks as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from data_prep.readers.conllu import Sentence, Tags, format_conllu, with_tags


def write_conllu(sentences: Iterable[Sentence], path: Path, tags: Iterable[Tags] | None = None) -> None:
    """Write sentences as CoNLL-U; ``tags``, UPOS and XPOS of each word, in place of those that they have."""
    if tags is not None:
        sentences = map(with_tags, sentences, tags)
    path.write_text("".join(map(format_conllu, sentences)), encoding="utf-8")
