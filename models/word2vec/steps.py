"""word2vec's training step by hand, on TensorFlow: the fast path of ``Word2Vec.fit`` for negative sampling.

Why TensorFlow and not ``keras.ops``: a step reads and updates a few thousand rows of two large matrices in place,
which needs gather and scatter on the variables; all steps of a batch are one loop in one graph. The gradient is
that of ``Word2Vec.call`` (test_word2vec compares both).

A step is computed in two halves, which read the same vectors and run side by side on two cores; then the rows of
the input and of the output matrix are updated side by side. The order of the additions is fixed, so that the
same seed gives the same bits.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from models.word2vec.config import VectorsRecipe
from models.word2vec.damping import row_damping


class Half(NamedTuple):
    """Half of a step: tokens (b * T,), row of the mask table of each, pairs of each, negatives (g * N,)."""

    tokens: tf.Tensor
    mask_rows: tf.Tensor
    pairs: tf.Tensor
    negatives: tf.Tensor


class Gathered(NamedTuple):
    """What a half reads: vectors of its words (b * T, D) twice, of its negatives (g * N, D), mask and pairs.

    ``mask``, float32 (b, T, T), is 1 where the column is in the window of the row, for skip-gram the learning rate;
    ``pairs``, float32 (b * T,), is the sum of each row of it.
    """

    inputs: tf.Tensor
    outputs: tf.Tensor
    negatives: tf.Tensor
    mask: tf.Tensor
    pairs: tf.Tensor


class Steps(NamedTuple):
    """What is added to the rows of a half, minus rate times gradient: float32 (b * T, D) twice, (g * N, D)."""

    inputs: tf.Tensor
    outputs: tf.Tensor
    negatives: tf.Tensor


def use_processor(threads: int) -> None:
    """Let TensorFlow run this number of operations side by side, one core each, unless it runs already."""
    os.environ.setdefault("TF_SET_ONEDNN_FPMATH_MODE", "BF16")
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


class Shape(NamedTuple):
    """Sizes of a half: blocks, words in a block, groups, negatives in a group, dimensions."""

    blocks: int
    length: int
    groups: int
    shared: int
    dimensions: int


class HandWrittenStep:
    """``train_step`` of a compiled ``models.word2vec.network.Word2Vec``."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.config = model.config
        self._steps = skipgram_steps if model.config.architecture == "skipgram" else cbow_steps

    def __call__(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Take all steps of a batch at the learning rate of the optimizer's schedule; return the metrics.

        The loss is that of the first group of blocks before the steps: a sample that costs next to nothing.
        """
        steps, blocks, length = batch["tokens"].shape
        groups, shared = batch["negatives"].shape[1:]
        halves = 2 if blocks % 2 == 0 and groups % 2 == 0 else 1
        shape = Shape(blocks // halves, length, groups // halves, shared, self.config.dimensions)
        masks, pair_counts = window_tables(length, self.config.window)
        rate = tf.cast(self.model.optimizer.learning_rate, tf.float32)
        if self.config.architecture == "skipgram":
            # The gradient is linear in both, and scaling these is cheaper than scaling the rows.
            masks, pair_counts = masks * rate, pair_counts * rate
        damping = [
            tf.constant(factors) if (factors < 1).any() else None
            for factors in row_damping(self.model.counts, blocks * length, self.config)
        ]
        places = np.tile(np.arange(length) * (self.config.window + 1) ** 2, blocks).astype(np.int32)
        sample = {
            "tokens": batch["tokens"][:1, : blocks // groups],
            "extents": batch["extents"][:1, : blocks // groups],
            "negatives": batch["negatives"][:1, :1],
        }
        loss = self.model.compute_loss(y_pred=self.model(sample))

        def step(number: tf.Tensor) -> tuple[tf.Tensor]:
            extents = tf.reshape(batch["extents"][number], [-1])
            columns = (
                tf.reshape(batch["tokens"][number], [-1]),
                extents + places,
                tf.gather(pair_counts, extents),
                tf.reshape(batch["negatives"][number], [-1]),
            )
            parts = [
                Half(*part) for part in zip(*(tf.split(column, halves) for column in columns), strict=True)
            ]
            self._update(parts, [self._half_steps(part, shape, masks, rate) for part in parts], damping)
            return (number + 1,)

        with tf.control_dependencies([loss]):
            tf.while_loop(lambda number: number < steps, step, (tf.constant(0),), parallel_iterations=1)
        self.model.optimizer.iterations.assign_add(1)
        self.model._loss_tracker.update_state(loss)
        return {metric.name: metric.result() for metric in self.model.metrics}

    def _half_steps(self, half: Half, shape: Shape, masks: tf.Tensor, rate: tf.Tensor) -> Steps:
        inputs, outputs = self.model.input_vectors.value, self.model.output_vectors.value
        mask = tf.reshape(tf.gather(masks, half.mask_rows), [shape.blocks, shape.length, shape.length])
        gathered = Gathered(
            inputs=tf.gather(inputs, half.tokens),
            outputs=tf.gather(outputs, half.tokens),
            negatives=tf.gather(outputs, half.negatives),
            mask=mask,
            pairs=half.pairs,
        )
        return self._steps(self.config, shape, gathered, rate)

    def _update(self, parts: list[Half], steps: list[Steps], damping: list[tf.Tensor | None]) -> None:
        """Add the steps to the rows: all vectors are read before the first is written."""
        inputs, outputs = self.model.input_vectors.value, self.model.output_vectors.value
        by_matrix: list[list[tuple[tf.Tensor, tf.Tensor]]] = [[], []]
        for half, step in zip(parts, steps, strict=True):
            by_matrix[0].append((half.tokens, _damped(step.inputs, half.tokens, damping[0])))
            for rows, array in ((half.tokens, step.outputs), (half.negatives, step.negatives)):
                by_matrix[1].append((rows, _damped(array, rows, damping[1])))
        if self.config.tied:
            by_matrix = [by_matrix[0] + by_matrix[1]]
        with tf.control_dependencies([array for additions in by_matrix for _, array in additions]):
            for variable, additions in zip((inputs, outputs), by_matrix, strict=False):
                _add_rows(variable, additions)


def skipgram_steps(config: VectorsRecipe, shape: Shape, gathered: Gathered, rate: tf.Tensor) -> Steps:
    """Return the steps of skip-gram with negative sampling; the rate is in mask and pairs already."""
    by_block = [shape.blocks, shape.length, shape.dimensions]
    inputs, outputs = tf.reshape(gathered.inputs, by_block), tf.reshape(gathered.outputs, by_block)
    pull = tf.sigmoid(-tf.matmul(inputs, outputs, transpose_b=True)) * gathered.mask  # (b, T, T)
    from_negatives, to_negatives = _negative_gradient(
        config, shape, gathered.inputs, gathered.negatives, gathered.pairs
    )
    return Steps(
        inputs=tf.reshape(tf.matmul(pull, outputs), [-1, shape.dimensions]) + from_negatives,
        outputs=tf.reshape(tf.matmul(pull, inputs, transpose_a=True), [-1, shape.dimensions]),
        negatives=to_negatives,
    )


def cbow_steps(config: VectorsRecipe, shape: Shape, gathered: Gathered, rate: tf.Tensor) -> Steps:
    """Return the steps of CBOW with negative sampling."""
    by_block = [shape.blocks, shape.length, shape.dimensions]
    share = 1.0 / tf.maximum(gathered.pairs, 1.0)[:, None]
    queries = tf.matmul(gathered.mask, tf.reshape(gathered.inputs, by_block))
    queries = tf.reshape(queries, [-1, shape.dimensions])  # (b * T, D)
    if config.combine == "mean":
        queries *= share
    weights = tf.minimum(gathered.pairs, 1.0) * rate  # a word without context predicts nothing
    scores = tf.reduce_sum(queries * gathered.outputs, axis=1)
    pull = (tf.sigmoid(-scores) * weights)[:, None]
    from_negatives, to_negatives = _negative_gradient(config, shape, queries, gathered.negatives, weights)
    to_queries = pull * gathered.outputs + from_negatives
    if config.combine == "mean" and config.context_gradient == "exact":
        to_queries *= share
    to_inputs = tf.matmul(gathered.mask, tf.reshape(to_queries, by_block), transpose_a=True)
    return Steps(tf.reshape(to_inputs, [-1, shape.dimensions]), pull * queries, to_negatives)


def _negative_gradient(
    config: VectorsRecipe, shape: Shape, queries: tf.Tensor, negatives: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return what the shared negatives give to the queries (b * T, D) and get themselves (g * N, D)."""
    grouped = tf.reshape(queries, [shape.groups, -1, shape.dimensions])
    keys = tf.reshape(negatives, [shape.groups, shape.shared, shape.dimensions])
    weights = tf.reshape(weights * (-config.negatives / shape.shared), [shape.groups, -1, 1])
    push = tf.sigmoid(tf.matmul(grouped, keys, transpose_b=True)) * weights  # (g, b / g * T, N)
    to_queries = tf.reshape(tf.matmul(push, keys), [-1, shape.dimensions])
    return to_queries, tf.reshape(tf.matmul(push, grouped, transpose_a=True), [-1, shape.dimensions])


def _damped(array: tf.Tensor, rows: tf.Tensor, factors: tf.Tensor | None) -> tf.Tensor:
    return array if factors is None else array * tf.gather(factors, rows)[:, None]


def _add_rows(variable: tf.Variable, additions: list[tuple[tf.Tensor, tf.Tensor]]) -> None:
    """Add to rows of a variable in place, repeated rows as often as they come, one after the other."""
    after: list[tf.Operation] = []
    for rows, array in additions:
        with tf.control_dependencies(after):
            after = [
                tf.raw_ops.ResourceScatterNdAdd(ref=variable.handle, indices=rows[:, None], updates=array)
            ]


def window_tables(length: int, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all masks (T * (window + 1)**2, T) by place and extent, and the words in the window of each extent."""
    reach = np.arange(window + 1)
    distance = np.arange(length)[None, :] - np.arange(length)[:, None]
    distance = distance[:, None, None, :]  # (place, left, right, other place)
    inside = (distance >= -reach[:, None, None]) & (distance <= reach[None, :, None]) & (distance != 0)
    return (
        inside.reshape(-1, length).astype(np.float32),
        (reach[:, None] + reach[None, :]).reshape(-1).astype(np.float32),
    )
