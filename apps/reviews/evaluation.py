"""How good a classifier of documents is: accuracy, standard error, calibration, and what it mistakes for what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import tee
from pathlib import Path

import numpy as np

from apps.reviews.application import Reviews
from apps.reviews.results import ReviewsEvaluation
from apps.reviews.sources import (
    OWN,
    ReviewsSource,
    label_numbers,
    named_source,
    own_source,
    own_texts,
    set_of,
    source_of,
)
from apps.shared.measures import (
    calibration_error,
    calibration_measure,
    chosen_temperature,
    likelihood_loss,
    measure,
    percent_right,
    reliability,
)
from data_prep.errors import InputError
from data_prep.readers.labelled_texts import LabelledTexts, Refused, Row, iter_csv
from data_prep.readers.text import GivenPath, input_file
from data_prep.text.text_inputs import shared_texts
from models.serving.operations import softmax
from models.text_classifier.serving import Sure, margins
from models.training.task import Metrics

_LARGEST_WEIGHT = 50.0
_PULL = 1e-4  # towards small weights, so that few documents do not make a classifier certain
_SMALLEST = 1e-12  # probability, in logarithms
_LISTED_LABELS = 12
_ENOUGH = 1000  # documents to tell where a network is surely right


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
    if folder is not None or (files and OWN in learned):
        texts, name = own_texts(files, folder, text, label)
        if learned.get(OWN) == texts.checksum:
            source = own_source(texts, name)
            return score(reviews, source.test, source.protocol)
        if folder is not None:
            return score(reviews, texts, f"all of {name}")
    if files:  # row by row, in bounded memory
        scoring = Scoring(reviews.labels)
        scoring.add(reviews, iter_csv(files, text, label))
        return scoring.result(f"all of {', '.join(input_file(path).name for path in files)}", counted="row")
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
    """Score a classifier on labelled documents, each counted once; ``split`` is what they are called.

    Raises:
        InputError: None of them has a label that the classifier knows.
    """
    scoring = Scoring(reviews.labels)
    scoring.add(reviews, texts.rows())
    return scoring.result(split)


def final_metrics(reviews: Reviews, source: ReviewsSource, learned: int) -> Metrics:
    """Score a trained classifier on the test part, with and without documents that the training part holds too."""
    result = score(reviews, source.test, source.protocol)
    metrics = metrics_of(result, source, learned)
    twice = shared_texts(source.train.texts, source.test.texts)
    metrics["accuracy"]["duplicates"] = len(twice)
    if twice:
        rest = np.setdiff1d(np.arange(len(source.test)), twice)
        named = f"{source.protocol}, without the {len(twice)} documents that the training part holds too"
        alone = score(reviews, source.test.chosen(rest), named)
        metrics["accuracy_without_duplicates"] = measure(
            alone.accuracy, alone.n, named, standard_error=alone.standard_error
        )
    return metrics


def metrics_of(result: ReviewsEvaluation, source: ReviewsSource, learned: int | None = None) -> Metrics:
    """Return a score as a preset stores it; ``learned`` are documents, None where folds were scored."""
    from_where = "" if learned is None else f"; learned from {learned:,} documents"
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
        "calibration_error": calibration_measure(result.reliability, result.split),
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


def chosen_sure(first: np.ndarray, together: np.ndarray, right: np.ndarray) -> Sure | None:
    """Choose where the first network can answer alone, on documents that the networks did not learn from.

    Args:
        first: Its logits, float (documents, labels).
        together: Those of all networks.
        right: Numbers of the right labels, int (documents,).

    Returns:
        The margin beyond which all networks give the same answer to every one of the documents, and the temperature of
        the first one there; None where there are too few documents to tell.
    """
    ahead = margins(first)
    margin = float(ahead[first.argmax(axis=1) != together.argmax(axis=1)].max(initial=0.0))
    sure = ahead > margin
    if len(right) < _ENOUGH or not sure.any():
        return None
    return Sure(margin, chosen_weights([first[sure]], right[sure])[1])


def unsure_temperature(first: np.ndarray, together: np.ndarray, right: np.ndarray, sure: Sure) -> float:
    """Choose the temperature of all networks where the first one does not answer alone: those are harder documents.

    Arguments as for :func:`chosen_sure`; 1 where it answers all of them alone.
    """
    others = margins(first) <= sure.margin
    if not others.any():
        return 1.0
    return chosen_temperature(likelihood_loss(together[others], right[others]))


def mean_loss(shares: np.ndarray, right: np.ndarray) -> float:
    """Return the mean negative log-likelihood of the right labels, int (n,), under probabilities (n, labels)."""
    return -float(np.log(np.maximum(shares[np.arange(len(right)), right], _SMALLEST)).mean())


class Scoring:
    """Counts what classifiers answered, in bounded memory but for two numbers a document; ``labels`` are all theirs."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self._confusion = np.zeros((len(labels), len(labels)), np.int64)
        self._sure: list[float] = []
        self._right: list[bool] = []
        self._parts: list[float] = []
        self._counts = np.zeros(4, np.int64)  # words, unknown ones, words and marks, those that were not read
        self._refused: list[Refused] = []
        self._unknown_only: list[int] = []
        self._aliases: dict[str, str] = {}
        self._foreign: dict[str, bool] = {}

    def add(self, reviews: Reviews, rows: Iterable[Row | Refused]) -> None:
        """Let a classifier answer documents with labels, and what was refused already.

        Raises:
            InputError: None can be scored.
        """
        first = len(self._right)
        asked, kept = tee(self._asked(rows, label_numbers(self.labels, reviews.config.aliases)))
        verdicts = reviews.classify_many((text for _, _, text in asked), unknown="answer")
        for (number, label, _), verdict in zip(kept, verdicts, strict=True):
            if isinstance(verdict, Refused):
                self._refused.append(verdict._replace(number=number))
                continue
            answer = self.labels.index(verdict.label)
            self._confusion[label, answer] += 1
            self._sure.append(verdict.confidence)
            self._right.append(label == answer)
            self._counts += (verdict.words, verdict.unknown_words, verdict.tokens, verdict.left_out)
            if verdict.unknown_words == verdict.words:
                self._unknown_only.append(number)
        part = self._right[first:]
        if not part:
            self._refuse()
        self._parts.append(percent_right(sum(part), len(part))[0])

    def result(self, split: str, counted: str = "document") -> ReviewsEvaluation:
        """Sum up; ``split`` is what the documents are called, ``counted`` what their numbers count."""
        right = np.array(self._right)
        accuracy, error = percent_right(int(right.sum()), len(right))
        bins = reliability(np.array(self._sure), right)
        words, unknown, tokens, left_out = self._counts.tolist()
        return ReviewsEvaluation(
            accuracy=accuracy,
            n=len(right),
            standard_error=error,
            split=split,
            labels=self.labels,
            confusion=tuple(map(tuple, self._confusion.tolist())),
            calibration_error=calibration_error(bins),
            reliability=bins,
            unknown_share=unknown / max(1, words),
            left_out_share=left_out / max(1, tokens),
            refused=tuple(self._refused),
            unknown_only=tuple(self._unknown_only),
            aliases=self._aliases,
            parts=tuple(self._parts) if len(self._parts) > 1 else (),
            counted=counted,
        )

    def _asked(
        self, rows: Iterable[Row | Refused], numbers: Mapping[str, int]
    ) -> Iterator[tuple[int, int | None, str | Refused]]:
        """Give the number of each row, that of its label, and its text or why it cannot be scored."""
        for row in rows:
            if isinstance(row, Refused):
                yield row.number, None, row
            elif (label := numbers.get(row.label, numbers.get(row.label.casefold()))) is not None:
                if row.label != self.labels[label]:
                    self._aliases[row.label] = self.labels[label]
                yield row.number, label, row.text
            else:
                self._foreign[row.label] = True
                problem = f"its label {row.label!r:.40} is none of {_listed(self.labels)}"
                where = f"{row.file}: " if row.file else ""
                yield row.number, None, Refused(row.number, where + problem)

    def _refuse(self) -> None:
        if self._foreign:
            raise InputError(
                "No document has a label that the classifier knows",
                allowed=_listed(self.labels),
                received=_listed(tuple(self._foreign)),
                remedy="Name the column of the labels with --label",
            )
        first = "".join(f"; the first, row {one.number}: {one.problem}" for one in self._refused[:1])
        raise InputError(f"No document can be scored ({len(self._refused):,} were refused{first})")


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - _LISTED_LABELS} more" if len(labels) > _LISTED_LABELS else ""
    return ", ".join(f"{label:.40}" for label in labels[:_LISTED_LABELS]) + more
