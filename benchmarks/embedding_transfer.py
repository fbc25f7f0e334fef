"""What word vectors from unlabelled text are worth to another task: random, frozen and fine-tuned embeddings.

    python -m benchmarks.embedding_transfer --task tags      some minutes on two cores
    python -m benchmarks.embedding_transfer --task reviews   half an hour; see ``benchmarks.transfer_reviews``

Task "tags": a small BiLSTM without characters learns universal tags from 1, 10 and 100 % of the training
sentences of UD English EWT, the same sentences for all three starts of its embeddings, with three seeds (of
sentences, weights and order). The number of epochs is fixed beforehand and nothing is chosen by score, so
that the dev part, on which the table is scored, is unseen; the test part is left alone. In all three a word
of the training sentences has a row of its own. With word vectors, words that have a vector start from it,
also those that no training sentence holds; frozen ones stay there.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from apps.shared.reports import RESULTS_DIR
from benchmarks.command import (
    add_output_options,
    carry_out,
    check_positive,
    limit_cores,
    write_results,
)
from data_prep.errors import InputError

if TYPE_CHECKING:
    import keras

    from data_prep.readers.conllu import Sentence
    from data_prep.text.embeddings import WordVectors

RESULTS = RESULTS_DIR / "embedding_transfer_tags.json"
EMBEDDINGS = ("random", "frozen", "fine_tuned")

Example = TypeVar("Example")


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


def run(settings: TransferSettings, vectors: WordVectors, name: str) -> dict[str, Any]:
    """Train and score every cell of the table.

    Args:
        settings: The table.
        vectors: Of unlabelled text.
        name: What to call them in the results.

    Returns:
        Settings and cells.
    """
    from data_prep.readers.conllu import read_ewt
    from models.training.run_folder import engine_versions, processor

    train, dev = read_ewt("train"), read_ewt("dev")
    began = time.perf_counter()
    cells = []
    for share, epochs in zip(settings.shares, settings.epochs, strict=True):
        for embedding in EMBEDDINGS:
            runs = []
            for seed in range(1, settings.seeds + 1):
                chosen = draw(train, share, seed)
                runs.append(one_run(chosen, dev, vectors, embedding, epochs, seed, settings))
                print(
                    f"{share:g} %, {embedding}, seed {seed}: {runs[-1][0]:.2f} %", file=sys.stderr, flush=True
                )
            cells.append(_cell(embedding, share, len(chosen), runs))
    return {
        "settings": {
            **asdict(settings),
            "vectors": name,
            "dimensions": vectors.dimensions,
            "processor": processor(),
            "versions": engine_versions(),
            "seconds": time.perf_counter() - began,
        },
        "cells": cells,
    }


def draw(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Draw a part of the examples.

    Args:
        examples: All to learn from, such as sentences.
        share: Percent, above 0.
        seed: The same seed draws the same; a larger share holds the smaller ones.

    Returns:
        At least one example.
    """
    order = np.random.default_rng(seed).permutation(len(examples))
    return [examples[at] for at in order[: max(1, round(len(examples) * share / 100))]]


