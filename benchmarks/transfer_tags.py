"""Task "tags" of ``benchmarks.embedding_transfer``: a small BiLSTM without characters learns universal tags.

From 1, 10 and 100 % of the training sentences of UD English EWT, the same sentences for all three starts of its
embeddings, with three seeds (of sentences, weights and order). The number of epochs is fixed beforehand and nothing is
chosen by score, so that the dev part, on which the table is scored, is unseen; the test part is left alone. In all
three a word of the training sentences has a row of its own. With word vectors, words that have a vector start from it,
also those that no training sentence holds; frozen ones stay there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.transfer import chosen_settings, random_start, transfer
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
class _Words:
    """A vocabulary with the first values of its embeddings.

    Args:
        ids: Key to row; 0 is padding and 1 an unknown word.
        vectors: First values, float32 (rows, dimensions), or None for random ones.
        own: Whether a row has a vector from unlabelled text, bool (rows,).
    """

    ids: dict[str, int]
    vectors: np.ndarray
    own: np.ndarray


def one_run(
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    vectors: WordVectors,
    embedding: str,
    epochs: int,
    seed: int,
    settings: TransferSettings,
) -> dict[str, float]:
    """Train one network and score it.

    Args:
        train: Sentences to learn from.
        dev: Sentences to score on.
        vectors: Of unlabelled text.
        embedding: ``"random"``, ``"frozen"`` or ``"fine_tuned"``.
        epochs: Passes over ``train``.
        seed: Of weights and order.
        settings: The rest.

    Returns:
        Percent of the words tagged right: ``mean`` of all, ``unknown_mean`` of those that ``train`` does not hold.
    """
    import keras

    keras.utils.set_random_seed(seed)
    seen = {key for sentence in train for key in map(_key, sentence.forms)}
    words = _vocabulary(seen, dev, vectors, embedding, seed)
    tags = {tag: at for at, tag in enumerate(UPOS_TAGS)}
    model = build(words, embedding, len(tags), settings)
    order = np.random.default_rng(seed)
    for _ in range(epochs):
        for batch in _batches(train, words, tags, settings.batch_size, order):
            model.train_on_batch(*batch)
    right, new = [], []
    for sentences, inputs, labels in _scored_batches(dev, words, tags):
        found = np.argmax(model.predict_on_batch(inputs), axis=-1)
        mask = labels >= 0
        right.append(found[mask] == labels[mask])
        new += [_key(form) not in seen for sentence in sentences for form in sentence.forms]
    hits = np.concatenate(right)
    return {"mean": 100 * float(hits.mean()), "unknown_mean": 100 * float(hits[np.array(new)].mean())}


def build(words: _Words, embedding: str, tags: int, settings: TransferSettings) -> keras.Model:
    """Build and compile the network.

    Args:
        words: Vocabulary and first values.
        embedding: ``"frozen"`` keeps the rows that have a vector as they are.
        tags: Number of tags.
        settings: Sizes.

    Returns:
        A network from ``words`` int32 (batch, time) and ``shapes`` float32 (batch, time, 4) to logits
        (batch, time, tags); padding is id 0.
    """
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
    logits = layers.Dense(tags)(layers.Dropout(settings.dropout)(hidden))
    model = keras.Model({"words": ids, "shapes": shapes}, logits)
    start = words.vectors if embedding != "frozen" else words.vectors * words.own[:, None]
    table.set_weights([start])
    model.compile(
        keras.optimizers.Adam(settings.learning_rate, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1),
    )
    return model


def _vocabulary(
    seen: set[str], dev: Sequence[Sentence], vectors: WordVectors, embedding: str, seed: int
) -> _Words:
    """List the words that have a row: those of training and, with vectors, those of dev that have one.

    Rows for all other words of the vectors would never be read; leaving them out changes no result.
    """
    keys = sorted(seen)
    if embedding != "random":
        met = {key for sentence in dev for key in map(_key, sentence.forms)}
        keys += sorted(key for key in met - seen if key in vectors)
    ids = {key: row for row, key in enumerate(keys, start=2)}
    own = np.zeros(len(keys) + 2, bool)
    start = random_start(vectors, len(own), seed)
    start[0] = 0.0
    if embedding != "random":
        for key, row in ids.items():
            if key in vectors:
                start[row], own[row] = vectors[key], True
    return _Words(ids, start.astype(np.float32), own)


def _batches(
    sentences: Sequence[Sentence], words: _Words, tags: dict[str, int], size: int, order: np.random.Generator
):
    lengths = [len(sentence.words) for sentence in sentences]
    counts = Counter(key for sentence in sentences for key in map(_key, sentence.forms))
    once = [key for key, count in counts.items() if count == 1]
    rare = np.isin(np.arange(len(words.own)), [words.ids[key] for key in once]) & ~words.own
    for chosen in length_buckets(lengths, size, seed=int(order.integers(2**31))):
        inputs, labels = _encoded([sentences[at] for at in chosen], words, tags)
        # Half of the rare words without a vector are hidden in each pass, so that UNK learns what they are.
        hidden = rare[inputs["words"]] & (order.random(inputs["words"].shape) < 0.5)
        inputs["words"] = np.where(hidden, 1, inputs["words"]).astype(np.int32)
        yield inputs, labels


def _scored_batches(sentences: Sequence[Sentence], words: _Words, tags: dict[str, int], size: int = 128):
    lengths = [len(sentence.words) for sentence in sentences]
    for chosen in length_buckets(lengths, size):
        batch = [sentences[at] for at in chosen]
        yield batch, *_encoded(batch, words, tags)


def _encoded(
    sentences: Sequence[Sentence], words: _Words, tags: dict[str, int]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Pad a batch: word ids, shapes, and labels with -1 at padding."""
    length = bucket_length(max(len(sentence.words) for sentence in sentences))
    ids = pad([[words.ids.get(_key(form), 1) for form in s.forms] for s in sentences], length=length)
    shapes = pad([[_shape(form) for form in s.forms] for s in sentences], length=length, dtype=np.float32)
    labels = pad([[tags[word.upos] for word in s.words] for s in sentences], length=length, value=-1)
    return {"words": ids.values, "shapes": shapes.values}, labels.values


def _key(form: str) -> str:
    return form.lower()


def _shape(form: str) -> tuple[float, float, float, float]:
    """Say what lower-casing loses: first letter, all letters, digits, signs."""
    return (
        float(form[0].isupper()),
        float(form.isupper()),
        float(any(map(str.isdigit, form))),
        float(not any(map(str.isalnum, form))),
    )


def measured(overrides: Sequence[str], opened: Callable[[], tuple[WordVectors, str]]) -> dict[str, Any]:
    """Train and score every cell of the table.

    Args:
        overrides: ``key=value`` for the settings.
        opened: Gives the word vectors of the command line and their name.

    Raises:
        InputError: A setting is wrong, or treebank or vectors cannot be had.
    """
    chosen = chosen_settings(TransferSettings(), overrides)
    (vectors, name), train, dev = opened(), read_ewt("train"), read_ewt("dev")

    def score(drawn: list[Sentence], embedding: str, epochs: int, seed: int) -> dict[str, float]:
        return one_run(drawn, dev, vectors, embedding, epochs, seed, chosen)

    return transfer(chosen, train, score, "sentences", vectors=name, dimensions=vectors.dimensions)
