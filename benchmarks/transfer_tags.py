"""Task "tags" of ``benchmarks.embedding_transfer``: a small BiLSTM without characters learns universal tags.

From 1, 10 and 100 % of the training sentences of UD English EWT, the same sentences for all three starts of its
embeddings, with three seeds (of sentences, weights and order). The number of epochs is fixed beforehand and nothing is
chosen by score, so that the dev part, on which the table is scored, is unseen; the test part is left alone. In all
three a word of the training sentences has a row of its own. With word vectors, words that have a vector start from it,
also those that no training sentence holds; frozen ones stay there.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.transfer import chosen_settings, opened, random_start, transfer
from data_prep.batching import bucket_length, length_buckets, pad
from data_prep.readers.conllu import UPOS_TAGS, Sentence, read_ewt
from data_prep.text.embeddings import WordVectors

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class TransferSettings:
    """Everything that decides the table.

    Args:
        shares: Percent of the training sentences, one column each.
        epochs: Passes over the sentences for each share.
        seeds: How many runs a cell has.
        units: Of each direction of the BiLSTM.
        batch_size: Sentences in a step.
        learning_rate: Of Adam.
        dropout: Share left out before and behind the BiLSTM.
    """

    shares: tuple[float, ...] = (1.0, 10.0, 100.0)
    epochs: tuple[int, ...] = (60, 20, 5)
    seeds: int = 3
    units: int = 64
    batch_size: int = 32
    learning_rate: float = 2e-3
    dropout: float = 0.3


@dataclass(frozen=True)
class Words:
    """A vocabulary with the first values of its embeddings.

    Args:
        ids: Key to row; 0 is padding and 1 an unknown word.
        vectors: First values, float32 (rows, dimensions).
        own: Whether a row has a vector from unlabelled text, bool (rows,).
        rare: Whether a row is a training word that comes once and has no vector, bool (rows,).
    """

    ids: dict[str, int]
    vectors: np.ndarray
    own: np.ndarray
    rare: np.ndarray

    @classmethod
    def of(
        cls, counts: Counter[str], met: set[str], vectors: WordVectors, embedding: str, seed: int
    ) -> Words:
        """List the words that have a row: those of training and, with vectors, those of dev that have one.

        Rows for all other words of the vectors would never be read; leaving them out changes no result.
        """
        known = embedding != "random"
        keys = sorted(counts) + sorted(key for key in met - counts.keys() if known and key in vectors)
        own = np.array([False, False, *(known and key in vectors for key in keys)])
        start = random_start(vectors, len(own), seed)
        start[0] = 0.0
        start[own] = vectors.vectors[vectors.vocabulary.encode_known(keys)] if known else 0.0
        once = np.array([False, False, *(counts[key] == 1 for key in keys)])
        ids = {key: row for row, key in enumerate(keys, start=2)}
        return cls(ids, start.astype(np.float32), own, once & ~own)

    def encoded(self, sentences: Sequence[Sentence]) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Pad a batch: word ids, shapes, and labels with -1 at padding."""
        length = bucket_length(max(len(sentence.words) for sentence in sentences))
        ids = pad([[self.ids.get(key, 1) for key in _keys(one)] for one in sentences], length=length)
        shapes = [[_shape(form) for form in one.forms] for one in sentences]
        labels = [[UPOS_TAGS.index(word.upos) for word in one.words] for one in sentences]
        inputs = {"words": ids.values, "shapes": pad(shapes, length=length, dtype=np.float32).values}
        return inputs, pad(labels, length=length, value=-1).values


