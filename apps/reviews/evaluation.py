"""How good a classifier of documents is: accuracy, standard error, calibration, and what it takes for what."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.reviews.results import Refused, ReviewsEvaluation
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.reviews.application import Reviews
    from apps.reviews.recipes import ReviewsRecipe
    from apps.reviews.sources import ReviewsSource
    from apps.reviews.task import Trained
    from data_prep.readers.labelled_texts import LabelledTexts, Row
    from data_prep.readers.labelled_texts import Refused as RefusedRow

_LARGEST_WEIGHT = 50.0
_PULL = 1e-4  # towards small weights, so that few documents do not make a classifier certain
_SMALLEST = 1e-12  # probability, in logarithms
_LISTED_LABELS = 12


def evaluate(
    reviews: Reviews,
    *,
    csv: Path | None = None,
    text: str = "text",
    label: str = "label",
    folder: Path | None = None,
) -> ReviewsEvaluation:
    """Score documents that a classifier did not learn from.

    Args:
        reviews: The classifier.
        csv: Labelled documents of one's own; of those that it learned from, what was held out for testing is scored.
        text: Column of the documents.
        label: Column of the labels.
        folder: The same as a folder with one sub-folder a label.

    Returns:
        The score: without ``csv`` and ``folder`` that of the test part of the set that it learned from.

    Raises:
        InputError: The documents cannot be had, none can be scored, or none has a label that the classifier knows.
    """
    from apps.reviews.sources import source_of
    from data_prep.readers.labelled_texts import iter_csv, read_folder

    if csv is not None and folder is not None:
        raise InputError("A CSV file and a folder exclude each other", remedy="Give one of them")
    if csv is not None:
        own = _own_test(reviews, csv, text, label)
        return own or _score(reviews, iter_csv(csv, text, label), f"all of {csv.name}")
    if folder is not None:
        texts = read_folder(folder)
        return _own_part(reviews, texts, folder.name) or score(reviews, texts, f"all of {folder.name}")
    source = source_of(reviews.metadata.get("data", {}))
    if source is None or source.test is None:
        raise InputError(
            "There are no documents left that this classifier did not learn from",
            allowed="--csv FILE, --folder FOLDER, or for BBC News --data bbc --folds 5, which trains anew",
        )
    return score(reviews, source.test, source.protocol)


def score(reviews: Reviews, texts: LabelledTexts, split: str) -> ReviewsEvaluation:
    """Score a classifier on labelled documents, each counted once.

    Args:
        reviews: The classifier.
        texts: The documents.
        split: What they are called.

    Raises:
        InputError: None of them has a label that the classifier knows.
    """
    return _score(reviews, chain(texts.refused, _rows(texts)), split)


def cross_validated(
    recipe: ReviewsRecipe, source: ReviewsSource, run_dir: Path, *, resume: bool = False
) -> ReviewsEvaluation:
    """Train a recipe anew for each fold and score what it left out, so that every document is scored once.

    Args:
        recipe: All settings.
        source: The documents.
        run_dir: Where checkpoints go.
        resume: Go on with the run that is there.

    Returns:
        The score of all folds together, with the accuracy of each.

    Raises:
        InputError: There are too few documents, or a training diverges.
    """
    from apps.reviews.task import train

    shares, right, counts, parts = [], [], np.zeros(4, np.int64), []
    for number, fold in enumerate(source.folds(recipe.folds, recipe.seed), start=1):
        reviews = train(recipe, fold, run_dir / f"fold{number}", resume=resume).reviews
        found = _Scored(reviews, _rows(fold.test))
        parts.append(100.0 * float((found.shares.argmax(axis=1) == found.right).mean()))
        shares.append(found.shares)
        right.append(found.right)
        counts += found.counts
    return _evaluation(
        np.concatenate(shares),
        np.concatenate(right),
        source.labels,
        counts,
        split=f"{recipe.folds} {source.protocol}",
        parts=tuple(parts),
    )


def final_metrics(trained: Trained, source: ReviewsSource, *, choosing: bool) -> dict[str, Any]:
    """Score a trained classifier on the test part, or on what was held out while a recipe is chosen.

    Args:
        trained: The classifier.
        source: Its documents.
        choosing: Whether the test part is to be left alone.

    Returns:
        Measures as a preset stores them; none where there is no test part.
    """
    from data_prep.text.duplicates import shared_texts

    if choosing:
        texts, name = (
            source.train.chosen(trained.validation),
            f"held out of the training part of {source.name}",
        )
        return metrics_of(score(trained.reviews, texts, name), source, trained.learned)
    if source.test is None:
        return {}
    result = score(trained.reviews, source.test, source.protocol)
    metrics = metrics_of(result, source, trained.learned)
    twice = shared_texts(source.train.texts, source.test.texts)
    metrics["accuracy"]["duplicates"] = twice.count
    if twice.count:
        rest = np.setdiff1d(np.arange(len(source.test)), np.array(twice.places))
        named = f"{source.protocol}, without the {twice.count} documents that the training part holds too"
        alone = score(trained.reviews, source.test.chosen(rest), named)
        metrics["accuracy_without_duplicates"] = _measure(alone, alone.split)
    return metrics


def metrics_of(
    result: ReviewsEvaluation, source: ReviewsSource, learned: int | None = None
) -> dict[str, Any]:
    """Return a score as a preset stores it.

    Args:
        result: The score of the weights as they are stored.
        source: The documents.
        learned: How many the classifier learned from; None where folds were scored.

    Returns:
        ``accuracy``, with confusions, and ``calibration_error``.
    """
    published = dict(source.published) if result.split == source.protocol else {}
    from_where = "" if learned is None else f"; learned from {learned:,} documents"
    protocol = f"{result.split}{from_where}; every document counts once, from its text"
    bins = [one.to_dict() for one in result.reliability]
    return {
        "accuracy": {
            **_measure(result, protocol),
            "baseline": max(published.values(), default=None),
            "published": published,
            "confusion": [list(row) for row in result.confusion],
            "unknown_share": result.unknown_share,
            "left_out_share": result.left_out_share,
            "folds": list(result.parts),
        },
        "calibration_error": {
            "score": 100.0 * result.calibration_error,
            "unit": "%",
            "n": result.n,
            "protocol": f"expected calibration error over {len(bins)} equal intervals, {result.split}",
            "bins": bins,
        },
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

    from apps.reviews.application import softmax

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


class _Scored:
    """Documents with what a classifier answers, in bounded memory but for one row of numbers a document.

    Args:
        reviews: The classifier.
        rows: Documents with labels, and what was refused already.
    """

    def __init__(self, reviews: Reviews, rows: Iterable[Row | RefusedRow]) -> None:
        self.refused: list[Refused] = []
        self.aliases: dict[str, str] = {}
        self.unknown_only: list[int] = []
        self.counts = np.zeros(4, np.int64)  # words, unknown ones, words and marks, those that were not read
        self.foreign: dict[str, int] = {}
        self._numbers = label_numbers(reviews)
        waiting: deque[tuple[int, int]] = deque()
        shares, right = [], []
        for verdict in reviews.classify_many(self._texts(rows, reviews.labels, waiting), unknown="answer"):
            number, label = waiting.popleft()
            if isinstance(verdict, Refused):
                self.refused.append(Refused(number, verdict.problem))
                continue
            shares.append(list(verdict.probabilities.values()))
            right.append(label)
            self.counts += (verdict.words, verdict.unknown_words, verdict.tokens, verdict.left_out)
            if verdict.unknown_words == verdict.words:
                self.unknown_only.append(number)
        self.refused.sort(key=lambda one: one.number)
        self.shares, self.right = np.array(shares), np.array(right, np.int64)
        if not right:
            self._refuse(reviews.labels)

    def _texts(
        self, rows: Iterable[Row | RefusedRow], labels: tuple[str, ...], waiting: deque[tuple[int, int]]
    ) -> Iterator[str]:
        for row in rows:
            if not hasattr(row, "label"):
                self.refused.append(Refused(row.number, f"{row.where}: {row.reason}"))
                continue
            label = self._numbers.get(row.label.casefold())
            if label is None:
                self.foreign[row.label] = self.foreign.get(row.label, 0) + 1
                problem = f"its label {row.label!r:.40} is none of {_listed(labels)}"
                self.refused.append(Refused(row.number, problem))
                continue
            if row.label != labels[label]:
                self.aliases[row.label] = labels[label]
            waiting.append((row.number, label))
            yield row.text

    def _refuse(self, labels: tuple[str, ...]) -> None:
        if self.foreign:
            raise InputError(
                "No document has a label that the classifier knows",
                allowed=_listed(labels),
                received=_listed(tuple(self.foreign)),
                remedy="Name the column of the labels with --label",
            )
        first = (
            f"; the first, row {self.refused[0].number}: {self.refused[0].problem}" if self.refused else ""
        )
        raise InputError(f"No document can be scored ({len(self.refused):,} were refused{first})")


def label_numbers(reviews: Reviews) -> dict[str, int]:
    """Return the number of each name by which data may call a label, in small letters: the labels and their aliases."""
    numbers = {label: number for number, label in enumerate(reviews.labels)}
    named = {alias.casefold(): numbers[label] for alias, label in reviews.config.aliases}
    return named | {label.casefold(): number for label, number in numbers.items()}


def _score(reviews: Reviews, rows: Iterable[Row | RefusedRow], split: str) -> ReviewsEvaluation:
    found = _Scored(reviews, rows)
    return _evaluation(
        found.shares,
        found.right,
        reviews.labels,
        found.counts,
        split=split,
        refused=tuple(found.refused),
        unknown_only=tuple(found.unknown_only),
        aliases=found.aliases,
    )


def _evaluation(
    shares: np.ndarray, right: np.ndarray, labels: tuple[str, ...], counts: np.ndarray, **more: Any
) -> ReviewsEvaluation:
    from apps.shared.calibration import calibration_error, reliability

    answers, count = shares.argmax(axis=1), len(right)
    share = float((answers == right).mean())
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (right, answers), 1)
    bins = reliability(shares.max(axis=1), answers == right)
    words, unknown, tokens, left_out = counts.tolist()
    return ReviewsEvaluation(
        accuracy=100.0 * share,
        n=count,
        standard_error=100.0 * float(np.sqrt(share * (1.0 - share) / count)),
        labels=labels,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        calibration_error=calibration_error(bins),
        reliability=bins,
        unknown_share=unknown / max(1, words),
        left_out_share=left_out / max(1, tokens),
        **more,
    )


def _own_test(reviews: Reviews, csv: Path, text: str, label: str) -> ReviewsEvaluation | None:
    """Score what was held out of a file that the classifier learned from; None where it is another file."""
    from apps.reviews.sources import is_own
    from data_prep.readers.labelled_texts import read_csv

    if not is_own(reviews.metadata.get("data", {})):
        return None
    return _own_part(reviews, read_csv(csv, text, label), csv.name)


def _own_part(reviews: Reviews, texts: LabelledTexts, name: str) -> ReviewsEvaluation | None:
    from apps.reviews.sources import learned_from, own_source

    if not learned_from(texts, reviews.metadata.get("data", {})):
        return None
    source = own_source(texts, name)
    return score(reviews, source.test, source.protocol)


def _rows(texts: LabelledTexts) -> Iterator[Row]:
    from data_prep.readers.labelled_texts import Row

    pairs = zip(texts.texts, texts.labels.tolist(), strict=True)
    return (Row(number, text, texts.classes[label]) for number, (text, label) in enumerate(pairs, start=1))


def _measure(result: ReviewsEvaluation, protocol: str) -> Mapping[str, Any]:
    return {
        "score": result.accuracy,
        "unit": "%",
        "n": result.n,
        "standard_error": result.standard_error,
        "protocol": protocol,
    }


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _LISTED_LABELS} more" if len(labels) > _LISTED_LABELS else ""
    return ", ".join(f"{label:.40}" for label in labels[:_LISTED_LABELS]) + more
