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
from keras import layers, ops

from data_prep.errors import InputError
from data_prep.text.text_inputs import EOS
from data_prep.text.vocab import PAD
from models.layers.fast_lstm import Products
from models.layers.recurrent import bidirectional, recurrent_layer
from models.layers.sequences import AttentionPooling, ConcatPooling, MaxOverTime, MeanPooling, UnknownTokens
from models.storage.variables import assign_arrays, copy_values, variable_arrays
from models.text_classifier.config import (
    Arrays,
    TextClassifierConfig,
    TextPresetConfig,
    member_arrays,
    recurrent_names,
)

IDF = "idf/embeddings"  # the array of inverse document frequencies, in training only


def build_text_classifier(
    config: TextClassifierConfig,
    *,
    products: Products | None = None,
    idf: np.ndarray | None = None,
    name: str = "text_classifier",
) -> keras.Model:
    """Build the network of a config.

    Args:
        config: Its arguments.
        products: How an LSTM multiplies in training, as ``models.layers.fast_lstm.FastLSTM`` takes it; None for
            the layer of Keras.
        idf: Of each row of the table, float32 (rows,): vectors are multiplied by it, so that in training those with a
            larger one move faster (``trained_arrays`` gives them multiplied); None for none.
        name: Of the model.

    Returns:
        A network from ``ids`` int32 (documents, steps) and ``mask`` bool of the same shape, as
        ``data_prep.text.document_batches.document_inputs`` makes them, to logits float32 (documents, labels).
    """
    ids = keras.Input((None,), dtype="int32", name="ids")
    mask = keras.Input((None,), dtype="bool", name="mask")
    read = UnknownTokens(config.word_dropout, EOS + 1, name="unknown_words")(ids)
    # A sequence that never occurs in training must add nothing.
    first = "zeros" if config.is_bag else "uniform"
    vectors = layers.Embedding(
        config.rows, config.dimensions, embeddings_initializer=first, name="embedding"
    )(read)
    if idf is not None:
        vectors *= layers.Embedding(config.rows, 1, weights=[idf[:, None]], trainable=False, name="idf")(read)
    # The same values of all vectors of a document are left out.
    vectors = layers.Dropout(config.dropout, noise_shape=(None, 1, None), name="dropout_vectors")(vectors)
    features = _features(config, vectors, mask, products)
    features = layers.Dropout(config.dropout, name="dropout_features")(features)
    logits = layers.Dense(config.labels, dtype="float32", name="labels")(features)
    return keras.Model({"ids": ids, "mask": mask}, logits, name=name)


def text_classifier_model(config: TextPresetConfig, arrays: Arrays) -> keras.Model:
    """Build the network of a preset with its weights; each member is one layer of it.

    Returns:
        What each member reads, as ``models.text_classifier.config.golden_inputs`` makes it, ``member1`` and so on,
        int32 (documents, steps), to the logits of each under the same name and of all together as ``logits``, float32
        (documents, labels).
    """
    inputs, outputs, weighted = {}, {}, []
    for number, (member, weight) in enumerate(zip(config.members, config.weights, strict=True), start=1):
        name, own = f"member{number}", member_arrays(arrays, number)
        network = build_text_classifier(member, name=f"network{number}")
        assign_arrays(network.weights, own)
        ids = inputs[name] = keras.Input((None,), dtype="int32", name=name)
        outputs[name] = network({"ids": ids, "mask": ids != PAD})
        if weight or number == 1:
            scale = layers.Rescaling(weight / config.temperature, name=f"weighted{number}")
            weighted.append(scale(outputs[name]))
    logits = layers.Add(name="logits")(weighted) if len(weighted) > 1 else weighted[0]
    if config.short:  # the last network reads all words, and the end
        words = ops.sum(ops.cast(ids != PAD, "int32"), axis=1, keepdims=True) - 1
        alone = outputs[name]
        near = ops.max(alone, axis=1, keepdims=True) - alone < config.short_margin
        others = ops.sum(ops.cast(near, "int32"), axis=1, keepdims=True)
        alone = layers.Rescaling(1.0 / config.short_temperature, name="short")(alone)
        # Sure: no other logit is near the largest one.
        logits = ops.where(words < config.short + 1, ops.where(others < 2, alone, logits), logits)
    outputs["logits"] = logits
    return keras.Model(inputs, outputs, name="text_preset")


def _features(config: TextClassifierConfig, vectors: Any, mask: Any, products: Products | None) -> Any:
    """Turn vectors (batch, time, dimensions) into what the logits are made of, (batch, features)."""
    if config.is_linear:
        return MeanPooling(config.pooling, name="mean")(vectors, mask)
    if config.network == "convolution":
        return MaxOverTime(config.units, config.widths, name="convolution")(vectors, mask)
    if config.network == "attention":
        states = bidirectional(config.units, vectors, mask, products=products)
        return AttentionPooling(name="attention")(states, mask)
    kind = {"products": products} if config.network == "lstm" else {}
    for name in recurrent_names(config):
        # Read from left to right with the padding last: no state that counts has seen it.
        vectors = recurrent_layer(config.network, config.units, name=name, **kind)(vectors)
    return ConcatPooling(config.readout == "pool", name="readout")(vectors, mask)


def trained_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """Return the weights of a network of ``build_text_classifier`` by their names, for one without ``idf``."""
    arrays = variable_arrays(model.weights)
    if IDF in arrays:
        arrays["embedding/embeddings"] *= arrays.pop(IDF)
    return arrays


def set_word_vectors(model: keras.Model, matrix: np.ndarray) -> None:
    """Start from word vectors; rows of n-grams stay.

    Args:
        model: Of ``build_text_classifier``.
        matrix: As ``data_prep.text.embeddings.WordVectors.matrix_for`` gives it for the vocabulary, float (at
            least as many words as the network knows, dimensions).

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


def text_loss(label_smoothing: float = 0.0) -> Any:
    """Make the loss of logits: mean cross-entropy over documents; ``label_smoothing`` is spread over all labels.

    Returns:
        A function of logits (batch, labels) and labels int (batch,), or, where labels are not certain, their
        probabilities float (batch, labels).
    """

    def loss(labels: Any, logits: Any) -> Any:
        # The number of columns may not be known before a batch comes; Keras gives certain labels one.
        if len(labels.shape) < 2 or labels.shape[-1] == 1:
            labels = ops.one_hot(ops.reshape(labels, (-1,)), logits.shape[-1])
        wanted = (1.0 - label_smoothing) * ops.cast(labels, logits.dtype) + label_smoothing / logits.shape[-1]
        return -ops.mean(ops.sum(wanted * ops.log_softmax(logits, axis=-1), axis=-1))

    return loss
