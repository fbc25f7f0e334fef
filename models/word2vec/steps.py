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
                rows = None if block is None else copies.number(block)
                turns[number].acquire()
                copies.exchange(rows)
                turns[(number + 1) % threads].release()
                if rows is not None:
                    sums += copies.train(rows, batch["extents"][block], rate)
            return sums

        with ThreadPoolExecutor(threads) as pool:
            return np.sum(list(pool.map(work, range(threads))), axis=0)


class _Rows(NamedTuple):
    """A block as rows of copies, and the words of these rows; the first ``inputs`` are tokens, the others negatives."""

    tokens: np.ndarray
    negatives: np.ndarray
    words: np.ndarray
    inputs: int


class _Copies:
    """Copies of the rows of one block, for one thread."""

    def __init__(self, recipe: VectorsRecipe, matrices: list[np.ndarray], batch: Batch) -> None:
        self._recipe, self._matrices, self._batch = recipe, matrices, batch
        words, dimensions = matrices[0].shape
        most = batch["tokens"][0].size + batch["negatives"][0].size
        self._numbers = np.full(words, -1, np.int32)
        self._own = np.zeros((len(matrices), most, -(-dimensions // _VECTOR) * _VECTOR), np.float32)
        self._before = np.zeros((len(matrices), most, dimensions), np.float32)
        self._held = [np.zeros(0, np.int32)] * len(matrices)  # words whose rows are copied

    def number(self, block: int) -> _Rows:
        """Give the words of a block rows."""
        drawn = self._batch["tokens"][block], self._batch["negatives"][block]
        tokens, negatives = map(np.empty_like, drawn)
        words, count = np.empty(tokens.size + negatives.size, np.int32), [0]
        for ids, rows in zip(drawn, (tokens, negatives), strict=True):
            count.append(number_rows(ids.ravel(), self._numbers, words, count[-1], rows.ravel()))
        self._numbers[words[: count[-1]]] = -1
        return _Rows(tokens, negatives, words[: count[-1]], count[1])

    def exchange(self, rows: _Rows | None) -> None:
        """Add what has changed in the copies to the matrices, and copy the rows of a block, if there is one."""
        for matrix, *copied in zip(self._matrices, self._held, self._own, self._before, strict=True):
            add_changes(matrix, *copied)
        if rows is not None:
            self._held = [rows.words[: rows.inputs], rows.words][-len(self._matrices) :]
            for matrix, *copied in zip(self._matrices, self._held, self._own, self._before, strict=True):
                take_rows(matrix, *copied)

    def train(self, rows: _Rows, extents: np.ndarray, rate: float) -> tuple[float, float]:
        """Train on the copies; return loss and number of predictions of a sample."""
        recipe = self._recipe
        mean = recipe.combine == "mean"
        how = (recipe.architecture == "cbow", mean, mean and recipe.context_gradient == "exact")
        block = (rows.tokens, extents, rows.negatives, recipe.window)
        return train_block(self._own[0], self._own[-1], *block, *how, np.float32(rate))
