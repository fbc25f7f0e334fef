"""Speed and accuracy beside scikit-learn's TF-IDF with logistic regression and fastText, in one run; bounded memory.

    python -m benchmarks.reviews_speed                    some minutes
    python -m benchmarks.reviews_speed --lines 1000000    and the memory of a million lines

All learn from the train half of IMDB (ours is the shipped preset) and classify the test half from raw text, held to the
same processor cores, in turn, so that a busy moment of the computer meets all of them; scikit-learn and fastText use
one core to classify. fastText is left out, and that is said, where it is not installed (requirements-bench.txt).

- scikit-learn: ``TfidfVectorizer`` of words and pairs of words, those that two documents hold, the logarithm of their
  counts; ``LogisticRegression`` with C = 10 and otherwise its defaults.
- fastText (Joulin et al. 2017): words and pairs, as its tutorial does with punctuation set apart and small letters;
  the number of passes, the rate and the dimensions are options. Its Python package calls an interface of NumPy that is
  gone, so that its own C++ object is called here, which gives the same answers.
"""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from apps.reviews.application import DEFAULT_PRESET, Reviews
from apps.reviews.reports import SPEED
from apps.reviews.results import Verdict
from benchmarks.harness import ROOT, THREADS, Option, Peer, command, report, seconds_of, settings, speeds
from data_prep.readers.document_sets import read_imdb
from data_prep.text.text_inputs import plain

OPTIONS = {
    "preset": Option(DEFAULT_PRESET, "classifier to measure"),
    "threads": THREADS,
    "documents": Option(5000, "documents of a batch"),
    "repeats": Option(5, "batches"),
    "singles": Option(300, "documents that are classified one by one"),
    "lines": Option(0, "lines of the stream whose memory is watched"),
    "fasttext_epochs": Option(10, "passes of fastText"),
    "fasttext_rate": Option(0.5, "learning rate of fastText"),
}
_SIGNS = re.compile(r"([.!?,'/()\"])")
_LABEL = "__label__"  # fastText's
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


class TfidfPeer(Peer):
    """TF-IDF and logistic regression of scikit-learn."""

    name = "scikit-learn"

    def __init__(self) -> None:
        self.pipeline: Any = None

    def train(self, texts: Sequence[str], labels: np.ndarray) -> None:
        """Learn from texts with labels int (n,)."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
        self.pipeline = make_pipeline(vectorizer, LogisticRegression(C=10.0, max_iter=1000))
        self.pipeline.fit(texts, labels)

    def classify(self, texts: Sequence[str]) -> np.ndarray:
        """Return the label of each text, int (n,)."""
        return self.pipeline.predict(texts)


class FastTextPeer(Peer):
    """fastText's classifier.

    Args:
        threads: Of its training; it classifies with one.
        epochs: Passes.
        rate: Learning rate.
        dimensions: Length of a vector.
    """

    name = "fasttext"
    packages = ("fasttext-wheel", "fasttext")

    def __init__(self, threads: int = 1, epochs: int = 10, rate: float = 0.5, dimensions: int = 50) -> None:
        self.threads, self.epochs, self.rate, self.dimensions = threads, epochs, rate, dimensions
        self.model: Any = None

    def train(self, texts: Sequence[str], labels: np.ndarray) -> None:
        """Learn from texts with labels int (n,)."""
        fasttext = importlib.import_module("fasttext")  # not in requirements-dev.txt

        order = np.random.default_rng(_SEED).permutation(len(texts))  # it reads the file as it stands
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            with path.open("w", encoding="utf-8") as file:
                file.writelines(f"{_LABEL}{labels[at]} {fasttext_line(texts[at])}" for at in order)
            self.model = fasttext.train_supervised(
                input=str(path),
                wordNgrams=2,
                epoch=self.epochs,
                lr=self.rate,
                dim=self.dimensions,
                thread=self.threads,
                verbose=0,
            )

    def classify(self, texts: Sequence[str]) -> np.ndarray:
        """Return the label of each text, int (n,)."""
        lines = [fasttext_line(text) for text in texts]
        labels, _ = self.model.f.multilinePredict(lines, 1, 0.0, "strict")
        return np.array([int(one[0].removeprefix(_LABEL)) for one in labels])


def fasttext_line(text: str) -> str:
    """Write a text as fastText's tutorial prepares it: one line, small letters, punctuation set apart."""
    return " ".join(_SIGNS.sub(r" \1 ", plain(text).lower()).split()) + "\n"


def measure(
    systems: dict[str, Classify],
    texts: Sequence[str],
    labels: np.ndarray,
    *,
    documents: int,
    repeats: int,
    singles: int,
) -> dict[str, dict[str, Any]]:
    """Time classifiers, functions of texts, on the same documents in turn (:func:`benchmarks.harness.speeds`).

    So many of them, drawn with a seed, are classified in each of the batches and one by one; the accuracy, in percent,
    is that on all texts, whose labels are int (n,).
    """
    drawn = np.random.default_rng(_SEED).permutation(len(texts))
    batch, alone = ([texts[at] for at in part] for part in (drawn[:documents], drawn[-singles:]))
    right = {name: 100.0 * float((classify(texts) == labels).mean()) for name, classify in systems.items()}
    found = speeds(systems, batch, alone, repeats, names=("documents", "document"))
    return {name: {**one, "accuracy": right[name]} for name, one in found.items()}


def stream(preset: str, texts: Iterable[str], lines: int) -> dict[str, float]:
    """Send so many lines, the first words of texts, through ``classify --lines``.

    Returns:
        Lines a second, loading included, and peak memory of the process in MiB.

    Raises:
        CalledProcessError: The command failed.
    """
    short = [" ".join(plain(text).split()[:_LINE_WORDS]) + "\n" for text in texts]
    given = "".join(islice(cycle(short), lines)).encode()
    command = [sys.executable, "-m", "apps", "reviews", "classify", "--lines", "--preset", preset]
    with tempfile.NamedTemporaryFile(mode="r", encoding="utf-8") as peak:
        watched = [sys.executable, "-c", _WATCH, peak.name, *command]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        seconds = seconds_of(partial(subprocess.run, watched, cwd=ROOT, input=given, check=True, **quiet))
        memory = peak.read()
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
    counts = {name: getattr(options, name) for name in ("documents", "repeats", "singles")}
    found = measure(systems, imdb.test.texts, imdb.test.labels, **counts)
    measured = {name: found[name] | facts[name] for name in systems}
    results = {"settings": settings(options, test=len(imdb.test)), "systems": measured}
    if options.lines:
        counts = sorted({max(1, options.lines // 100), options.lines})
        results["stream"] = {
            str(lines): stream(str(options.preset), imdb.test.texts, lines) for lines in counts
        }
    return results


def labels_of(reviews: Reviews, texts: Sequence[str]) -> np.ndarray:
    """Classify texts with ours, int (n,); a text without a known word counts as wrong, -1."""
    numbers = {label: number for number, label in enumerate(reviews.labels)}
    answers = reviews.classify_many(texts)
    return np.array([numbers[one.label] if isinstance(one, Verdict) else -1 for one in answers])


main = command(__name__, __doc__, SPEED, run, OPTIONS)