def one_run(
    train: Sequence[Sentence],
    dev: Sequence[Sentence],
    vectors: WordVectors,
    embedding: str,
    epochs: int,
    seed: int,
    settings: TransferSettings,
) -> tuple[float, float]:
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
        Percent of the words tagged right: all, and those that ``train`` does not hold.
    """
    import keras

    from data_prep.readers.conllu import UPOS_TAGS

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
    return 100 * float(hits.mean()), 100 * float(hits[np.array(new)].mean())


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
    # The spread of the word vectors, so that all starts have one scale.
    start = np.random.default_rng(seed).normal(
        0.0, float(vectors.vectors.std()), (len(own), vectors.dimensions)
    )
    start[0] = 0.0
    if embedding != "random":
        for key, row in ids.items():
            if key in vectors:
                start[row], own[row] = vectors[key], True
    return _Words(ids, start.astype(np.float32), own)


def _batches(
    sentences: Sequence[Sentence], words: _Words, tags: dict[str, int], size: int, order: np.random.Generator
):
    from data_prep.batching import length_buckets

    lengths = [len(sentence.words) for sentence in sentences]
    once = [key for key, count in _counts(sentences).items() if count == 1]
    rare = np.isin(np.arange(len(words.own)), [words.ids[key] for key in once]) & ~words.own
    for chosen in length_buckets(lengths, size, seed=int(order.integers(2**31))):
        inputs, labels = _encoded([sentences[at] for at in chosen], words, tags)
        # Half of the rare words without a vector are hidden in each pass, so that UNK learns what they are.
        hidden = rare[inputs["words"]] & (order.random(inputs["words"].shape) < 0.5)
        inputs["words"] = np.where(hidden, 1, inputs["words"]).astype(np.int32)
        yield inputs, labels


def _counts(sentences: Sequence[Sentence]) -> dict[str, int]:
    from collections import Counter

    return Counter(key for sentence in sentences for key in map(_key, sentence.forms))


def _scored_batches(sentences: Sequence[Sentence], words: _Words, tags: dict[str, int], size: int = 128):
    from data_prep.batching import length_buckets

    lengths = [len(sentence.words) for sentence in sentences]
    for chosen in length_buckets(lengths, size, shuffle=False):
        batch = [sentences[at] for at in chosen]
        yield batch, *_encoded(batch, words, tags)


def _encoded(
    sentences: Sequence[Sentence], words: _Words, tags: dict[str, int]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Pad a batch: word ids, shapes, and labels with -1 at padding."""
    from data_prep.batching import bucket_length, pad

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


def _cell(
    embedding: str, share: float, sentences: int, runs: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    scores, unknown = zip(*runs, strict=True)
    return {
        "embedding": embedding,
        "share": share,
        "sentences": sentences,
        "mean": statistics.mean(scores),
        "deviation": statistics.stdev(scores) if len(scores) > 1 else 0.0,
        "unknown_mean": statistics.mean(unknown),
        "seeds": len(scores),
        "runs": list(scores),
    }


def print_results(results: dict[str, Any]) -> None:
    """Print the table.

    Args:
        results: As :func:`run` gives them.
    """
    print("embeddings\tsentences\tmean, %\tdeviation\tnew words, %")
    for cell in results["cells"]:
        print(
            f"{cell['embedding']}\t{cell['sentences']}\t{cell['mean']:.2f}\t{cell['deviation']:.2f}\t"
            f"{cell['unknown_mean']:.2f}"
        )


def main() -> int:
    """Run the benchmark on the arguments of the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.embedding_transfer", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--task", choices=["tags", "reviews"], default="tags", help="what is learned")
    parser.add_argument("--preset", default="vectors_en_wiki", help="word vectors to start from")
    parser.add_argument("--vectors", type=Path, help="a file of word vectors instead of a preset")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting")
    parser.add_argument("--threads", type=int, default=2, help="processor cores")
    add_output_options(parser, RESULTS)
    options = parser.parse_args()
    check_positive(parser, options, ("threads",))
    limit_cores(options.threads)
    path, table = RESULTS, print_results
    if options.task == "reviews":
        from benchmarks import transfer_reviews

        path, table = transfer_reviews.RESULTS, transfer_reviews.print_results
    return carry_out(options, lambda: _measured(options), partial(write_results, path), table)


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    """Run it as the command line asks for."""
    from models.training.recipe import with_overrides

    if options.task == "reviews":
        from benchmarks.transfer_reviews import measured

        overrides = [*options.set, *(["own_vectors=false"] if options.vectors else [])]
        return measured(overrides, lambda: _opened(options), options.threads)
    settings = with_overrides(TransferSettings(), options.set)
    if len(settings.shares) != len(settings.epochs):
        raise InputError("There is one number of epochs for each share", received=options.set)
    return run(settings, *_opened(options))


def _opened(options: argparse.Namespace) -> tuple[WordVectors, str]:
    """Open the word vectors of the command line, and name them."""
    from apps.vectors.application import Vectors

    opened = Vectors.from_file(options.vectors) if options.vectors else Vectors.from_preset(options.preset)
    return opened.word_vectors, options.vectors.name if options.vectors else options.preset


if __name__ == "__main__":
    sys.exit(main())
