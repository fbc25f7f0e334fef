"""Networks that read a document and name its label: many to one.

What the lecture shows: a recurrent network reads a document up to the token that ends it, and the label is predicted
from the state there; the rows of W in softmax(W z) are vectors of the labels. Beside it an average of vectors (Iyyer et
al. 2015, "Deep unordered composition rivals syntactic methods"), that of word sequences (Joulin et al. 2017, "Bag of
tricks for efficient text classification"), convolutions over time (Kim 2014) and attention over the states of a BiLSTM
(after Yang et al. 2016, with the states themselves as keys). All end in logits; padding is never read.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from data_prep.errors import InputError
from data_prep.text.text_inputs import EOS
from models.layers.cells import CELLS
from models.layers.fast_lstm import Products
from models.layers.recurrent import bidirectional, recurrent_layer
from models.layers.sequences import MaxOverTime, UnknownTokens
from models.storage.variables import copy_values, variable_arrays
from models.text_classifier.config import TextClassifierConfig, recurrent_name
from models.training.losses import masked_crossentropy


class WeighedEmbedding(keras.layers.Embedding):
    """Vectors, each multiplied by a number of its own: in training, those with a larger one move faster.

    Args:
        weights_of_rows: Float32 (rows,), not trained.
        **kwargs: As for ``keras.layers.Embedding``.
    """

    def __init__(self, *args: Any, weights_of_rows: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.weights_of_rows = np.asarray(weights_of_rows, np.float32)

    def call(self, ids: Any) -> Any:
        """Map int (batch, time) to float (batch, time, dimensions)."""
        return super().call(ids) * ops.take(self.weights_of_rows, ids)[..., None]

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        return {**super().get_config(), "weights_of_rows": self.weights_of_rows.tolist()}


class MeanVector(keras.layers.Layer):
    """Divide the sum of the vectors of a document by their number, or by its square root.

    Args:
        pooling: ``"mean"`` or ``"root"``.
        **kwargs: As for every layer.
    """

    def __init__(self, pooling: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pooling = pooling

    def call(self, vectors: Any, mask_of_words: Any) -> Any:
        """Map float (batch, time, dimensions) and bool (batch, time) to (batch, dimensions)."""
        real = ops.cast(mask_of_words, vectors.dtype)[..., None]
        count = ops.maximum(ops.sum(real, axis=1), 1.0)
        return ops.sum(vectors * real, axis=1) / (ops.sqrt(count) if self.pooling == "root" else count)

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        return {**super().get_config(), "pooling": self.pooling}


class Readout(keras.layers.Layer):
    """Take the state at the end of each document, and, if asked, the largest and the mean value of all states.

    Args:
        pool: Whether it is asked (Howard and Ruder 2018, "Universal language model fine-tuning").
        **kwargs: As for every layer.
    """

    def __init__(self, pool: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool = pool

    def call(self, states: Any, mask_of_words: Any) -> Any:
        """Map float (batch, time, units) and bool (batch, time) to (batch, units) or (batch, 3 * units)."""
        count = ops.sum(ops.cast(mask_of_words, "int32"), axis=1)
        end = ops.take_along_axis(states, ops.maximum(count - 1, 0)[:, None, None], axis=1)[:, 0]
        if not self.pool:
            return end
        real = ops.cast(mask_of_words, states.dtype)[..., None]
        # States are between -1 and 1, so that -2 is never the largest.
        largest = ops.max(ops.where(mask_of_words[..., None], states, -2.0), axis=1)
        mean = ops.sum(states * real, axis=1) / ops.cast(ops.maximum(count, 1), states.dtype)[:, None]
        return ops.concatenate([end, largest, mean], axis=-1)

    def compute_output_shape(
        self, states_shape: tuple[int | None, ...], mask_of_words_shape: Any = None
    ) -> Any:
        """Return the shape of what is taken."""
        return (states_shape[0], states_shape[-1] * (3 if self.pool else 1))

    def get_config(self) -> dict[str, Any]:
        """Return every argument."""
        return {**super().get_config(), "pool": self.pool}


class WeighedStates(keras.layers.Layer):
    """Attention: weigh states by the softmax of their products with a query, and add them up."""

    def build(self, states_shape: tuple[int | None, ...], mask_of_words_shape: Any = None) -> None:
        """Make the query, as long as a state."""
        self.query = self.add_weight((states_shape[-1],), "glorot_uniform", name="query")
        self.built = True

    def call(self, states: Any, mask_of_words: Any) -> Any:
        """Map float (batch, time, values) and bool (batch, time) to (batch, values)."""
        scores = ops.sum(states * self.query, axis=-1)
        scores = ops.where(mask_of_words, scores, -1e9)
        return ops.sum(ops.softmax(scores, axis=1)[..., None] * states, axis=1)

    def compute_output_shape(
        self, states_shape: tuple[int | None, ...], mask_of_words_shape: Any = None
    ) -> Any:
        """Return the shape of the sum."""
        return (states_shape[0], states_shape[-1])


def build_text_classifier(
    config: TextClassifierConfig, *, products: Products | None = None, idf: np.ndarray | None = None
) -> keras.Model:
    """Build the network of a config.

    Args:
        config: Its arguments.
        products: How an LSTM multiplies in training, as ``models.layers.fast_lstm.FastLSTM`` takes it; None for
            the layer of
            Keras.
        idf: Of each row of the table, float32 (rows,): vectors are multiplied by it (``trained_arrays`` gives them
            multiplied); None for none.

    Returns:
        A network from ``ids`` int32 (documents, steps) and ``mask`` bool of the same shape, as
        ``data_prep.text.document_batches.document_inputs`` makes them, to logits float32 (documents, labels).
    """
    ids = keras.Input((None,), dtype="int32", name="ids")
    mask = keras.Input((None,), dtype="bool", name="mask")
    read = UnknownTokens(config.word_dropout, EOS + 1, name="unknown_words")(ids)
    # A sequence that never occurs in training must add nothing.
    first = "zeros" if config.reading.is_bag else "uniform"
    settings = {"embeddings_initializer": first, "name": "embedding"}
    if idf is None:
        table = keras.layers.Embedding(config.rows, config.dimensions, **settings)
    else:
        table = WeighedEmbedding(config.rows, config.dimensions, weights_of_rows=idf, **settings)
    # The same values of all vectors of a document are left out.
    vectors = keras.layers.Dropout(config.dropout, noise_shape=(None, 1, None), name="dropout_vectors")(
        table(read)
    )
    features = _features(config, vectors, mask, products)
    features = keras.layers.Dropout(config.dropout, name="dropout_features")(features)
    logits = keras.layers.Dense(config.labels, dtype="float32", name="labels")(features)
    return keras.Model({"ids": ids, "mask": mask}, logits, name="text_classifier")


def _features(config: TextClassifierConfig, vectors: Any, mask: Any, products: Products | None) -> Any:
    """Turn vectors (batch, time, dimensions) into what the logits are made of, (batch, features)."""
    if config.is_linear:
        return MeanVector(config.pooling, name="mean")(vectors, mask)
    if config.network == "convolution":
        return MaxOverTime(config.units, config.widths, name="convolution")(vectors, mask)
    if config.network in CELLS:
        kind = {"products": products} if config.network == "lstm" else {}
        for number in range(1, config.layers + 1):
            # Read from left to right with the padding last: no state that counts has seen it.
            vectors = recurrent_layer(config.network, config.units, name=recurrent_name(number), **kind)(
                vectors
            )
        return Readout(config.readout == "pool", name="readout")(vectors, mask)
    states = bidirectional(config.units, vectors, mask, products=products)
    return WeighedStates(name="attention")(states, mask)


def trained_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """Return the weights of a network of ``build_text_classifier`` by their names, for one without ``idf``."""
    arrays = variable_arrays(model.weights)
    layer = model.get_layer("embedding")
    if isinstance(layer, WeighedEmbedding):
        arrays["embedding/embeddings"] *= layer.weights_of_rows[:, None]
    return arrays


def set_word_vectors(model: keras.Model, matrix: np.ndarray, *, trainable: bool = True) -> None:
    """Start from word vectors, or keep them as they are.

    Args:
        model: Of ``build_text_classifier``.
        matrix: As ``data_prep.text.embeddings.WordVectors.matrix_for`` gives it for the vocabulary, float (at
            least as many
            words as the network knows, dimensions); rows of n-grams stay.
        trainable: Whether training changes the vectors; call it before ``compile``.

    Raises:
        InputError: If the vectors have another length.
    """
    layer = model.get_layer("embedding")
    (table,) = copy_values([layer.embeddings])
    if matrix.shape[1] != table.shape[1]:
        raise InputError(
            "The word vectors do not have the length of the network's",
            allowed=str(table.shape[1]),
            received=matrix.shape[1],
        )
    rows = min(len(matrix), len(table))
    table[:rows] = matrix[:rows]
    layer.embeddings.assign(table)
    layer.trainable = trainable


def text_loss(label_smoothing: float = 0.0) -> Any:
    """Make the loss of logits: mean cross-entropy over documents.

    Args:
        label_smoothing: Share of the probability that is spread over all labels.

    Returns:
        A function of logits (batch, labels) and labels int (batch,), or, where labels are not certain, their
        probabilities float (batch, labels).
    """
    certain = masked_crossentropy(label_smoothing)

    def loss(labels: Any, logits: Any) -> Any:
        # The number of columns may not be known before a batch comes; Keras gives certain labels one.
        if len(labels.shape) < 2 or labels.shape[-1] == 1:
            return certain(ops.reshape(labels, (-1,)), logits)
        scores = ops.log_softmax(logits, axis=-1)
        wanted = (1.0 - label_smoothing) * ops.cast(labels, logits.dtype) + label_smoothing / logits.shape[-1]
        return -ops.mean(ops.sum(wanted * scores, axis=-1))

    return loss
