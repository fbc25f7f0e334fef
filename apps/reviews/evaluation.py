"""How good a classifier of documents is: accuracy, standard error, calibration, and what it mistakes for what."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from apps.reviews.application import Reviews
from apps.reviews.results import Refused, ReviewsEvaluation
from apps.reviews.sources import (
    ReviewsSource,
    is_own,
    label_numbers,
    learned_from,
    named_source,
    own_source,
    own_texts,
    set_of,
    source_of,
)
from apps.shared.calibration import calibration_error, reliability
from apps.shared.measures import confusion_matrix, measure, percent_right
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import LabelledTexts, Row, iter_csv
from data_prep.readers.labelled_texts import Refused as RefusedRow
from data_prep.readers.text import GivenPath, input_file
from data_prep.text.duplicates import shared_texts
from models.serving.operations import softmax
from models.training.task import Metrics

_LARGEST_WEIGHT = 50.0
_PULL = 1e-4  # towards small weights, so that few documents do not make a classifier certain
_SMALLEST = 1e-12  # probability, in logarithms
_LISTED_LABELS = 12


def evaluate(
    reviews: Reviews,
    csv: GivenPath | Sequence[GivenPath] = (),
    *,
    text: str = "text",
    label: str = "label",
    folder: Path | None = None,
    data: str | None = None,
) -> ReviewsEvaluation:
    """Score documents that a classifier did not learn from.

    Args:
        reviews: The classifier.
        csv: Labelled documents of your own, one file or several, or ``-`` for standard input; of those that it learned
            from, what was held out for testing is scored.
        text: Column of the documents.
        label: Column of the labels.
        folder: The same as a folder with one sub-folder a label.
        data: Name of a set of documents.

    Returns:
        The score: without ``csv``, ``folder`` and ``data`` that of the test part of the set that it learned from.

    Raises:
        InputError: The documents cannot be had, none can be scored, or none has a label that the classifier knows.
    """
    learned = reviews.metadata.get("data", {})
    files = [csv] if isinstance(csv, GivenPath) else list(csv)
    if files and folder is not None:
        raise InputError("A CSV file and a folder exclude each other", remedy="Give one of them")
    if folder is not None or (files and is_own(learned)):
        texts, name = own_texts(files, folder, text, label)
        if learned_from(texts, learned):
            source = own_source(texts, name)
            return score(reviews, source.test, source.protocol)
        if folder is not None:
            return score(reviews, texts, f"all of {name}")
    if files:  # row by row, in bounded memory
        name = ", ".join(input_file(path).name for path in files)
        scored = Scored(reviews, iter_csv(files, text, label))
        return together([scored], reviews.labels, f"all of {name}", counted="row")
    source = source_of(learned) if data is None else named_source(data)
    if source is not None and source.test is not None:
        return score(reviews, source.test, source.protocol)
    if data is not None and set_of(learned) != data:
        return score(reviews, source.train, f"all of {source.name}")
    raise InputError(
        "There are no documents left that this classifier did not learn from",
        allowed="--csv FILE, --folder FOLDER, or for BBC News --data bbc --folds 5, which trains anew",
    )


def score(reviews: Reviews, texts: LabelledTexts, split: str) -> ReviewsEvaluation:
    """Score a classifier on labelled documents, each counted once.

    Args:
        reviews: The classifier.
        texts: The documents.
        split: What they are called.

    Raises:
        InputError: None of them has a label that the classifier knows.
    """
    return together([Scored(reviews, chain(texts.refused, rows_of(texts)))], reviews.labels, split)


def final_metrics(reviews: Reviews, source: ReviewsSource, learned: int) -> Metrics:
    """Score a trained classifier on the test part, with and without documents that the training part holds too."""
    result = score(reviews, source.test, source.protocol)
    metrics = metrics_of(result, source, learned)
    twice = shared_texts(source.train.texts, source.test.texts)
    metrics["accuracy"]["duplicates"] = twice.count
    if twice.count:
        rest = np.setdiff1d(np.arange(len(source.test)), np.array(twice.places))
        named = f"{source.protocol}, without the {twice.count} documents that the training part holds too"
        alone = score(reviews, source.test.chosen(rest), named)
        metrics["accuracy_without_duplicates"] = measure(
            alone.accuracy, alone.n, named, standard_error=alone.standard_error
        )
    return metrics


def metrics_of(result: ReviewsEvaluation, source: ReviewsSource, learned: int | None = None) -> Metrics:
    """Return a score as a preset stores it.

    Args:
        result: The score of the weights as they are stored.
        source: The documents.
        learned: How many the classifier learned from; None where folds were scored.

    Returns:
        ``accuracy``, with confusions, and ``calibration_error``.
    """
    from_where = "" if learned is None else f"; learned from {learned:,} documents"
    bins = [one.to_dict() for one in result.reliability]
    return {
        "accuracy": measure(
            result.accuracy,
            result.n,
            f"{result.split}{from_where}; every document counts once, from its text",
            standard_error=result.standard_error,
            published=source.published if result.split == source.protocol else None,
            confusion=[list(row) for row in result.confusion],
            unknown_share=result.unknown_share,
            left_out_share=result.left_out_share,
            folds=list(result.parts),
        ),
        "calibration_error": measure(
            100.0 * result.calibration_error,
            result.n,
            f"expected calibration error over {len(bins)} equal intervals, {result.split}",
            bins=bins,
        ),
    }


def chosen_weights(logits: Sequence[np.ndarray], right: np.ndarray) -> tuple[tuple[float, ...], float]:
    """Choose how much each network counts, and the temperature (Guo et al. 2017), on documents they did not learn from.

    The mean negative log-likelihood of softmax(sum of weight times logits) is convex in the weights, and the
    temperature is in them: there is one best answer.

    Args:
        logits: Of each network, float (documents, labels).
        right: Numbers of the right labels, int (documents,).

    Returns:
        Weights of 0 or more with sum 1, and the temperature.
    """
    from scipy.optimize import minimize

    stacked = np.stack(logits).astype(np.float64)
    rows = np.arange(len(right))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        shares = softmax(np.tensordot(weights, stacked, 1))
        value = mean_loss(shares, right) + _PULL * float(weights @ weights)
        shares[rows, right] -= 1.0
        return value, np.einsum("mnl,nl->m", stacked, shares) / len(right) + 2.0 * _PULL * weights

    start = np.full(len(stacked), 1.0 / len(stacked))
    bounds = [(0.0, _LARGEST_WEIGHT)] * len(stacked)
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    total = float(found.sum())
    if total < 1.0 / _LARGEST_WEIGHT:  # networks that know nothing
        return tuple(start.tolist()), _LARGEST_WEIGHT
    return tuple((found / total).tolist()), 1.0 / total


def mean_loss(shares: np.ndarray, right: np.ndarray) -> float:
    """Return the mean negative log-likelihood of the right labels, int (n,), under probabilities (n, labels)."""
    return -float(np.log(np.maximum(shares[np.arange(len(right)), right], _SMALLEST)).mean())


class Scored:
    """Documents with what a classifier answers, in bounded memory but for one row of numbers a document.

    Args:
        reviews: The classifier.
        rows: Documents with labels, and what was refused already.

    Raises:
        InputError: None can be scored.
    """

    def __init__(self, reviews: Reviews, rows: Iterable[Row | RefusedRow]) -> None:
        self.refused: list[Refused] = []
        self.aliases: dict[str, str] = {}
        self.unknown_only: list[int] = []
        self.counts = np.zeros(4, np.int64)  # words, unknown ones, words and marks, those that were not read
        self._foreign: dict[str, bool] = {}
        asked: deque[tuple[int, int | None]] = deque()
        shares, right = [], []
        for verdict in reviews.classify_many(self._texts(rows, reviews, asked), unknown="answer"):
            number, label = asked.popleft()
            if isinstance(verdict, Refused):
                self.refused.append(Refused(number, verdict.problem))
                continue
            shares.append(list(verdict.probabilities.values()))
            right.append(label)
            self.counts += (verdict.words, verdict.unknown_words, verdict.tokens, verdict.left_out)
            if verdict.unknown_words == verdict.words:
                self.unknown_only.append(number)
        self.shares, self.right = np.array(shares), np.array(right, np.int64)
        if not right:
            self._refuse(reviews.labels)

    @property
    def accuracy(self) -> float:
        """Percent right."""
        return percent_right(int((self.shares.argmax(axis=1) == self.right).sum()), len(self.right))[0]

    def _texts(
        self, rows: Iterable[Row | RefusedRow], reviews: Reviews, asked: deque[tuple[int, int | None]]
    ) -> Iterator[str | Refused]:
        numbers = label_numbers(reviews.labels, reviews.config.aliases)
        for row in rows:
            label = None if isinstance(row, RefusedRow) else numbers.get(row.label.casefold())
            asked.append((row.number, label))
            if isinstance(row, RefusedRow):
                yield Refused(row.number, f"{row.where}: {row.reason}")
            elif label is None:
                self._foreign[row.label] = True
                file = row.name.rpartition(", ")[0]
                problem = f"its label {row.label!r:.40} is none of {_listed(reviews.labels)}"
                yield Refused(row.number, f"{file}: {problem}" if file else problem)
            else:
                if row.label != reviews.labels[label]:
                    self.aliases[row.label] = reviews.labels[label]
                yield row.text

    def _refuse(self, labels: tuple[str, ...]) -> None:
        if self._foreign:
            raise InputError(
                "No document has a label that the classifier knows",
                allowed=_listed(labels),
                received=_listed(tuple(self._foreign)),
                remedy="Name the column of the labels with --label",
            )
        first = "".join(f"; the first, row {one.number}: {one.problem}" for one in self.refused[:1])
        raise InputError(f"No document can be scored ({len(self.refused):,} were refused{first})")


def together(
    parts: Sequence[Scored], labels: tuple[str, ...], split: str, counted: str = "document"
) -> ReviewsEvaluation:
    """Put what was scored together.

    Args:
        parts: One, or several folds.
        labels: In the order of the logits.
        split: What the documents are called.
        counted: What their numbers count.
    """
    shares, right = (np.concatenate([getattr(part, name) for part in parts]) for name in ("shares", "right"))
    answers = shares.argmax(axis=1)
    accuracy, error = percent_right(int((answers == right).sum()), len(right))
    bins = reliability(shares.max(axis=1), answers == right)
    words, unknown, tokens, left_out = sum(part.counts for part in parts).tolist()
    return ReviewsEvaluation(
        accuracy=accuracy,
        n=len(right),
        standard_error=error,
        split=split,
        labels=labels,
        confusion=confusion_matrix(right, answers, len(labels)),
        calibration_error=calibration_error(bins),
        reliability=bins,
        unknown_share=unknown / max(1, words),
        left_out_share=left_out / max(1, tokens),
        refused=tuple(chain.from_iterable(part.refused for part in parts)),
        unknown_only=tuple(chain.from_iterable(part.unknown_only for part in parts)),
        aliases=dict(chain.from_iterable(part.aliases.items() for part in parts)),
        parts=tuple(part.accuracy for part in parts) if len(parts) > 1 else (),
        counted=counted,
    )


def rows_of(texts: LabelledTexts) -> Iterator[Row]:
    """Give documents with their labels, numbered from 1."""
    pairs = zip(texts.texts, texts.labels.tolist(), strict=True)
    return (Row(number, text, texts.classes[label]) for number, (text, label) in enumerate(pairs, start=1))


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _LISTED_LABELS} more" if len(labels) > _LISTED_LABELS else ""
    return ", ".join(f"{label:.40}" for label in labels[:_LISTED_LABELS]) + more
