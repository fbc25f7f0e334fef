"""word2vec's training by compiled loops: what ``Word2Vec.fit`` runs for negative sampling with plain SGD.

A thread copies the rows of a block of words, trains on the copies, one step a word, and adds what has changed to the
matrices. The copies fit a core's cache. Threads copy and add in turn: a block sees all blocks but the ``threads - 1``
that run beside it, whichever thread is faster, so that the same seed and number of threads give the same bits. The
gradient is that of ``Word2Vec.call`` (test_word2vec compares both).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import NamedTuple

import numpy as np

from models.word2vec.blocks import Batch
from models.word2vec.config import VectorsRecipe
from models.word2vec.kernels import add_changes, number_rows, take_rows, train_block

_VECTOR = 8  # numbers that a processor multiplies at once: rows of copies are multiples of it


class CompiledSteps:
    """Takes the steps of batches.

    Args:
        recipe: The settled recipe.
        inputs: float32 (words, dimensions), changed in place.
        outputs: The same; the same array if they are tied.
    """

    def __init__(self, recipe: VectorsRecipe, inputs: np.ndarray, outputs: np.ndarray) -> None:
        self._recipe, self._matrices = recipe, [inputs] if recipe.tied else [inputs, outputs]

    def __call__(self, batch: Batch, rate: float) -> np.ndarray:
        """Train on a batch at a learning rate; return loss and number of predictions of a sample of it."""
        blocks = len(batch["tokens"])
        threads = min(self._recipe.threads, blocks)
        turns = [Semaphore(int(number == 0)) for number in range(threads)]

        def work(number: int) -> np.ndarray:
            copies, sums = _Copies(self._recipe, self._matrices, batch), np.zeros(2)
            for block in (*range(number, blocks, threads), None):
                numbered = None if block is None else copies.number(block)
                turns[number].acquire()
                copies.exchange(numbered)
                turns[(number + 1) % threads].release()
                if numbered is not None:
                    sums += copies.train(numbered, batch["extents"][block], rate)
            return sums

        with ThreadPoolExecutor(threads) as pool:
            return np.sum(list(pool.map(work, range(threads))), axis=0)


class _Numbered(NamedTuple):
    """A block whose words are rows of copies: of the words whose rows they are the first ``inputs`` are its tokens."""

    words: np.ndarray
    inputs: int
    tokens: np.ndarray
    negatives: np.ndarray


class _Copies:
    """Copies of the rows of one block, for one thread."""

    def __init__(self, recipe: VectorsRecipe, matrices: list[np.ndarray], batch: Batch) -> None:
        self._recipe, self._matrices, self._batch = recipe, matrices, batch
        words, dimensions = matrices[0].shape
        most = batch["tokens"][0].size + batch["negatives"][0].size
        self._rows = np.full(words, -1, np.int32)
        self._own = [np.zeros((most, -(-dimensions // _VECTOR) * _VECTOR), np.float32) for _ in matrices]
        self._before = [np.zeros((most, dimensions), np.float32) for _ in matrices]
        self._held = [np.zeros(0, np.int32) for _ in matrices]  # words whose rows these are

    def number(self, block: int) -> _Numbered:
        """Give the words of a block rows."""
        tokens, negatives = (self._batch[name][block] for name in ("tokens", "negatives"))
        words = np.empty(tokens.size + negatives.size, np.int32)
        found = np.empty_like(tokens), np.empty_like(negatives)
        inputs = number_rows(tokens, self._rows, words, 0, found[0])
        every = number_rows(negatives.reshape(-1), self._rows, words, inputs, found[1].reshape(-1))
        self._rows[words[:every]] = -1
        return _Numbered(words[:every], inputs, *found)

    def exchange(self, numbered: _Numbered | None) -> None:
        """Add what has changed in the copies to the matrices, and copy the rows of a block, if there is one."""
        arrays = list(zip(self._matrices, self._own, self._before, strict=True))
        for (matrix, own, before), words in zip(arrays, self._held, strict=True):
            add_changes(matrix, words, own, before)
        if numbered is not None:
            every = numbered.words
            self._held = [every[: numbered.inputs], every][-len(arrays) :]
            for (matrix, own, before), words in zip(arrays, self._held, strict=True):
                take_rows(matrix, words, own, before)

    def train(self, numbered: _Numbered, extents: np.ndarray, rate: float) -> tuple[float, float]:
        """Train on the copies."""
        recipe = self._recipe
        cbow, mean = recipe.architecture == "cbow", recipe.combine == "mean"
        how = (cbow, mean, mean and recipe.context_gradient == "exact")
        return train_block(
            self._own[0],
            self._own[-1],
            numbered.tokens,
            extents,
            numbered.negatives,
            recipe.window,
            *how,
            np.float32(rate),
        )
