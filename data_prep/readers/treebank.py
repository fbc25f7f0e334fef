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
    """Read a treebank of your own, any language and any tags; UPOS or XPOS may be missing (``_``).

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


def tag_sets(sentences: Iterable[Sentence], untagged: bool = False) -> TagSets:
    """List the tags of a treebank, sorted; those of Universal Dependencies in their usual order.

    Args:
        sentences: The treebank.
        untagged: Whether ``_`` is the last one of a column that words have no tag in.
    """
    words = [word for sentence in sentences for word in sentence.words]
    columns = []
    for found in ({word.upos for word in words}, {word.xpos for word in words}):
        tags = found - {UNTAGGED}
        ordered = [tag for tag in UPOS_TAGS if tag in tags] if tags.issubset(UPOS_TAGS) else sorted(tags)
        columns.append((*ordered, *(found & {UNTAGGED} if untagged else ())))
    return TagSets(*columns)


def shared_sentences(train: Iterable[Sentence], dev: Iterable[Sentence]) -> int:
    """Count the sentences of ``dev`` whose words are those of a sentence of ``train``."""
    known = {tuple(sentence.forms) for sentence in train}
    return sum(tuple(sentence.forms) in known for sentence in dev)


def held_out_sentences(
    sentences: Sequence[Sentence], share: float = 0.1, seed: int = 1
) -> tuple[list[Sentence], list[Sentence]]:
    """Hold about a share of a treebank out of training; return what to train on and what is held out, disjoint.

    Whole documents are held out where there are enough of them, else sentences, equal ones on one side.

    Raises:
        InputError: A part would be empty.
    """
    groups: list[object] = np.cumsum([sentence.new_document for sentence in sentences]).tolist()
    if len(set(groups)) < 2 / share:
        groups = [tuple(sentence.forms) for sentence in sentences]
    parts = group_split(groups, {"train": 1.0 - share, "dev": share}, seed)
    train, dev = ([sentences[at] for at in parts[name]] for name in ("train", "dev"))
    return train, dev
