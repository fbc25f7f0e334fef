"""What commands measured and stored about classifiers of documents: presets, every network, other systems."""

from __future__ import annotations

from apps.shared.reports import DASH, Stored
from apps.shared.tables import Column, Rows, Table

SYSTEMS = {"lectern": "Lectern", "scikit-learn": "TF-IDF + logistic regression", "fasttext": "fastText"}


def _label(row: Stored, *_: str) -> str:
    return f"`{row['.preset']}`: {row['protocol'].split(';')[0]}"


def _published(row: Stored) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in row.get("published", {}).items()) or DASH


_SCORE = (
    Column("% right", "score", ".2f"),
    Column("standard error", "standard_error", ".2f"),
    Column("documents", "n", ","),
)
SCORES = Table(
    "text_classifier",
    "python -m apps reviews fit",
    "preset and documents",
    (
        *_SCORE,
        Column("calibration error", "{.metrics.calibration_error.score:.2f} %"),
        Column("others, %", _published),
    ),
    (
        Rows("metrics.accuracy", _label),
        Rows("metrics.accuracy_without_duplicates", _label, columns=_SCORE, optional=True),
    ),
    presets=("reviews_imdb", "topics_bbc"),
)
NETWORKS = Table(
    "reviews_networks",
    "python -m benchmarks.reviews_networks --runs runs/reviews --store",
    "network",
    (
        Column("test, %", "accuracy", ".2f", "test reviews right, %"),
        Column("standard error", "standard_error", ".2f"),
        Column("reviews", "n", ","),
        Column("held out, %", "validation", ".2f"),
        Column("minutes", "seconds/60", ".1f"),
        Column("parameters", "parameters", ","),
        Column("words not read, %", "left_out_share*100", ".1f"),
    ),
    (Rows("networks.*", "{text}"), Rows("published.*", "{0} (published)", columns=(Column("", "", ".2f"),))),
    "Learned from {settings.learned:,} reviews of the train half, scored once on the test half, of which "
    "{settings.duplicates:,} reviews stand in the train half too. Padding of batches of {padding.batch_size}: "
    "{padding.shuffled*100:.1f} % in random order, {padding.bucketed*100:.1f} % in buckets of length. "
    "Threads: {settings.threads}; {settings.processor}.",
)
PEERS = Table(
    "reviews_peers",
    "python -m benchmarks.peers --task reviews --store",
    "system",
    (
        Column("test, %", "accuracy", ".2f", "test reviews right, %"),
        Column("training, s", "training_seconds", ",.0f", "seconds of training"),
    ),
    (Rows("systems.*", names=(SYSTEMS,)),),
    "The test half of IMDB from raw text, learned from the train half; threads: {settings.threads}; "
    "{settings.processor}. Lectern's seconds are those of its preset.",
)
