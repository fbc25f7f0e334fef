"""Speed and accuracy beside scikit-learn's TF-IDF with logistic regression and fastText, in one run; bounded memory.

    python -m benchmarks.reviews_speed                    some minutes
    python -m benchmarks.reviews_speed --lines 1000000    and the memory of a million lines

All learn from the train half of IMDB (ours is the shipped preset) and classify the test half from raw text, held to the
same processor cores, in turn, so that a busy moment of the computer meets all of them; scikit-learn and fastText use
one core to classify. fastText is left out, and that is said, where it is not installed (requirements-bench.txt).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import cycle, islice
from typing import Any

import numpy as np

from apps.reviews.application import DEFAULT_PRESET, Reviews
from apps.reviews.reports import SPEED
from apps.reviews.results import Verdict
from benchmarks.harness import ROOT, THREADS, Option, command, report, seconds_of, settings, speeds
from benchmarks.reviews_peers import FastTextPeer, TfidfPeer
from data_prep.readers.reviews import read_imdb
from data_prep.text.text_inputs import plain

OPTIONS = {
    "preset": Option(DEFAULT_PRESET, "classifier to measure"),
    "threads": THREADS,
    "documents": Option(5000, "documents of a batch"),
    "repeats": Option(5, "batches"),
    "singles": Option(300, "documents that are classified one by one"),
    "lines": Option(0, "lines of the stream whose memory is watched", least=0),
    "fasttext_epochs": Option(10, "passes of fastText"),
    "fasttext_rate": Option(0.5, "learning rate of fastText"),
}
_SEED = 1
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
        For each system documents a second and milliseconds for one document, as :func:`benchmarks.harness.speeds`, and
        accuracy in percent.
    """
    drawn = np.random.default_rng(_SEED).permutation(len(texts))
    batch, alone = ([texts[at] for at in part] for part in (drawn[:documents], drawn[-singles:]))
    right = {name: 100.0 * float((classify(texts) == labels).mean()) for name, classify in systems.items()}
    found = speeds(systems, batch, alone, repeats, names=("documents", "document"))
    return {name: {**one, "accuracy": right[name]} for name, one in found.items()}


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
    """Train the peers, measure all, and sum up."""
    reviews, imdb = Reviews.from_preset(options.preset), read_imdb(unlabelled=False)
    fasttext = FastTextPeer(options.threads, options.fasttext_epochs, options.fasttext_rate)
    peers = [peer for peer in (TfidfPeer(), fasttext) if peer.version is not None]
    if fasttext not in peers:
        report("fastText is not installed: left out (requirements-bench.txt)")
    systems: dict[str, Classify] = {"lectern": partial(labels_of, reviews)}
    facts = {"lectern": {"training_seconds": float(reviews.metadata["seconds"])}}
    for peer in peers:
        report(f"training {peer.name} ...")
        seconds = seconds_of(partial(peer.train, imdb.train.texts, imdb.train.labels))
        facts[peer.name] = {"training_seconds": seconds, "version": peer.version}
        systems[peer.name] = peer.classify
    found = measure(
        systems, imdb.test.texts, imdb.test.labels, options.documents, options.repeats, options.singles
    )
    measured = {name: found[name] | facts[name] for name in systems}
    results = {"settings": settings(options, test=len(imdb.test)), "systems": measured}
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
    numbers = {label: number for number, label in enumerate(reviews.labels)}
    return np.array(
        [numbers[one.label] if isinstance(one, Verdict) else -1 for one in reviews.classify_many(texts)]
    )


main = command(__name__, __doc__, SPEED, run, OPTIONS)
