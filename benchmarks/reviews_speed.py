"""Speed and accuracy beside scikit-learn's TF-IDF with logistic regression and fastText, in one run; bounded memory.

    python -m benchmarks.reviews_speed                    some minutes
    python -m benchmarks.reviews_speed --lines 1000000    and the memory of a million lines

All learn from the train half of IMDB (ours is the shipped preset) and classify the test half from raw text, held to the
same processor cores, in turn, so that a busy moment of the computer meets all of them; scikit-learn and fastText use
one core to classify. fastText is left out, and that is said, where it is not installed (requirements-bench.txt).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.shared.reports import RESULTS_DIR
from benchmarks.command import (
    ROOT,
    add_output_options,
    carry_out,
    check_positive,
    limit_cores,
    write_results,
)

if TYPE_CHECKING:
    from apps.reviews.application import Reviews

RESULTS = RESULTS_DIR / "reviews_speed.json"
_SEED, _WARM_UP = 1, 20
_LINE_WORDS = 25
# A process begins with the peak of the one that starts it: a small one stands between this and what is watched.
_WATCH = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""

Classify = Callable[[Sequence[str]], np.ndarray]


def measure(
    systems: dict[str, Classify],
    texts: Sequence[str],
    labels: np.ndarray,
    documents: int,
    repeats: int,
    singles: int,
) -> dict[str, dict[str, Any]]:
    """Time classifiers on the same documents, in turn.

    Args:
        systems: Name to a function from texts to labels.
        texts: All documents; the accuracy is that on all of them.
        labels: Of all of them, int (n,).
        documents: How many are classified in a batch, drawn with a seed.
        repeats: Batches.
        singles: How many are classified one by one.

    Returns:
        For each system documents a second (median and all), milliseconds for one document (median and 95th percentile)
        and accuracy in percent.
    """
    drawn = np.random.default_rng(_SEED).permutation(len(texts))
    batch = [texts[at] for at in drawn[:documents]]
    alone = [texts[at] for at in drawn[-singles:]]
    right = {name: 100.0 * float((classify(texts) == labels).mean()) for name, classify in systems.items()}
    speeds: dict[str, list[float]] = {name: [] for name in systems}
    single: dict[str, list[float]] = {name: [] for name in systems}
    for _ in range(repeats):
        for name, classify in systems.items():
            began = time.perf_counter()
            classify(batch)
            speeds[name].append(len(batch) / (time.perf_counter() - began))
    for name, classify in systems.items():
        for text in alone[:_WARM_UP]:
            classify([text])
        for text in alone:
            began = time.perf_counter()
            classify([text])
            single[name].append(1000 * (time.perf_counter() - began))
    return {
        name: {
            "documents_per_second": statistics.median(speeds[name]),
            "passes": speeds[name],
            "one_document_ms": statistics.median(single[name]),
            "one_document_ms_95": sorted(single[name])[int(0.95 * len(single[name]))],
            "accuracy": right[name],
        }
        for name in systems
    }


def stream(preset: str, texts: Iterable[str], lines: int) -> dict[str, float]:
    """Send lines through ``python -m apps reviews classify --lines`` and watch its memory.

    Args:
        preset: Classifier.
        texts: Where the lines come from, again and again; the first words of each.
        lines: How many.

    Returns:
        Lines a second, loading included, and peak memory of the process in MiB.

    Raises:
        RuntimeError: The command failed.
    """
    from data_prep.text.text_inputs import plain

    short = [" ".join(plain(text).split()[:_LINE_WORDS]) + "\n" for text in texts]
    command = [sys.executable, "-m", "apps", "reviews", "classify", "--lines", "--preset", preset]
    began = time.perf_counter()
    with tempfile.NamedTemporaryFile(mode="r", encoding="utf-8") as peak:
        watched = [sys.executable, "-c", _WATCH, peak.name, *command]
        with subprocess.Popen(
            watched,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        ) as process:
            assert process.stdin is not None
            with suppress(BrokenPipeError), process.stdin as pipe:  # its exit code says more
                pipe.writelines(islice(cycle(short), lines))
        seconds, memory = time.perf_counter() - began, peak.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return {"lines_per_second": lines / seconds, "peak_memory_mib": int(memory) * unit / 2**20}


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train the peers, measure all, and sum up.

    Args:
        options: ``preset``, ``threads``, ``documents``, ``repeats``, ``singles``, ``lines`` and those of fastText.

    Returns:
        What ``apps.reviews.reports.speed_report`` reads.
    """
    from apps.reviews.application import Reviews
    from benchmarks.reviews_peers import FastTextPeer, TfidfPeer
    from data_prep.readers.reviews import read_imdb
    from models.training.run_folder import engine_versions, processor

    reviews = Reviews.from_preset(options.preset)
    imdb = read_imdb(unlabelled=False)
    fasttext = FastTextPeer(options.threads, options.fasttext_epochs, options.fasttext_rate)
    peers = [peer for peer in (TfidfPeer(), fasttext) if peer.version is not None]
    if fasttext not in peers:
        print("fastText is not installed: left out (requirements-bench.txt)", file=sys.stderr)
    systems: dict[str, Classify] = {"lectern": partial(labels_of, reviews)}
    facts = {"lectern": {"training_seconds": float(reviews.metadata["seconds"])}}
    for peer in peers:
        print(f"training {peer.name} ...", file=sys.stderr, flush=True)
        began = time.perf_counter()
        peer.train(imdb.train.texts, imdb.train.labels)
        facts[peer.name] = {"training_seconds": time.perf_counter() - began, "version": peer.version}
        systems[peer.name] = peer.classify
    found = measure(
        systems, imdb.test.texts, imdb.test.labels, options.documents, options.repeats, options.singles
    )
    results = {
        "settings": {
            "preset": str(options.preset),
            "threads": options.threads,
            "documents": options.documents,
            "test": len(imdb.test),
            "repeats": options.repeats,
            "fasttext": {"epochs": options.fasttext_epochs, "rate": options.fasttext_rate},
            "processor": processor(),
            "versions": engine_versions(),
        },
        "systems": {name: found[name] | facts[name] for name in systems},
    }
    if options.lines:
        counts = sorted({max(1, options.lines // 100), options.lines})
        results["stream"] = {
            str(lines): stream(str(options.preset), imdb.test.texts, lines) for lines in counts
        }
    return results


def labels_of(reviews: Reviews, texts: Sequence[str]) -> np.ndarray:
    """Classify texts with ours; a text without a known word counts as wrong, -1.

    Args:
        reviews: Ours.
        texts: Raw.

    Returns:
        Int (n,).
    """
    from apps.reviews.results import Verdict

    numbers = {label: number for number, label in enumerate(reviews.labels)}
    return np.array(
        [numbers[one.label] if isinstance(one, Verdict) else -1 for one in reviews.classify_many(texts)]
    )


def print_results(results: dict[str, Any]) -> None:
    """Print the table."""
    print("system\tdocuments/s\tone document, ms\taccuracy, %\ttraining, s")
    for name, one in results["systems"].items():
        print(
            f"{name}\t{one['documents_per_second']:,.0f}\t{one['one_document_ms']:.2f}\t{one['accuracy']:.2f}\t"
            f"{one['training_seconds']:,.0f}"
        )
    for lines, one in results.get("stream", {}).items():
        print(
            f"{int(lines):,} lines: {one['lines_per_second']:,.0f} a second, {one['peak_memory_mib']:,.0f} MiB at most"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark on the arguments of the command line and return the exit code."""
    from apps.reviews.application import DEFAULT_PRESET

    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reviews_speed", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--preset", default=DEFAULT_PRESET, help="classifier to measure")
    parser.add_argument("--threads", type=int, default=2, help="processor cores for every system")
    parser.add_argument("--documents", type=int, default=5000, help="documents of a batch")
    parser.add_argument("--repeats", type=int, default=5, help="batches")
    parser.add_argument("--singles", type=int, default=300, help="documents that are classified one by one")
    parser.add_argument("--lines", type=int, default=0, help="lines of the stream whose memory is watched")
    parser.add_argument("--fasttext-epochs", type=int, default=10, help="passes of fastText")
    parser.add_argument("--fasttext-rate", type=float, default=0.5, help="learning rate of fastText")
    add_output_options(parser, RESULTS)
    options = parser.parse_args(arguments)
    check_positive(parser, options, ("threads", "documents", "repeats", "singles", "fasttext_epochs"))
    if options.lines < 0:
        parser.error("--lines must be 0 or more")
    limit_cores(options.threads)
    return carry_out(options, lambda: run(options), partial(write_results, RESULTS), print_results)


if __name__ == "__main__":
    sys.exit(main())
