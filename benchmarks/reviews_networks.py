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
import json
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from apps.reviews.recipes import ReviewsRecipe
    from apps.reviews.sources import ReviewsSource

RESULTS = RESULTS_DIR / "reviews_networks.json"
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
_LENGTHS, _BATCH = (
    128,
    64,
)  # lengths that are kept for the page, and documents of the batches whose padding is counted


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
    from apps.reviews.recipes import chosen_recipe

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
        What ``apps.reviews.reports.networks_report`` reads.
    """
    from data_prep.text.duplicates import shared_texts
    from data_prep.text.text_inputs import keys_of
    from models.training.run_folder import engine_versions, processor

    found = {}
    for name, recipe in recipes.items():
        print(f"{NETWORKS[name]} ...", file=sys.stderr, flush=True)
        found[name] = _network(recipe, source, runs / name) | {"text": NETWORKS[name]}
    lengths = [len(keys_of(text)) + 1 for text in source.train.texts]
    return {
        "settings": {
            "data": dict(source.checksums),
            "learned": max(one["learned"] for one in found.values()),
            "duplicates": shared_texts(source.train.texts, source.test.texts).count,
            "processor": processor(),
            "versions": engine_versions(),
        },
        "networks": found,
        "published": dict(source.published),
        "padding": _padding(lengths),
    }


def _network(recipe: ReviewsRecipe, source: ReviewsSource, folder: Path) -> dict[str, Any]:
    """Train and score one network, or read what it scored before."""
    from apps.reviews.evaluation import score
    from apps.reviews.task import train
    from models.storage.atomic import write_json
    from models.text_classifier.config import network_specs
    from models.training.recipe import to_dict
    from models.training.run_folder import remove_run

    done = folder.with_suffix(".json")
    settings = {"recipe": to_dict(recipe), "data": source.train.checksum}
    if done.is_file():
        before = json.loads(done.read_text(encoding="utf-8"))
        if {key: before[key] for key in settings} != settings:
            raise InputError(f"{done} is of another recipe", remedy="Choose another folder with --runs")
        return before
    folder.mkdir(parents=True, exist_ok=True)
    trained = train(recipe, source, folder, resume=True)
    reviews = trained.reviews
    held_out = score(reviews, source.train.chosen(trained.validation), "held out")
    test = score(reviews, source.test, source.protocol)
    result = {
        **settings,
        "accuracy": test.accuracy,
        "standard_error": test.standard_error,
        "n": test.n,
        "validation": held_out.accuracy,
        "calibration_error": test.calibration_error,
        "seconds": trained.seconds,
        "learned": trained.learned,
        "parameters": sum(
            int(np.prod(spec.shape))
            for member in reviews.config.members
            for spec in network_specs(member).values()
        ),
        "left_out_share": test.left_out_share,
    }
    write_json(done, result)
    remove_run(folder)
    return result


def _padding(lengths: Sequence[int]) -> dict[str, Any]:
    """Count the padding of an epoch, and draw some lengths for a picture."""
    from data_prep.text.document_batches import padding_of

    padding = padding_of(lengths, _BATCH)
    drawn = np.random.default_rng(0).choice(len(lengths), min(_LENGTHS, len(lengths)), replace=False)
    return {
        "batch_size": _BATCH,
        "shuffled": padding.shuffled,
        "bucketed": padding.bucketed,
        "lengths": [int(lengths[at]) for at in drawn],
    }


def print_results(results: dict[str, Any]) -> None:
    """Print the table."""
    print(
        "network\ttest, %\tstandard error\tn\theld out, %\tcalibration error\tminutes\tparameters\tleft out, %"
    )
    for one in results["networks"].values():
        print(
            f"{one['text']}\t{one['accuracy']:.2f}\t{one['standard_error']:.2f}\t{one['n']:,}\t"
            f"{one['validation']:.2f}\t{one['calibration_error']:.4f}\t{one['seconds'] / 60:.1f}\t"
            f"{one['parameters']:,}\t{100 * one['left_out_share']:.1f}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark on the arguments of the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reviews_networks", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument(
        "--set", action="append", default=[], metavar="[NETWORK.]KEY=VALUE", help="change a setting"
    )
    parser.add_argument("--runs", type=Path, help="folder of the runs; kept, and gone on with")
    parser.add_argument("--threads", type=int, default=2, help="processor cores")
    parser.add_argument("--sample", action="store_true", help="reviews that the project makes by rules")
    add_output_options(parser, RESULTS)
    options = parser.parse_args(arguments)
    check_positive(parser, options, ("threads",))
    limit_cores(options.threads)
    return carry_out(options, lambda: _measured(options), partial(write_results, RESULTS), print_results)


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    """Run it as the command line asks for."""
    from apps.reviews.sources import imdb_source, sample_source

    recipes = recipes_of(options.networks, options.set, sample=options.sample)
    source = sample_source() if options.sample else imdb_source()
    with tempfile.TemporaryDirectory() as temporary:
        runs = Path(temporary) if options.runs is None else options.runs
        results = run(source, runs, recipes)
    results["settings"]["threads"] = options.threads
    return results


if __name__ == "__main__":
    sys.exit(main())
