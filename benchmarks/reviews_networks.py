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
from apps.reviews.sources import ReviewsSource, named_source, sample_source
from apps.reviews.task import ReviewsTask
from benchmarks import harness
from data_prep.text.document_batches import padded_batches
from data_prep.text.text_inputs import keys_of, shared_texts
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
    """Return the recipe of each network; ``overrides`` are ``key=value`` for all, ``network.key=value`` for one.

    Raises:
        InputError: A setting is wrong.
    """
    found = {}
    for network in networks:
        meant = [one for one in overrides if one.partition(".")[0] not in NETWORKS.keys() - {network}]
        own = ["self_training.rounds=0", *(one.removeprefix(f"{network}.") for one in meant)]
        found[network] = chosen_recipe("sample" if sample else "imdb", network, own)
    return found


def run(source: ReviewsSource, runs: Path, recipes: dict[str, ReviewsRecipe]) -> dict[str, Any]:
    """Train and score all networks; what is finished in the folder ``runs`` is not done again."""
    found = {}
    for name, recipe in recipes.items():
        harness.report(f"{NETWORKS[name]} ...")
        made_by = {"recipe": to_dict(recipe), "data": source.train.checksum}
        scored = harness.once(runs / name, made_by, partial(_scored, recipe, source, runs / name))
        found[name] = scored | {"text": NETWORKS[name]}
    lengths = [len(keys_of(text)) + 1 for text in source.train.texts]
    shares = {name: padded.share for name, padded in padded_batches(lengths, _BATCH).items()}
    drawn = np.random.default_rng(0).choice(lengths, min(_LENGTHS, len(lengths)), replace=False)
    return {
        "settings": harness.settings(
            data=dict(source.checksums),
            learned=max(one["learned"] for one in found.values()),
            duplicates=len(shared_texts(source.train.texts, source.test.texts)),
        ),
        "networks": found,
        "published": dict(source.published),
        "padding": {"batch_size": _BATCH, **shares, "lengths": drawn.tolist()},
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
        **test.to_dict(),
        "validation": held_out.accuracy,
        "calibration_error": test.calibration_error,
        "seconds": trained.seconds,
        "learned": trained.answers.learned,
        "parameters": sum(int(np.prod(spec.shape)) for spec in specs),
        "left_out_share": test.left_out_share,
    }


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    recipes = recipes_of(options.networks, options.set, sample=options.sample)
    source = sample_source() if options.sample else named_source("imdb")
    results = run(source, options.runs, recipes)
    results["settings"]["threads"] = options.threads
    return results | harness.beside_stored(reports.NETWORKS, {"networks": results["networks"]})


main = harness.command(__name__, __doc__, reports.NETWORKS, _measured, OPTIONS)
