"""Training input of word2vec: blocks of consecutive words with the window of every word and shared negatives.

Instead of (word, context) pairs, the subsampled text is cut into blocks. All pairs of a block are one product of
matrices, masked to the windows, which suits a processor far better than millions of short vectors. What this
changes against word2vec's loop over pairs: pairs that cross the border of a block are lost (about 7 % at length
32; the borders move from epoch to epoch), and the words of a group of blocks share their negatives.

A batch is a mapping of NumPy arrays, with S steps of B blocks of T words, G groups and N negatives:
    tokens     int32 (S, B, T)   word numbers; positions after the end of the text have empty windows
    extents    int32 (S, B, T)   left * (window + 1) + right: how far the window of each word reaches
    negatives  int32 (S, G, N)   block b uses the negatives of group b * G // B

Source of the sampling: Mikolov et al. 2013, "Distributed representations of words and phrases and their
compositionality" (subsampling, negatives from counts ** 0.75), with the formula of the published code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from data_prep.errors import InputError
from data_prep.fields import Checked, Count, Natural, NonNegative
from data_prep.text.word2vec_corpus import EncodedCorpus

Batch = dict[str, np.ndarray]
_SEGMENT = 2_000_000
_NOISE_POWER = 0.75


@dataclass(frozen=True)
class BlockSettings(Checked):
    """How a text becomes batches.

    Args:
        window: Largest distance of a context word.
        shrinking: Whether each word draws its window from 1 to ``window``, as word2vec does.
        sample: Subsampling threshold, a share of the text; 0 keeps every word.
        block_length: Words in a block (T).
        blocks: Blocks in a step (B).
        blocks_per_group: Blocks that share negatives.
        shared_negatives: Negatives in a group (N).
        steps: Steps in a batch (S).
        seed: Of every draw; with the epoch it decides the batches.
    """

    window: Count = 5
    shrinking: bool = True
    sample: NonNegative = 1e-4
    block_length: Count = 32
    blocks: Count = 64
    blocks_per_group: Count = 8
    shared_negatives: Count = 64
    steps: Count = 32
    seed: Natural = 1

    def __post_init__(self) -> None:
        """Check every field, and that blocks fit."""
        super().__post_init__()
        if self.block_length <= self.window:
            raise InputError(
                "A block must be longer than the window",
                allowed=f"more than {self.window}",
                received=self.block_length,
            )
        if self.blocks is not None and self.blocks % self.blocks_per_group:
            raise InputError(
                f"blocks_per_group must divide the {self.blocks} blocks", received=self.blocks_per_group
            )

    @property
    def groups(self) -> int:
        """Groups of blocks that share negatives (G)."""
        return self.blocks // self.blocks_per_group

    @property
    def step_tokens(self) -> int:
        """Words in a step."""
        return self.blocks * self.block_length

    @property
    def batch_tokens(self) -> int:
        """Words in a batch."""
        return self.steps * self.step_tokens


def keep_probabilities(counts: np.ndarray, sample: float) -> np.ndarray:
    """Return min(1, sqrt(t / n) + t / n), t = sample * counts.sum(), as word2vec.c, float32 (words,)."""
    if sample == 0:
        return np.ones(len(counts), np.float32)
    threshold = sample * counts.sum()
    return np.minimum(1.0, np.sqrt(threshold / counts) + threshold / counts).astype(np.float32)


def noise_distribution(counts: np.ndarray) -> np.ndarray:
    """Return the probability of each word as a negative, float64 (words,): counts ** 0.75, normalised."""
    weights = np.asarray(counts, np.float64) ** _NOISE_POWER
    return weights / weights.sum()


class BlockStream:
    """The batches of every epoch; an epoch can be made again without those before it.

    Args:
        corpus: The text.
        settings: How it is cut.
    """

    def __init__(self, corpus: EncodedCorpus, settings: BlockSettings) -> None:
        self.corpus = corpus
        self.settings = settings
        counts = corpus.vocabulary.counts
        self._keep = keep_probabilities(counts, settings.sample)
        self._noise = np.cumsum(noise_distribution(counts))
        self._noise[-1] = 1.0
        kept = float((counts * self._keep.astype(np.float64)).sum())
        self.batches_per_epoch = max(1, round(kept / settings.batch_tokens + 0.5))

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of one epoch (from 0): every kept word once, blocks mixed within 2 million words.

        The words of one article are far more alike than those of the whole text. Mixing keeps a step from
        adding up many gradients of one rare word, on which large steps diverge.
        """
        rng = np.random.default_rng([self.settings.seed, epoch])
        size = self.settings.batch_tokens
        tokens, sentences = np.zeros(0, np.int32), np.zeros(0, np.int64)
        for fresh in self._segments(rng):
            tokens, sentences = map(np.concatenate, zip((tokens, sentences), fresh, strict=True))
            full = len(tokens) // size * size
            yield from self._batches(tokens[:full], self._room(sentences[:full]), rng)
            tokens, sentences = tokens[full:], sentences[full:]
        if len(tokens):
            tokens, sentences = _padded(tokens, sentences, size)
            yield from self._batches(tokens, self._room(sentences), rng)

    def held_out(self) -> Batch | None:
        """Return the fixed held-out sample as one batch of single steps, or None when there is none.

        Nothing is subsampled and the draws have a seed of their own: the same words, windows and negatives
        in every epoch and every run.
        """
        if len(self.corpus.held_out) == 0:
            return None
        rng = np.random.default_rng(0)
        tokens = np.asarray(self.corpus.held_out)
        sentences = _sentence_numbers(self.corpus.held_out_ends, 0, len(tokens))
        tokens, sentences = _padded(tokens, sentences, self.settings.step_tokens)
        return self._pack(tokens, self._room(sentences), rng)

    def _segments(self, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield subsampled words with the number of their sentence, a stretch of the text at a time."""
        total = len(self.corpus.ids)
        start = int(rng.integers(min(self.settings.block_length, total)))  # moves the borders of the blocks
        for low, high in pairwise(dict.fromkeys((0, *range(start, total, _SEGMENT), total))):
            tokens = np.asarray(self.corpus.ids[low:high])
            kept = rng.random(len(tokens), dtype=np.float32) < self._keep[tokens]
            yield tokens[kept], _sentence_numbers(self.corpus.ends, low, high)[kept]

    def _room(self, sentences: np.ndarray) -> np.ndarray:
        """Return how many words of its sentence stand left and right of each word, int8 (tokens, 2), capped."""
        begins = np.flatnonzero(np.diff(sentences, prepend=sentences[:1] - 1))
        lengths = np.diff(begins, append=len(sentences)).astype(np.int32)
        left = np.arange(len(sentences), dtype=np.int32) - np.repeat(begins.astype(np.int32), lengths)
        right = np.repeat(lengths - 1, lengths) - left
        cap = min(self.settings.block_length, np.iinfo(np.int8).max)
        return np.minimum(np.stack((left, right), axis=1), cap).astype(np.int8)

    def _batches(self, tokens: np.ndarray, room: np.ndarray, rng: np.random.Generator) -> Iterator[Batch]:
        length, size = self.settings.block_length, self.settings.batch_tokens // self.settings.block_length
        order = rng.permutation(len(tokens) // length)
        tokens, room = tokens.reshape(-1, length), room.reshape(-1, length, 2)
        for low in range(0, len(order), size):
            chosen = order[low : low + size]
            yield self._pack(tokens[chosen], room[chosen], rng)

    def _pack(self, tokens: np.ndarray, room: np.ndarray, rng: np.random.Generator) -> Batch:
        settings = self.settings
        shape = (-1, settings.blocks, settings.block_length)
        tokens = tokens.reshape(shape)
        return {
            "tokens": tokens,
            "extents": self._extents(room.reshape(-1, settings.block_length, 2), rng).reshape(shape),
            "negatives": self._negatives(len(tokens), rng),
        }

    def _negatives(self, steps: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the negatives of steps, one from each of G * N equal shares of the distribution.

        A step then holds every frequent word as often as it should, not by luck; which group a draw falls to
        is random, so each group still samples the whole distribution.
        """
        draws = self.settings.groups * self.settings.shared_negatives
        places = (np.arange(draws) + rng.random((steps, draws))) / draws
        words = np.searchsorted(self._noise, places).astype(np.int32)
        return rng.permuted(words, axis=1).reshape(steps, self.settings.groups, -1)

    def _extents(self, room: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return how far each window reaches within its sentence and block, (blocks, T) int32."""
        window, length = self.settings.window, self.settings.block_length
        places = np.minimum(np.arange(length), window)
        limits = np.stack((places, places[::-1]), axis=1).astype(np.int16)  # to the borders of the block
        reach: np.ndarray | int = window
        if self.settings.shrinking:
            reach = rng.integers(1, window + 1, room.shape[:2], dtype=np.int16)[..., None]
        sides = np.minimum(np.minimum(room, limits), reach)
        return sides[..., 0].astype(np.int32) * (window + 1) + sides[..., 1]


def _padded(tokens: np.ndarray, sentences: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Fill up with words 0 to a multiple of ``size``, each a sentence of its own: its window is empty."""
    padding = -len(tokens) % size
    return np.pad(tokens, (0, padding)), np.concatenate((sentences, -1 - np.arange(padding)))


def _sentence_numbers(ends: np.ndarray, low: int, high: int) -> np.ndarray:
    """Return the number of the sentence of every word from ``low`` to ``high``, int64."""
    first = int(np.searchsorted(ends, low, side="right"))
    last = int(np.searchsorted(ends, high, side="left"))
    borders = np.clip(np.concatenate(([low], ends[first : last + 1])), low, high)
    return np.repeat(np.arange(first, first + len(borders) - 1), np.diff(borders))
