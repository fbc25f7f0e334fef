"""The classifiers that ours is measured against: TF-IDF with logistic regression, and fastText, from raw text.

- scikit-learn: ``TfidfVectorizer`` of words and pairs of words, those that two documents hold, the logarithm of their
  counts; ``LogisticRegression`` with C = 10 and otherwise its defaults.
- fastText (Joulin et al. 2017): words and pairs, as its tutorial does with punctuation set apart and small letters;
  the number of passes, the rate and the dimensions are options. Its Python package calls an interface of NumPy that is
  gone, so that its own C++ object is called here, which gives the same answers.
"""

from __future__ import annotations

import importlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Peer
from data_prep.text.text_inputs import plain

_SIGNS = re.compile(r"([.!?,'/()\"])")
_LABEL = "__label__"
_SEED = 1


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
