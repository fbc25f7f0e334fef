"""Training input of word2vec: blocks of consecutive words with the window of every word and its negatives.

A batch is a mapping of NumPy arrays, with B blocks of T words, and R sets of N negatives a block:
    tokens     int32 (B, T)      word numbers; positions after the end of the text have empty windows
    extents    int32 (B, T)      left * (window + 1) + right: how far the window of each word reaches
    negatives  int32 (B, R, N)   the word at place t has set t % R

Pairs that cross the border of a block are lost; the borders move from epoch to epoch. Every block of a batch is from
another place of the text, so that threads do not meet at the rare words of one article.

Source of the sampling: Mikolov et al. 2013, "Distributed representations of words and phrases and their
compositionality" (subsampling, negatives from counts ** 0.75), with the formula of the published code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from data_prep.text.word2vec_corpus import EncodedCorpus
from models.word2vec.config import VectorsRecipe
from models.word2vec.kernels import fill_blocks

Batch = dict[str, np.ndarray]
_NOISE_POWER = 0.75
_GUIDES = 1 << 16  # equal shares of the noise whose first word is looked up
_HELD_OUT_LENGTH = 64


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
        recipe: How it is cut, settled.
    """

    def __init__(self, corpus: EncodedCorpus, recipe: VectorsRecipe) -> None:
        self.corpus, self.recipe = corpus, recipe
        counts = corpus.vocabulary.counts
        self._keep = keep_probabilities(counts, recipe.sample)
        self._noise = np.cumsum(noise_distribution(counts))
        self._noise[-1] = 1.0
        self._guide = np.searchsorted(self._noise, np.arange(_GUIDES) / _GUIDES).astype(np.int32)
        kept = float((counts * self._keep.astype(np.float64)).sum())
        self.batches_per_epoch = max(1, round(kept / recipe.batch_tokens + 0.5))

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of one epoch (from 0): every kept word once."""
        rng = np.random.default_rng([self.recipe.seed, epoch])
        return self._batches((self.corpus.ids, self.corpus.ends), self._keep, self.recipe, rng)

    def held_out(self) -> Batch | None:
        """Return the fixed held-out sample as one batch, or None when there is none.

        Nothing is subsampled and the draws have a seed of their own: the same words, windows and negatives
        in every epoch and every run.
        """
        ids, ends = self.corpus.held_out, self.corpus.held_out_ends
        if len(ids) == 0:
            return None
        length = max(_HELD_OUT_LENGTH, self.recipe.window + 1)
        lengths = {"block_length": length, "negative_sets": length, "blocks": -(-len(ids) // length)}
        keep, rng = np.ones(len(self._keep), np.float32), np.random.default_rng(0)
        return next(self._batches((ids, ends), keep, replace(self.recipe, **lengths), rng))

    def _batches(
        self, text: Sequence[np.ndarray], keep: np.ndarray, recipe: VectorsRecipe, rng: np.random.Generator
    ) -> Iterator[Batch]:
        ids, ends = text[0].view(np.ndarray), text[1]
        ids.setflags(write=False)  # as a mapped file is: one compiled function for both
        blocks, length = recipe.blocks, recipe.block_length
        shares = np.arange(blocks + 1) * len(ids) // blocks
        places = (shares[:-1] + rng.integers(len(ids))) % len(ids)
        cursors = np.stack((places, np.searchsorted(ends, places, side="right"), np.diff(shares)), axis=1)
        state = rng.integers(2**64, size=1, dtype=np.uint64)
        tables = (keep, self._noise, self._guide, recipe.window, recipe.shrinking)
        shapes = {"tokens": (length,), "extents": (length,)}
        shapes["negatives"] = (recipe.negative_sets, recipe.negatives)
        while cursors[:, 2].any():
            batch = {name: np.empty((blocks, *shape), np.int32) for name, shape in shapes.items()}
            fill_blocks(ids, ends, *tables, cursors, state, *batch.values())
            yield batch
