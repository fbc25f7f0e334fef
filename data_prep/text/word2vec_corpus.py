"""A text as numbers on disk: one pass over the words, whatever the size, in bounded memory.

The words of the text are numbered as they come, counted, and renumbered by falling count in a second pass over
the numbers (not over the text). What stays in memory is the dictionary of different words and one number a line.
"""

from __future__ import annotations

import os
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np

from data_prep.errors import InputError
from data_prep.text.vocab import Vocabulary

HELD_OUT_EVERY = 100
HELD_OUT_TOKENS = 20_000
_CHUNK = 1 << 22
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True)
class EncodedCorpus:
    """A text as word numbers.

    Args:
        ids: int32 (tokens,), memory-mapped: words of the vocabulary, all others left out.
        ends: int64 (sentences,), where each sentence ends in ``ids``; a sentence is a line of the text.
        vocabulary: Words by falling count, without special entries: id 0 is the most frequent word.
        raw_tokens: Words of the training text before rare ones were left out.
        held_out: int32 (tokens,) of lines that are not in ``ids``, and never more than about 20,000.
        held_out_ends: int64, where each of those sentences ends.
    """

    ids: np.ndarray
    ends: np.ndarray
    vocabulary: Vocabulary
    raw_tokens: int
    held_out: np.ndarray
    held_out_ends: np.ndarray


def encode_corpus(
    lines: Iterable[str],
    keys: Callable[[str], list[str]],
    file: Path,
    *,
    min_count: int = 5,
    max_vocabulary: int | None = None,
    held_out_every: int | None = HELD_OUT_EVERY,
    max_tokens: int | None = None,
) -> EncodedCorpus:
    """Number the words of a text; the vocabulary counts the training lines only.

    Args:
        lines: The text; windows never cross from one line into the next.
        keys: Line to the words that are looked up, for example ``WordTokenizer.keys``.
        file: Where the int32 numbers go; overwritten.
        min_count: Rarer words are left out, as gensim does.
        max_vocabulary: At most this many words, the most frequent ones.
        held_out_every: Every line whose number it divides is held out for the loss, up to 20,000 tokens; None for none.
        max_tokens: Train on this many tokens, the first ones; the lines after them are then what is held out.

    Raises:
        InputError: When no word, or a single one, occurs ``min_count`` times.
    """
    held_out: list[list[str]] = []
    held_tokens = tokens = 0
    # Words are numbered in the order in which they first come.
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    ends = array("q")
    with file.open("wb", _BUFFER_BYTES) as spool:
        for number, line in enumerate(lines):
            words = keys(line)
            if not words:
                continue
            room = None if max_tokens is None else max_tokens - tokens
            after = room is not None and room <= 0
            if after and held_tokens >= HELD_OUT_TOKENS:
                break
            every = max_tokens is None and held_out_every and number % held_out_every == held_out_every - 1
            if after or (every and held_tokens < HELD_OUT_TOKENS):
                held_out.append(words)
                held_tokens += len(words)
            else:
                spool.write(array("i", map(numbers.__getitem__, words[:room])))
                tokens += len(words[:room])
                ends.append(tokens)
    vocabulary, renumbered = _vocabulary(file, list(numbers), tokens, min_count, max_vocabulary)
    new_ends = _renumber_file(file, renumbered, ends)
    known = [vocabulary.encode_known(words) for words in held_out]
    return EncodedCorpus(
        ids=np.memmap(file, np.int32, "r"),
        ends=new_ends,
        vocabulary=vocabulary,
        raw_tokens=tokens,
        held_out=np.concatenate([np.zeros(0, np.int32), *known]).astype(np.int32),
        held_out_ends=np.cumsum([len(ids) for ids in known], dtype=np.int64),
    )


def _vocabulary(
    file: Path, words: list[str], tokens: int, min_count: int, max_vocabulary: int | None
) -> tuple[Vocabulary, np.ndarray]:
    """Return the vocabulary and the table old number -> new one, -1 for words that are left out."""
    counts = np.zeros(len(words), np.int64)
    for low in range(0, tokens, _CHUNK):
        numbers = np.fromfile(file, np.int32, _CHUNK, offset=4 * low)
        counts += np.bincount(numbers, minlength=len(words))
    frequent = np.flatnonzero(counts >= min_count).tolist()
    order = sorted(frequent, key=lambda i: (-counts[i], words[i]))[:max_vocabulary]
    if len(order) < 2:
        raise InputError(
            f"The text leaves a vocabulary of {len(order)} words: there is nothing to tell apart",
            allowed=f"at least 2 different words that occur {min_count} times (min_count)",
            received=f"{tokens:,} words, {len(words):,} different",
            remedy="Give a larger text or lower min_count",
        )
    renumbered = np.full(len(words), -1, np.int32)
    renumbered[order] = np.arange(len(order), dtype=np.int32)
    return Vocabulary([words[i] for i in order], counts[order], specials=()), renumbered


def _renumber_file(file: Path, renumbered: np.ndarray, ends: array[int]) -> np.ndarray:
    """Rewrite the numbers in place, without the words that are left out; return the new ends."""
    old_ends = np.frombuffer(ends, np.int64) if len(ends) else np.zeros(0, np.int64)
    new_ends = np.zeros(len(old_ends), np.int64)
    numbers = np.memmap(file, np.int32, "r+")
    kept = 0
    for low in range(0, len(numbers), _CHUNK):
        new = renumbered[numbers[low : low + _CHUNK]]
        known = new >= 0
        before = kept + np.concatenate(([0], np.cumsum(known)))
        first, last = np.searchsorted(old_ends, (low, low + len(new)), side="right")
        new_ends[first:last] = before[old_ends[first:last] - low]
        new = new[known]
        numbers[kept : kept + len(new)] = new  # kept never overtakes low
        kept += len(new)
    numbers.flush()
    del numbers
    os.truncate(file, kept * np.dtype(np.int32).itemsize)
    return new_ends
