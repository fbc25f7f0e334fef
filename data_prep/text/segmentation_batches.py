"""A treebank's raw text as batches for training a segmenter.

Texts in the world look less uniform than a treebank: one sentence a line, all in capitals, dashes from a
typesetter. Some documents are varied so in each epoch, others than in the epoch before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np

from data_prep.batching import length_buckets, pad
from data_prep.fields import Checked, Portion
from data_prep.readers.conllu import Sentence
from data_prep.text.segmentation import (
    INSIDE,
    LINE,
    PADDING,
    boundary_labels,
    character_ids,
    is_space,
    raw_text,
)

_MOST_WINDOWS = 64  # of a batch
_MULTIPLE = 64  # of which the padded length is one: few different shapes
_TYPED_SIGNS = re.compile(r"(?<!-)--(?!-)|(?<!\.)\.\.\.(?!\.)")
_TYPESET_DASHES, _TYPESET_ELLIPSIS = "–—", "…"


@dataclass(frozen=True)
class Variations(Checked):
    """How often training text is varied; all values are shares from 0 to 1.

    Args:
        lines: Documents with one sentence a line.
        close_paragraphs: Documents whose paragraphs are not separated by an empty line.
        stray_line: Spaces inside sentences that become line breaks.
        lower: Documents in lower case.
        upper: Documents in capitals.
        typeset: Documents with "–", "—" and "…" in place of "--" and "...".
        short: Documents in windows of a quarter of the length.
    """

    lines: Portion = 0.1
    close_paragraphs: Portion = 0.3
    stray_line: Portion = 0.002
    lower: Portion = 0.02
    upper: Portion = 0.01
    typeset: Portion = 0.2
    short: Portion = 0.5


class Piece(NamedTuple):
    """A sentence with the white space behind it; ``labels`` int8, one a character of ``text``."""

    text: str
    space: str
    labels: np.ndarray


def documents(sentences: Sequence[Sentence]) -> list[list[Piece]]:
    """Split a treebank into documents of sentences, each with the space that its raw text has behind it."""
    text, words = raw_text(sentences, wrap=None)
    labels, starts = boundary_labels(len(text), words), [tokens[0].start for tokens in words] + [len(text)]
    split: list[list[Piece]] = []
    for sentence, tokens, following in zip(sentences, words, starts[1:], strict=True):
        start, end = tokens[0].start, tokens[-1].end
        if sentence.new_document or not split:
            split.append([])
        split[-1].append(Piece(text[start:end], text[end:following], labels[start:end]))
    return split


def epoch_batches(
    split: Sequence[Sequence[Piece]],
    epoch: int,
    *,
    window: int,
    batch: int,
    seed: int,
    variations: Variations,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give an epoch's batches: every sentence once, in windows of neighbouring ones of similar length, in random order.

    Args:
        split: :func:`documents` of the training part.
        epoch: Number of the epoch.
        window: About how many characters a window has at most; a longer sentence is one of its own.
        batch: The most characters of a batch, padding included.
        seed: With the epoch the only source of chance.
        variations: How often text is varied.

    Yields:
        Ids, and labels that are -1 at padding and spaces, both int32 (rows, time).
    """
    rng = np.random.default_rng([seed, epoch])
    windows = (_document_windows(document, window, variations, rng) for document in split)
    examples = list(chain.from_iterable(windows))
    lengths = [-(-len(ids) // _MULTIPLE) * _MULTIPLE for ids, _ in examples]
    for rows in length_buckets(lengths, _MOST_WINDOWS, seed=seed, epoch=epoch, max_padded=batch):
        time = max(lengths[row] for row in rows)
        ids = pad([examples[row][0] for row in rows], length=time, value=PADDING).values
        labels = pad([examples[row][1] for row in rows], length=time, value=-1).values
        labels[is_space(ids)] = -1
        yield ids, labels


def _document_windows(
    document: Sequence[Piece], window: int, variations: Variations, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give ids and labels of one window after the other; windows begin with sentences."""
    shares = (variations.lines, variations.close_paragraphs, variations.typeset, variations.short)
    lines, close, typeset, short = (rng.random() < share for share in shares)
    case = rng.random()
    longest = window // 4 if short else window
    ids, labels = np.zeros(0, np.uint8), np.zeros(0, np.int8)
    for piece in document:
        text = piece.text
        if case < variations.lower + variations.upper:
            varied = text.lower() if case < variations.lower else text.upper()
            text = varied if len(varied) == len(text) else text
        new_ids, new_labels = character_ids(text), piece.labels
        stray = is_space(new_ids) & (rng.random(len(new_ids)) < variations.stray_line)
        new_ids[stray] = LINE
        if typeset:
            new_ids, new_labels = _typeset(text, new_ids, new_labels, rng)
        space = character_ids(piece.space)
        if (lines and piece.space) or (close and "\n" in piece.space):
            space[:] = LINE
        if len(ids) and len(ids) + len(new_ids) + len(space) > longest:
            yield ids, labels
            ids, labels = ids[:0], labels[:0]
        ids = np.concatenate([ids, new_ids, space])
        labels = np.concatenate([labels, new_labels, np.full(len(space), INSIDE, np.int8)])
    yield ids, labels


def _typeset(
    text: str, ids: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Put one typeset sign in the place of each word that is "--" or "..."."""
    kept = np.ones(len(ids), bool)
    for match in _TYPED_SIGNS.finditer(text):
        start, last = match.start(), match.end() - 1
        if labels[last] != INSIDE and not labels[start:last].any():
            sign = _TYPESET_ELLIPSIS if match.group()[0] == "." else _TYPESET_DASHES[rng.integers(2)]
            kept[start:last] = False
            ids[last] = character_ids(sign)[0]
    return ids[kept], labels[kept]
