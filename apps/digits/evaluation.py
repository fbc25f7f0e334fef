"""How good a digit network is: right answers, standard error, and which classes it mistakes for others."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from apps.digits.application import Digits
from apps.digits.results import DigitsEvaluation, Mistake
from apps.digits.sources import DigitsSource, folder_images, folder_source, mnist_source, sample_source
from apps.shared.measures import calibration_measure, confusion_matrix, measure, percent_right, reliability
from data_prep.errors import InputError
from data_prep.images.folders import list_images
from data_prep.images.preparation import LabelledImages, digit_batch
from models.training.task import Metrics


def evaluate(digits: Digits, folder: str | Path | None = None) -> DigitsEvaluation:
    """Score a network on images that it did not learn from.

    Args:
        digits: The network.
        folder: Your own images, one sub-folder a class. Of the folder that the network learned from, what was held
            out is scored; of any other one, all of it. None takes the test part of the set that it learned from.

    Raises:
        InputError: The images cannot be had, or are of classes that the network does not know.
    """
    seed = int(digits.metadata.get("recipe", {}).get("seed", 0))
    data = digits.metadata.get("data", {})
    if folder is not None:
        folder = Path(folder)
        unknown = [name for name in list_images(folder) if name not in digits.labels]
        if unknown:
            raise InputError(
                "The network does not know some of these classes",
                allowed=", ".join(digits.labels),
                received=", ".join(unknown),
            )
        images, name = folder_images(folder), f"the folder {folder.name}"
        if f"sha256 {images.checksum}" not in data.values():
            numbers = np.array([digits.labels.index(label) for label in images.classes])
            return score(digits, images.found._replace(labels=numbers[images.found.labels]), f"all of {name}")
        source = folder_source(folder, images, seed)
    elif "mnist.npz" in data:
        source = mnist_source()
    elif "sklearn digits" in data:
        source = sample_source(seed)
    else:
        raise InputError(
            "It is not known where the images are that this network did not learn from",
            allowed="a folder with one sub-folder a class",
            remedy="Name it with --folder",
        )
    return score(digits, source.test, "test")


def score(digits: Digits, images: LabelledImages, split: str) -> DigitsEvaluation:
    """Score a network on prepared images, each counted once; ``split`` is what they are called."""
    labels = images.labels
    probabilities = digits.probabilities(digit_batch(images.images))
    answers, confidences = probabilities.argmax(axis=1), probabilities.max(axis=1)
    accuracy, error = percent_right(int((answers == labels).sum()), len(answers))
    wrong = np.flatnonzero(answers != labels)
    wrong = wrong[np.argsort(-confidences[wrong], kind="stable")].tolist()
    mistakes = []
    for at in wrong:
        label, answer, shares = labels[at], answers[at], probabilities[at].tolist()
        mistakes.append(
            Mistake(at, digits.labels[label], digits.labels[answer], shares[answer], shares[label])
        )
    confusion = confusion_matrix(labels, answers, len(digits.labels))
    bins = reliability(confidences, answers == labels)
    return DigitsEvaluation(accuracy, len(answers), error, split, confusion, tuple(mistakes), bins)


def metrics_of(result: DigitsEvaluation, source: DigitsSource, learned: int) -> Metrics:
    """Return the score of a network that ``learned`` from so many images as a preset stores it, with the mistakes."""
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
        ),
        "calibration_error": calibration_measure(result.reliability, what),
    }
