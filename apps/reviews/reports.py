"""What commands measured and stored about classifiers of documents: presets, every network, speed."""

from __future__ import annotations

from apps.shared.reports import DASH, Escape, Stored
from apps.shared.tables import Column, Rows, Table

SYSTEMS = {
    "lectern": "Lectern",
    "scikit-learn": "TF-IDF + logistic regression",
    "fasttext": "fastText",
}


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
    (
        Rows("networks.*", "{text}"),
        Rows("published.*", "{0} (published)", columns=(Column("", "", ".2f"),)),
    ),
    "Learned from {settings.learned:,} reviews of the train half, scored once on the test half, of which "
    "{settings.duplicates:,} reviews stand in the train half too. Padding of batches of {padding.batch_size}: "
    "{padding.shuffled*100:.1f} % in random order, {padding.bucketed*100:.1f} % in buckets of length. "
    "{settings.threads} core(s) of {settings.processor}.",
)


def _speed_facts(found: Stored, escape: Escape) -> str:
    facts = found.text(
        "The test half of IMDB from raw text, batches of {settings.documents:,} documents; {settings.threads} core(s) "
        "of {settings.processor}, all systems in one run; the others use one core to classify.",
        escape=escape,
    )
    if not found.get("stream"):
        return facts
    streams = sorted((int(lines), one) for (lines,), one in found.rows("stream.*"))
    memory = ", ".join(one.text("{peak_memory_mib:,.0f} MiB for {0}", f"{lines:,}") for lines, one in streams)
    speed = streams[-1][1].text("{lines_per_second:,.0f} lines a second")
    return f"{facts} Peak memory of `classify --lines`, which keeps no line, by number of lines: {memory}; {speed}."


SPEED = Table(
    "reviews_speed",
    "python -m benchmarks.reviews_speed --lines 1000000 --store",
    "system",
    (
        Column("documents/s", "documents_per_second", ",.0f", "documents a second, in batches"),
        Column("one document, ms", "one_document_ms", ".2f", "milliseconds for one document"),
        Column("test, %", "accuracy", ".2f", "test reviews right, %"),
        Column("training, s", "training_seconds", ",.0f", "seconds of training"),
    ),
    (Rows("systems.*", names=(SYSTEMS,)),),
    _speed_facts,
)