def one_run(
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    vectors: WordVectors,
    embedding: str,
    epochs: int,
    seed: int,
    settings: TransferSettings,
) -> dict[str, float]:
    """Train one network from a start of its embeddings.

    Returns:
        Percent of the words tagged right: ``mean`` of all, ``unknown_mean`` of those that ``train`` does not hold.
    """
    import keras

    keras.utils.set_random_seed(seed)
    counts = Counter(key for sentence in train for key in _keys(sentence))
    met = {key for sentence in dev for key in _keys(sentence)}
    words = Words.of(counts, met, vectors, embedding, seed)
    model = build(words, embedding, settings)
    order = np.random.default_rng(seed)
    lengths = [len(sentence.words) for sentence in train]
    for _ in range(epochs):
        for chosen in length_buckets(lengths, settings.batch_size, seed=int(order.integers(2**31))):
            inputs, labels = words.encoded([train[at] for at in chosen])
            # Half of the rare words without a vector are hidden in each pass, so that UNK learns what they are.
            hidden = words.rare[inputs["words"]] & (order.random(inputs["words"].shape) < 0.5)
            inputs["words"] = np.where(hidden, 1, inputs["words"]).astype(np.int32)
            model.train_on_batch(inputs, labels)
    right, new = [], []
    for chosen in length_buckets([len(sentence.words) for sentence in dev], 128):
        sentences = [dev[at] for at in chosen]
        inputs, labels = words.encoded(sentences)
        found = np.argmax(model.predict_on_batch(inputs), axis=-1)
        right += (found == labels)[labels >= 0].tolist()
        new += [key not in counts for sentence in sentences for key in _keys(sentence)]
    hits = np.array(right)
    return {"mean": 100 * float(hits.mean()), "unknown_mean": 100 * float(hits[np.array(new)].mean())}


def build(words: Words, embedding: str, settings: TransferSettings) -> keras.Model:
    """Build and compile the network: words and shapes to logits (batch, time, tags); padding is id 0."""
    import keras
    from keras import layers, ops

    ids = keras.Input((None,), dtype="int32", name="words")
    shapes = keras.Input((None, 4), name="shapes")
    rows, dimensions = words.vectors.shape
    table = layers.Embedding(rows, dimensions, trainable=embedding != "frozen", name="table")
    embedded = table(ids)
    if embedding == "frozen":
        # Words without a vector learn one all the same; the others share row 0, a constant.
        free = np.where(words.own, 0, np.arange(rows)).astype("int32")
        chosen = ops.take(ops.convert_to_tensor(free), ids, axis=0)
        embedded = embedded + layers.Embedding(rows, dimensions, name="free")(chosen)
    hidden = layers.Dropout(settings.dropout)(layers.Concatenate()([embedded, shapes]))
    mask = ops.not_equal(ids, 0)
    hidden = layers.Bidirectional(layers.LSTM(settings.units, return_sequences=True))(hidden, mask=mask)
    logits = layers.Dense(len(UPOS_TAGS))(layers.Dropout(settings.dropout)(hidden))
    model = keras.Model({"words": ids, "shapes": shapes}, logits)
    start = words.vectors if embedding != "frozen" else words.vectors * words.own[:, None]
    table.set_weights([start])
    model.compile(
        keras.optimizers.Adam(settings.learning_rate, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1),
    )
    return model


def _keys(sentence: Sentence) -> list[str]:
    return [form.lower() for form in sentence.forms]


def _shape(form: str) -> tuple[float, float, float, float]:
    """Say what lower-casing loses: first letter, all letters, digits, signs."""
    return (
        float(form[0].isupper()),
        float(form.isupper()),
        float(any(map(str.isdigit, form))),
        float(not any(map(str.isalnum, form))),
    )


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Train and score every cell of the table as the command line asks for it."""
    chosen, (vectors, name) = chosen_settings(TransferSettings(), options.set), opened(options)
    train, dev = read_ewt("train"), read_ewt("dev")

    def score(drawn: list[Sentence], embedding: str, epochs: int, seed: int) -> dict[str, float]:
        return one_run(drawn, dev, vectors, embedding, epochs, seed, chosen)

    return transfer(chosen, train, score, "sentences", vectors=name, dimensions=vectors.dimensions)
