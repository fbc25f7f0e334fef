"""word2vec as a Keras model: skip-gram and CBOW, three losses, separate or tied vectors.

Mikolov et al. 2013, "Efficient estimation of word representations in vector space" and "Distributed
representations of words and phrases and their compositionality". The lecture's model is CBOW with the sum of the
context, one matrix V for both layers (``tied``) and full softmax.

The loss of a batch is the sum over its (word, context) pairs, so that the learning rate means what it means in
word2vec. Every loss here is written once, in ``keras.ops``, and differentiated automatically on any backend. For
negative sampling with plain SGD on TensorFlow, ``fit`` takes the same step by hand (``models.word2vec.steps``): it
touches only the rows that a batch uses, and 32 steps are one call.

Measured on two cores, 17 M words, 100 dimensions: see ``benchmarks/results/word2vec_vs_gensim.json``.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from data_prep.text.word2vec_blocks import Batch
from models.presets.kinds import Arrays
from models.word2vec.config import VectorsRecipe
from models.word2vec.huffman import huffman_codes
from models.word2vec.serving import WordVectorsConfig


class Word2Vec(keras.Model):
    """The network; ``fit`` takes batches of :class:`data_prep.text.word2vec_blocks.BlockStream`.

    Args:
        config: The settled recipe.
        counts: int64 (words,), how often each word occurs, ids from 0 by falling count.
    """

    def __init__(self, config: VectorsRecipe, counts: np.ndarray) -> None:
        super().__init__(name="word2vec")
        self.config = config
        self.counts = np.asarray(counts, np.int64)
        shape = (len(counts), config.dimensions)
        span = 0.5 / config.dimensions
        initial = keras.initializers.RandomUniform(-span, span, seed=config.seed)
        self.input_vectors = self.add_weight(name="input_vectors", shape=shape, initializer=initial)
        self._codes = None
        rows = len(counts)
        if config.loss == "hierarchical_softmax":
            self._codes = huffman_codes(self.counts)
            rows -= 1
        self.output_vectors = (
            self.input_vectors
            if config.tied
            else self.add_weight(name="output_vectors", shape=(rows, config.dimensions), initializer="zeros")
        )
        self.pair_loss = keras.metrics.Mean(name="pair_loss")
        self.built = True

    def compile(self, optimizer: Any = None, **options: Any) -> None:
        """Compile; the optimizer is plain SGD at 0.025 unless one is given.

        ``hand_written=False`` forces automatic differentiation where the hand-written step could serve.
        """
        hand_written = options.pop("hand_written", True)
        optimizer = keras.optimizers.get(optimizer or keras.optimizers.SGD(0.025))
        super().compile(optimizer=optimizer, jit_compile=False, **options)
        plain = type(optimizer) is keras.optimizers.SGD and optimizer.momentum == 0
        serves = plain and self.config.loss == "negative_sampling" and keras.backend.backend() == "tensorflow"
        self._hand_written = None
        if hand_written and serves:
            from models.word2vec.steps import HandWrittenStep

            self._hand_written = HandWrittenStep(self)

    def train_step(self, *arguments: Any) -> Any:
        """Take the steps of a batch: by hand where that serves, else one step of the optimizer."""
        if self._hand_written is not None:
            return self._hand_written(*arguments)
        return super().train_step(*arguments)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Return loss and number of predictions of every block of a batch, float32 (blocks, 2)."""
        tokens = ops.reshape(inputs["tokens"], (-1, inputs["tokens"].shape[-1]))
        mask = self._window_mask(ops.reshape(inputs["extents"], ops.shape(tokens)))
        vectors = ops.take(self.input_vectors, tokens, axis=0)  # (blocks, T, dimensions)
        pairs = ops.sum(mask, axis=-1)  # (blocks, T)
        queries, weights, counts = vectors, mask, pairs
        if self.config.architecture == "cbow":
            queries = ops.matmul(mask, vectors)
            if self.config.combine == "mean":
                queries = queries / ops.maximum(pairs, 1.0)[..., None]
            weights = counts = ops.minimum(pairs, 1.0)  # a word without context predicts nothing
        loss = self._block_losses(tokens, queries, weights)
        if self.config.loss == "negative_sampling":
            loss = loss + self._negative_loss(queries, counts, inputs["negatives"])
        return ops.stack([loss, ops.sum(counts, axis=-1)], axis=-1)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the sum of the loss over all predictions of a batch; keeps their mean as ``pair_loss``."""
        total, predictions = ops.sum(y_pred[:, 0]), ops.sum(y_pred[:, 1])
        self.pair_loss.update_state(total / ops.maximum(predictions, 1.0))
        return total

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The loss of a batch as a sum, and its mean over predictions."""
        return (
            [self._loss_tracker, self.pair_loss] if getattr(self, "_loss_tracker", None) else [self.pair_loss]
        )

    def mean_loss(self, batch: Batch) -> float:
        """Return the mean loss over the predictions of a batch, in nats, without training."""
        sums = np.zeros(2)
        for step in range(len(batch["tokens"])):
            part = {name: array[step : step + 1] for name, array in batch.items()}
            sums += np.asarray(self.predict_on_batch(part), np.float64).sum(axis=0)
        return float(sums[0] / max(sums[1], 1.0))

    def _window_mask(self, extents: Any) -> Any:
        """Return which words are in the window of which, float32 (blocks, T, T)."""
        width = self.config.window + 1
        left, right = (extents // width)[..., None], (extents % width)[..., None]
        places = ops.arange(extents.shape[-1], dtype="int32")
        distance = places[None, :] - places[:, None]
        inside = (distance >= -left) & (distance <= right) & (distance != 0)
        return ops.cast(inside, "float32")

    def _block_losses(self, tokens: Any, queries: Any, weights: Any) -> Any:
        """Return the loss of every block, (blocks,), without negatives.

        Skip-gram's queries (blocks, T, D) predict all words of the window, weights (blocks, T, T); CBOW's predict the
        word at their place, weights (blocks, T).
        """
        pairwise = self.config.architecture == "skipgram"
        if self.config.loss == "hierarchical_softmax":
            nodes, signs = self._paths(tokens)  # (blocks, T, L, D), (blocks, T, L)
            scores = ops.einsum("bid,bjld->bijl" if pairwise else "bid,bild->bil", queries, nodes)
            signs = signs[:, None] if pairwise else signs
            losses = ops.sum(ops.softplus(-scores * signs) * ops.abs(signs), axis=-1)
        else:
            outputs = ops.take(self.output_vectors, tokens, axis=0)
            if pairwise:
                scores = ops.matmul(queries, ops.swapaxes(outputs, 1, 2))  # (blocks, T, T)
            else:
                scores = ops.sum(queries * outputs, axis=-1)  # (blocks, T)
            if self.config.loss == "full_softmax":
                every = ops.matmul(queries, ops.transpose(self.output_vectors))
                losses = ops.logsumexp(every, axis=-1, keepdims=pairwise) - scores
            else:
                losses = ops.softplus(-scores)
        return ops.sum(weights * losses, axis=(1, 2) if pairwise else 1)

    def _negative_loss(self, queries: Any, weights: Any, negatives: Any) -> Any:
        """Return the loss of the shared negatives of every block, (blocks,)."""
        shared = negatives.shape[-1]
        negatives = ops.reshape(negatives, (-1, shared))  # (groups of the batch, N)
        keys = ops.take(self.output_vectors, negatives, axis=0)
        blocks, groups = queries.shape[0], negatives.shape[0]
        if blocks is None or groups is None:
            blocks, groups = ops.shape(queries)[0], ops.shape(negatives)[0]
        length, dimensions = queries.shape[1], self.config.dimensions
        grouped = ops.reshape(queries, (groups, -1, dimensions))
        scores = ops.matmul(grouped, ops.swapaxes(keys, 1, 2))  # (groups, blocks / groups * T, N)
        losses = ops.reshape(ops.sum(ops.softplus(scores), axis=-1), (blocks, length))
        return ops.sum(weights * losses, axis=1) * (self.config.negatives / shared)

    def _paths(self, tokens: Any) -> tuple[Any, Any]:
        nodes = ops.take(ops.convert_to_tensor(self._codes.nodes), tokens, axis=0)
        signs = ops.take(ops.convert_to_tensor(self._codes.signs), tokens, axis=0)
        return ops.take(self.output_vectors, nodes, axis=0), signs


def linear_decay(
    rate: float, minimum: float, batches: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return word2vec's schedule: from ``rate`` to ``minimum`` in a straight line over all batches."""
    return keras.optimizers.schedules.PolynomialDecay(rate, max(1, batches), end_learning_rate=minimum)


def vectors_model(config: WordVectorsConfig, arrays: Arrays) -> keras.Model:
    """Build the network of a preset of word vectors: ``rows`` int32 (batch, n) to float32 (batch, n, dimensions)."""
    rows = keras.Input((None,), dtype="int32", name="rows")
    table = keras.layers.Embedding(config.vocabulary_size, config.dimensions, name="vectors")
    model = keras.Model(rows, table(rows), name="word_vectors")
    table.embeddings.assign(arrays["vectors"])
    return model
