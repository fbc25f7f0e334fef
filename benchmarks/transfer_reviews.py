"""Task "reviews" of ``benchmarks.embedding_transfer``: what word vectors are worth to verdicts on films.

A small network learns from 1, 10 and 100 % of the labels of IMDB's train half without 5,000 reviews, on which the table
is scored; the same reviews for all three starts of its embeddings, with three seeds. The number of epochs is fixed
beforehand and nothing is chosen by score; the official test half is left alone. Words that the reviews used hold twice
have a row of their own, and with word vectors so has every word that has a vector.

The word vectors are learned by word2vec from the train half and the reviews without a verdict, no label looked at: what
raw text of the same kind is worth. ``--set own_vectors=false`` takes those of ``--preset``, learned from Wikipedia,
instead, and ``--vectors`` those of a file.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from apps.reviews import stages
from apps.reviews.recipes import RECIPES, MemberRecipe
from benchmarks.transfer import chosen_settings, opened, random_start, transfer
from data_prep.errors import InputError
from data_prep.readers.document_sets import read_imdb
from data_prep.readers.labelled_texts import LabelledTexts
from data_prep.splits import group_split
from data_prep.text.embeddings import WordVectors
from data_prep.text.text_inputs import SPECIALS, document_forms, encode, learn_vocabulary
from data_prep.text.vocab import UNK, Vocabulary
from models.text_classifier.packed import packed_network
from models.training.recipe import fields_of
from models.training.task import Run


@dataclass(frozen=True)
class ReviewsTransferSettings:
    """Everything that decides the table.

    Args:
        shares: Percent of the labels, one column each.
        epochs: Passes over the documents for each share.
        seeds: How many runs a cell has.
        scored: Documents that are left out and scored.
        network: As ``models.text_classifier.config.TextClassifierConfig``.
        units: Filters of each width, or length of a state.
        widths: Words in a window of each kind of filter.
        max_words: Words that are read, half of them the first ones and half the last ones; 0 for all.
        batch_size: Documents in a step.
        learning_rate: The highest of AdamW; it falls along a cosine to 0.
        dropout: Share left out.
        own_vectors: Whether word2vec learns from the reviews themselves.
    """

    shares: tuple[float, ...] = (1.0, 10.0, 100.0)
    epochs: tuple[int, ...] = (40, 12, 3)
    seeds: int = 3
    scored: int = 5_000
    network: str = "convolution"
    units: int = 64
    widths: tuple[int, ...] = (2, 3)
    max_words: int = 300
    batch_size: int = 32
    learning_rate: float = 2e-3
    dropout: float = 0.4
    own_vectors: bool = True

    def member(self, embedding: str, epochs: int, dimensions: int) -> MemberRecipe:
        """Return the recipe of the network; random vectors are trained like those of word2vec."""
        own = {"epochs": epochs, "dimensions": dimensions, "head_words": self.max_words // 2}
        start = "frozen" if embedding == "frozen" else "fine_tuned"
        return fields_of(self, MemberRecipe, start=start, products="float32", **own)


@dataclass(frozen=True, eq=False)
class Documents:
    """Documents as ids of one vocabulary that holds every word, and places of those to learn from and to score."""

    ids: Sequence[np.ndarray]
    labels: np.ndarray
    classes: int
    vocabulary: Vocabulary
    learned: np.ndarray
    scored: np.ndarray


def documents_of(texts: LabelledTexts, scored: int, seed: int = 0) -> Documents:
    """Read documents and leave some out to be scored; equal texts are on one side."""
    if not 1 <= scored < len(texts):
        raise InputError(
            "scored does not fit the documents", allowed=f"1 to {len(texts) - 1}", received=scored
        )
    share = scored / len(texts)
    shares = {"learned": 1.0 - share, "scored": share}
    parts = group_split(document_forms(texts.texts), shares, seed)
    vocabulary = learn_vocabulary(texts.texts, min_count=1)
    ids = [encode(text, vocabulary) for text in texts.texts]
    return Documents(ids, texts.labels, len(texts.classes), vocabulary, parts["learned"], parts["scored"])


def run(
    settings: ReviewsTransferSettings, documents: Documents, vectors: WordVectors, name: str
) -> dict[str, Any]:
    """Train and score every cell of the table with vectors of unlabelled text, which the results call ``name``."""

    def score(drawn: list[int], embedding: str, epochs: int, seed: int) -> dict[str, float]:
        member = settings.member(embedding, epochs, vectors.dimensions)
        return {"mean": one_run(member, documents, drawn, vectors, embedding, seed)}

    facts = {"vectors": name, "dimensions": vectors.dimensions}
    results = transfer(settings, documents.learned.tolist(), score, "documents", **facts)
    for cell in results["cells"]:
        cell["n"] = len(documents.scored)
    return results


def one_run(
    member: MemberRecipe,
    documents: Documents,
    chosen: Sequence[int],
    vectors: WordVectors,
    embedding: str,
    seed: int,
) -> float:
    """Train one network from a start of its embeddings; return the percent of the scored documents that are right."""
    from models.text_classifier.network import trained_arrays
    from models.training.fit import fit

    rows, entries = _rows(documents, chosen, vectors, embedding)
    config = member.config(len(entries), documents.classes)
    # All passes as one epoch: what an epoch costs besides its steps is more than the steps of a few documents.
    member, passes = replace(member, epochs=1), list(chosen) * member.epochs
    stage = stages.member_stage(
        "",
        member,
        config,
        [rows[documents.ids[at]] for at in passes],
        documents.labels[passes],
        seed=seed,
        vectors=_start(entries, vectors, embedding, seed),
        recipe={"embedding": embedding},
    )
    with tempfile.TemporaryDirectory() as folder:
        model, _ = fit(stage, Run(Path(folder)))
    network = packed_network(config, trained_arrays(model))
    logits = network.logits([rows[documents.ids[at]] for at in documents.scored.tolist()])
    return 100.0 * float((logits.argmax(axis=1) == documents.labels[documents.scored]).mean())


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Train and score every cell of the table as the command line asks for it."""
    from models.training.driver import run_stages

    given = ["own_vectors=false"] if options.vectors else []
    settings = chosen_settings(ReviewsTransferSettings(), [*options.set, *given])
    imdb = read_imdb(unlabelled=settings.own_vectors)
    texts = [*imdb.train.texts, *imdb.unlabelled]
    if settings.own_vectors:
        with tempfile.TemporaryDirectory() as folder:
            run_of = Run(Path(folder))
            # As the recipe of the shipped classifier learns them; no label is looked at.
            learning = stages.learned_vectors(RECIPES["imdb"].word2vec, texts, run_of, "vectors")
            vectors, name = run_stages(learning, run_of).answers, f"word2vec of {len(texts):,} reviews"
    else:
        vectors, name = opened(options)
    results = run(settings, documents_of(imdb.train, settings.scored), vectors, name)
    results["settings"]["threads"] = options.threads
    return results


def _rows(
    documents: Documents, chosen: Sequence[int], vectors: WordVectors, embedding: str
) -> tuple[np.ndarray, list[str]]:
    """Choose the words that have a row of their own: rows by id, int32, unknown for all others; and their names."""
    count = len(documents.vocabulary)
    names = documents.vocabulary.decode(range(count))
    own = np.bincount(np.concatenate([documents.ids[at] for at in chosen]), minlength=count) > 1
    if embedding != "random":
        own |= np.array([name in vectors for name in names])
    own[: len(SPECIALS)] = True
    rows = np.full(count, UNK, np.int32)
    rows[own] = np.arange(own.sum())
    return rows, [name for name, kept in zip(names, own.tolist(), strict=True) if kept]


def _start(entries: Sequence[str], vectors: WordVectors, embedding: str, seed: int) -> np.ndarray:
    """Return the first vectors float32 (rows, dimensions); random ones have the spread of those of word2vec."""
    if embedding != "random":
        return vectors.matrix_for(entries, seed)
    return random_start(vectors, len(entries), seed).astype(np.float32)
