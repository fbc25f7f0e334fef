"""Treebanks of your own, in any language and with any tags: reading, tags, and what is held out of training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_prep.errors import InputError
from data_prep.readers.conllu import UNTAGGED, UPOS_TAGS, Sentence, read_conllu
from data_prep.splits import group_split


class TagSets(NamedTuple):
    """The tags of a treebank without ``_``; ``()`` for a column that the treebank does not use."""

    upos: tuple[str, ...]
    xpos: tuple[str, ...]


def read_treebank(path: str | Path) -> list[Sentence]:
    """Read a treebank of your own to train on or to score: any language and any tags.

    Args:
        path: A CoNLL-U file, plain or gzip, or ``-`` for standard input. UPOS or XPOS may be missing (``_``).

    Returns:
        Its sentences, multiword tokens kept.

    Raises:
        InputError: As :func:`read_conllu`; also if a ``sent_id`` is there twice, or neither column has two tags.
    """
    sentences = read_conllu(path, any_tags=True)
    names = Counter(sentence.sent_id for sentence in sentences if sentence.sent_id)
    if twice := next((name for name, count in names.items() if count > 1), None):
        raise InputError(f"{path}: two sentences have one sent_id", received=twice)
    found = tag_sets(sentences)
    if max(map(len, found)) < 2:
        raise InputError(
            f"{path} has {'one tag only' if any(found) else 'no tags'}",
            allowed="two tags or more in the column UPOS or XPOS",
            received=found.upos + found.xpos,
        )
    return sentences


def tag_sets(sentences: Iterable[Sentence]) -> TagSets:
    """List the tags of a treebank, sorted; those of Universal Dependencies in their usual order."""
    words = [word for sentence in sentences for word in sentence.words]
    upos, xpos = {word.upos for word in words} - {UNTAGGED}, {word.xpos for word in words} - {UNTAGGED}
    ordered = [tag for tag in UPOS_TAGS if tag in upos] if upos.issubset(UPOS_TAGS) else sorted(upos)
    return TagSets(tuple(ordered), tuple(sorted(xpos)))


def shared_sentences(train: Iterable[Sentence], dev: Iterable[Sentence]) -> int:
    """Count the sentences of ``dev`` whose words are those of a sentence of ``train``."""
    known = {tuple(sentence.forms) for sentence in train}
    return sum(tuple(sentence.forms) in known for sentence in dev)


def held_out_sentences(
    sentences: Sequence[Sentence], share: float = 0.1, seed: int = 1
) -> tuple[list[Sentence], list[Sentence]]:
    """Hold a part of a treebank out of training.

    Args:
        sentences: The treebank.
        share: About how much of it is held out.
        seed: The same seed holds out the same sentences.

    Returns:
        What to train on and what is held out, disjoint: whole documents where there are enough of them, else sentences,
        equal ones on one side.

    Raises:
        InputError: A part would be empty.
    """
    groups: list[object] = np.cumsum([sentence.new_document for sentence in sentences]).tolist()
    if len(set(groups)) < 2 / share:
        groups = [tuple(sentence.forms) for sentence in sentences]
    parts = group_split(groups, {"train": 1.0 - share, "dev": share}, seed)
    train, dev = ([sentences[at] for at in parts[name]] for name in ("train", "dev"))
    return train, dev
