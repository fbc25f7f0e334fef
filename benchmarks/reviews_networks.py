"""Every network in one table: mean of vectors, n-grams, convolution, RNN, LSTM, GRU, MGU and attention on IMDB.

    python -m benchmarks.reviews_networks --runs runs/reviews             goes on where it was stopped
    python -m benchmarks.reviews_networks --networks mean lstm --set units=64 --set lstm.epochs=4 --store

Each network learns alone, from random vectors and labelled reviews unless a setting says otherwise: from the train half
without what is held out, by which its probabilities are calibrated. It is scored once on the official test half, and
nothing is chosen by that score. What a finished network scored is kept in the folder of the runs and not measured
again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from apps.reviews import reports
from apps.reviews.evaluation import score
from apps.reviews.recipes import ReviewsRecipe, chosen_recipe
from apps.reviews.sources import ReviewsSource, imdb_source, sample_source
from apps.reviews.task import ReviewsTask
from benchmarks import harness
from data_prep.text.document_batches import padding_of
from data_prep.text.duplicates import shared_texts
from data_prep.text.text_inputs import keys_of
from models.text_classifier.config import network_specs
from models.training.recipe import to_dict
from models.training.task import Run

NETWORKS = {
    "mean": "Mean of vectors",
    "ngrams": "Mean of words and pairs",
    "convolution": "Convolution over time",
    "rnn": "RNN to the end of sequence",
    "lstm": "LSTM to the end of sequence",
    "gru": "GRU to the end of sequence",
    "mgu": "MGU to the end of sequence",
    "attention": "BiLSTM with attention",
}
OPTIONS = {
    "networks": harness.Option(tuple(NETWORKS), "which of them", choices=tuple(NETWORKS)),
    "set": harness.SET._replace(help="change a setting of all networks, or with NETWORK. before it of one"),
    "runs": harness.RUNS,
    "threads": harness.THREADS,
    "sample": harness.SAMPLE,
}
_LENGTHS, _BATCH = 128, 64  # lengths kept for the page; documents of the batches whose padding is counted


def recipes_of(
    networks: Sequence[str], overrides: Sequence[str], *, sample: bool = False
) -> dict[str, ReviewsRecipe]:
    """Return the recipe of each network.

    Args:
        networks: Keys of ``NETWORKS``.
        overrides: ``key=value`` for all networks, ``network.key=value`` for one of them.
        sample: For a few hundred short documents.

    Returns:
        Network to recipe.

    Raises:
        InputError: A setting is wrong.
    """
    found = {}
    for network in networks:
        own = ["self_training.rounds=0"]
        for one in overrides:
            key, dot, rest = one.partition(".")
            if not dot or key not in NETWORKS:
                own.append(one)
            elif key == network:
                own.append(rest)
        found[network] = chosen_recipe("sample" if sample else "imdb", network, own)
    return found


def run(source: ReviewsSource, runs: Path, recipes: dict[str, ReviewsRecipe]) -> dict[str, Any]:
    """Train and score all networks.

    Args:
        source: The documents.
        runs: Folder of the runs; what is finished there is not done again.
        recipes: Of each network.

    Returns:
        What ``apps.reviews.reports.NETWORKS`` reads.
    """
    found = {}
    for name, recipe in recipes.items():
        harness.report(f"{NETWORKS[name]} ...")
        made_by = {"recipe": to_dict(recipe), "data": source.train.checksum}
        folder = runs / name
        found[name] = harness.once(folder, made_by, partial(_scored, recipe, source, folder)) | {
            "text": NETWORKS[name]
        }
    return {
        "settings": harness.settings(
            data=dict(source.checksums),
            learned=max(one["learned"] for one in found.values()),
            duplicates=shared_texts(source.train.texts, source.test.texts).count,
        ),
        "networks": found,
        "published": dict(source.published),
        "padding": _padding([len(keys_of(text)) + 1 for text in source.train.texts]),
    }


def _scored(recipe: ReviewsRecipe, source: ReviewsSource, folder: Path) -> dict[str, Any]:
    """Train and score one network."""
    from models.training.driver import train

    trained = train(ReviewsTask(), recipe, source, Run(folder, resume=True))
    reviews = trained.answers.reviews
    held_out = score(reviews, source.train.chosen(trained.answers.validation), "held out")
    test = score(reviews, source.test, source.protocol)
    specs = (spec for member in reviews.config.members for spec in network_specs(member).values())
    return {
        "accuracy": test.accuracy,
        "standard_error": test.standard_error,
        "n": test.n,
        "validation": held_out.accuracy,
        "calibration_error": test.calibration_error,
        "seconds": trained.seconds,
        "learned": trained.answers.learned,
        "parameters": sum(int(np.prod(spec.shape)) for spec in specs),
        "left_out_share": test.left_out_share,
    }


def _padding(lengths: Sequence[int]) -> dict[str, Any]:
    """Count the padding of an epoch, and draw some lengths for a picture."""
    padding = padding_of(lengths, _BATCH)
    drawn = np.random.default_rng(0).choice(len(lengths), min(_LENGTHS, len(lengths)), replace=False)
    return {
        "batch_size": _BATCH,
        "shuffled": padding.shuffled,
        "bucketed": padding.bucketed,
        "lengths": [int(lengths[at]) for at in drawn],
    }


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    recipes = recipes_of(options.networks, options.set, sample=options.sample)
    source = sample_source() if options.sample else imdb_source()
    with harness.folder_of(options.runs) as runs:
        results = run(source, runs, recipes)
    results["settings"]["threads"] = options.threads
    return results


main = harness.command(__name__, __doc__, reports.NETWORKS, _measured, OPTIONS)
