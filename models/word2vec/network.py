"""word2vec as a Keras model: skip-gram and CBOW, three losses, separate or tied vectors.

Mikolov et al. 2013, "Efficient estimation of word representations in vector space" and "Distributed
representations of words and phrases and their compositionality". The lecture's model is CBOW with the sum of the
context, one matrix V for both layers (``tied``) and full softmax.

The loss of a batch is the sum over its (context word, word) pairs, so that the learning rate means what it means in
word2vec. Every loss here is written once, in ``keras.ops``, and differentiated automatically on any backend. For
negative sampling with plain SGD ``fit`` runs compiled loops instead (``models.word2vec.steps``), one step a word.

Measured on two cores, 17 M words, 100 dimensions: see ``benchmarks/results/word2vec_vs_gensim.json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from models.presets.kinds import Arrays
from models.storage.variables import copy_values
from models.word2vec.config import VectorsRecipe
from models.word2vec.huffman import huffman_codes
from models.word2vec.serving import WordVectorsConfig

if TYPE_CHECKING:
    from models.word2vec.blocks import Batch

_SCORED_BLOCKS = 16  # at once: what is held out


class Word2Vec(keras.Model):
    """The network; ``fit`` takes batches of :class:`models.word2vec.blocks.BlockStream`.

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
        self.codes = None
        rows = len(counts)
        if config.loss == "hierarchical_softmax":
            self.codes = huffman_codes(self.counts)
            rows -= 1
        self.output_vectors = (
            self.input_vectors
            if config.tied
            else self.add_weight(name="output_vectors", shape=(rows, config.dimensions), initializer="zeros")
        )
        self._now: tuple[np.ndarray, ...] = ()  # the matrices that the compiled loops change
        self.pair_loss = keras.metrics.Mean(name="pair_loss")
        self.built = True

    def compile(self, optimizer: Any = None, **options: Any) -> None:
        """Compile; the optimizer is plain SGD at 0.025 unless one is given.

        ``compiled_steps=False`` forces automatic differentiation where the compiled loops could serve.
        """
        wanted = options.pop("compiled_steps", True)
        optimizer = keras.optimizers.get(optimizer or keras.optimizers.SGD(0.025))
        super().compile(optimizer=optimizer, jit_compile=False, **options)
        plain = type(optimizer) is keras.optimizers.SGD and optimizer.momentum == 0
        self._compiled_steps = wanted and plain and self.config.loss == "negative_sampling"

    def fit(self, x: Any = None, **options: Any) -> keras.callbacks.History:
        """Train on a data set of batches; compiled loops read epochs and callbacks of the options.

        Several processes share the step of Keras: loops that change the matrices word by word cannot be added up.
        """
        if not self._compiled_steps or keras.distribution.distribution() is not None:
            return super().fit(x, **options)
        from models.word2vec.steps import CompiledSteps

        arrays = self._now = tuple(copy_values(self.trainable_weights))
        steps = CompiledSteps(self.config, arrays[0], arrays[-1])
        first, epochs = options.get("initial_epoch", 0), options.get("epochs", 1)
        counts = {"epochs": epochs, "steps": None}
        watching = keras.callbacks.CallbackList(
            options.get("callbacks"), add_history=True, model=self, **counts
        )
        self.stop_training = False
        watching.on_train_begin()
        for epoch in range(first, epochs):
            watching.on_epoch_begin(epoch)
            sums, logs = np.zeros(2), {}
            for number, batch in enumerate(x.as_numpy_iterator()):
                watching.on_train_batch_begin(number)
                sums += steps(batch, float(self.optimizer.learning_rate))
                self.optimizer.iterations.assign_add(1)
                logs = {"loss": sums[0] / (number + 1), "pair_loss": sums[0] / max(sums[1], 1.0)}
                watching.on_train_batch_end(number, logs)
                if self.stop_training:
                    break
            for weight, array in zip(self.trainable_weights, arrays, strict=True):
                weight.assign(array)
            watching.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        self._now = ()
        watching.on_train_end()
        return self.history

    def matrices(self) -> tuple[np.ndarray, np.ndarray]:
        """Return input and output vectors as they are now, also between two steps; they must not be changed."""
        now = self._now or copy_values(self.trainable_weights)
        return now[0], now[-1]

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Return loss and number of predictions of every block of a batch, float32 (blocks, 2)."""
        mask = self._window_mask(inputs["extents"])
        queries = ops.take(self.input_vectors, inputs["tokens"], axis=0)  # (blocks, T, dimensions)
        weights = counts = mask
        if self.config.architecture == "cbow":
            pairs = ops.sum(mask, axis=-1)  # (blocks, T)
            queries = ops.matmul(mask, queries)
            if self.config.combine == "mean":
                queries = queries / ops.maximum(pairs, 1.0)[..., None]
            weights = counts = ops.minimum(pairs, 1.0)  # a word without context predicts nothing
        axes = tuple(range(1, len(weights.shape)))
        loss = ops.sum(weights * self._of_predictions(inputs, queries), axis=axes)
        return ops.stack([loss, ops.sum(counts, axis=axes)], axis=-1)

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
        for low in range(0, len(batch["tokens"]), _SCORED_BLOCKS):
            part = {name: array[low : low + _SCORED_BLOCKS] for name, array in batch.items()}
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

    def _of_predictions(self, inputs: dict[str, Any], queries: Any) -> Any:
        """Return the loss of every prediction of each word.

        Skip-gram's queries are those of all words of a block, losses (blocks, T, T) with the query's place last;
        CBOW's stand at the place of the word that they predict, losses (blocks, T).
        """
        pairwise = self.config.architecture == "skipgram"
        if self.config.loss == "full_softmax":
            targets = ops.take(self.output_vectors, inputs["tokens"], axis=0)
            scores = ops.einsum("bjd,bid->bij" if pairwise else "bid,bid->bi", queries, targets)
            every = ops.logsumexp(ops.matmul(queries, ops.transpose(self.output_vectors)), axis=-1)
            return (every[:, None] if pairwise else every) - scores
        rows, signs = self._targets(inputs)  # (blocks, T, L)
        targets = ops.take(self.output_vectors, rows, axis=0)
        scores = ops.einsum("bjd,bild->bijl" if pairwise else "bid,bild->bil", queries, targets)
        signs = signs[:, :, None] if pairwise else signs
        return ops.sum(ops.softplus(-scores * signs) * ops.abs(signs), axis=-1)

    def _targets(self, inputs: dict[str, Any]) -> tuple[Any, Any]:
        """Return the rows that each word is predicted by, and 1 or -1 for what they are to say, 0 for nothing."""
        tokens = inputs["tokens"]
        if self.codes is not None:
            return tuple(ops.take(ops.convert_to_tensor(table), tokens, axis=0) for table in self.codes)
        negatives = inputs["negatives"]
        negatives = ops.tile(negatives, (1, tokens.shape[1] // negatives.shape[1], 1))
        rows = ops.concatenate([tokens[..., None], negatives], axis=-1)
        return rows, ops.where(ops.arange(rows.shape[-1]) == 0, 1.0, -1.0) * ops.ones_like(rows, "float32")


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
