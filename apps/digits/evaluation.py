"""How good a digit network is: right answers, standard error, and which classes it mistakes for others."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from apps.digits.application import Digits
from apps.digits.results import DigitsEvaluation, Mistake
from apps.digits.sources import DigitsSource, folder_source, mnist_source, sample_source
from apps.shared.measures import confusion_matrix, measure, percent_right
from data_prep.errors import InputError
from data_prep.images.folders import list_images
from data_prep.images.preparation import LabelledImages, digit_batch
from models.training.task import Metrics


def evaluate(digits: Digits, folder: Path | None = None) -> DigitsEvaluation:
    """Score a network on images that it did not learn from.

    Args:
        digits: The network.
        folder: Your own images, one sub-folder a class. Of the folder that the network learned from, what was held
            out is scored; of any other one, all of it. None takes the test part of the set that it learned from.

    Returns:
        The score.

    Raises:
        InputError: The images cannot be had, or are of classes that the network does not know.
    """
    recipe = digits.metadata.get("recipe", {})
    seed, data = int(recipe.get("seed", 0)), digits.metadata.get("data", {})
    if folder is not None:
        return _folder_score(digits, folder, seed, data)
    if "mnist.npz" in data:
        source = mnist_source()
    elif "sklearn digits" in data:
        source = sample_source(seed)
    else:
        raise InputError(
            "It is not known where the images are that this network did not learn from",
            allowed="a folder with one sub-folder a class",
            remedy="Name it with --folder",
        )
    _check_labels(digits, source.labels)
    return score(digits, source.test, "test")


def score(digits: Digits, images: LabelledImages, split: str) -> DigitsEvaluation:
    """Score a network on prepared images, each counted once.

    Args:
        digits: The network.
        images: Prepared images with the number of their class.
        split: What they are called.

    Returns:
        Accuracy with its standard error, and every mistake.
    """
    probabilities = digits.probabilities(digit_batch(images.images))
    answers = probabilities.argmax(axis=1)
    accuracy, error = percent_right(int((answers == images.labels).sum()), len(answers))
    wrong = np.flatnonzero(answers != images.labels)
    wrong = wrong[np.argsort(-probabilities[wrong, answers[wrong]], kind="stable")]
    return DigitsEvaluation(
        accuracy=accuracy,
        n=len(answers),
        standard_error=error,
        split=split,
        confusion=confusion_matrix(images.labels, answers, len(digits.labels)),
        mistakes=tuple(_mistake(digits, images, probabilities, int(at)) for at in wrong),
    )


def metrics_of(result: DigitsEvaluation, source: DigitsSource, learned: int) -> Metrics:
    """Return a score as a preset stores it: one measure, ``accuracy``, with the mistakes.

    Args:
        result: The score of the weights as they are stored.
        source: The images.
        learned: How many it learned from.
    """
    final = result.split == "test"
    what = source.protocol if final else f"validation part of {source.name}"
    return {
        "accuracy": measure(
            result.accuracy,
            result.n,
            f"{what}; learned from {learned:,} images; every image counts once, from its pixels",
            standard_error=result.standard_error,
            published=source.published if final else None,
            split=result.split,
            errors=result.errors,
            mistakes=[mistake.to_dict() for mistake in result.mistakes],
        )
    }


def _folder_score(digits: Digits, folder: Path, seed: int, data: dict[str, str]) -> DigitsEvaluation:
    _check_labels(digits, tuple(list_images(folder)))
    source = folder_source(folder, seed)
    if set(source.checksums.values()) & set(data.values()):
        return score(digits, source.test, "test")
    everything = source.everything
    numbers = np.array([digits.labels.index(label) for label in source.labels])
    return score(digits, everything._replace(labels=numbers[everything.labels]), f"all of {source.name}")


def _check_labels(digits: Digits, labels: tuple[str, ...]) -> None:
    unknown = [label for label in labels if label not in digits.labels]
    if unknown:
        raise InputError(
            "The network does not know some of these classes",
            allowed=", ".join(digits.labels),
            received=", ".join(unknown),
        )


def _mistake(digits: Digits, images: LabelledImages, probabilities: np.ndarray, at: int) -> Mistake:
    answer, label = int(probabilities[at].argmax()), int(images.labels[at])
    confidence, right = probabilities[at, [answer, label]].tolist()
    return Mistake(at, digits.labels[label], digits.labels[answer], confidence, right)
