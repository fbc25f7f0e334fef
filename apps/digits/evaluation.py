"""How good a digit network is: right answers, standard error, and what it takes for what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.digits.results import DigitsEvaluation, Mistake
from data_prep.errors import InputError

if TYPE_CHECKING:
    from apps.digits.application import Digits
    from apps.digits.sources import DigitsSource
    from data_prep.images.preparation import LabelledImages


def evaluate(digits: Digits, folder: Path | None = None) -> DigitsEvaluation:
    """Score a network on images that it did not learn from.

    Args:
        digits: The network.
        folder: One's own images, one sub-folder a class. Of the folder that the network learned from, what was held
            out is scored; of any other one, all of it. None takes the test part of the set that it learned from.

    Returns:
        The score.

    Raises:
        InputError: The images cannot be had, or are of classes that the network does not know.
    """
    from apps.digits.sources import mnist_source, sample_source

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
    from data_prep.images.preparation import digit_batch

    probabilities = digits.probabilities(digit_batch(images.images))
    answers = probabilities.argmax(axis=1)
    count, right = len(answers), int((answers == images.labels).sum())
    share = right / count
    confusion = np.zeros((len(digits.labels), len(digits.labels)), np.int64)
    np.add.at(confusion, (images.labels, answers), 1)
    wrong = np.flatnonzero(answers != images.labels)
    wrong = wrong[np.argsort(-probabilities[wrong, answers[wrong]], kind="stable")]
    return DigitsEvaluation(
        accuracy=100.0 * share,
        n=count,
        standard_error=100.0 * float(np.sqrt(share * (1.0 - share) / count)),
        split=split,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        mistakes=tuple(_mistake(digits, images, probabilities, int(at)) for at in wrong),
    )


def metrics_of(result: DigitsEvaluation, source: DigitsSource, learned: int) -> dict[str, Any]:
    """Return a score as a preset stores it.

    Args:
        result: The score of the weights as they are stored.
        source: The images.
        learned: How many it learned from.

    Returns:
        One measure, ``accuracy``, with the mistakes.
    """
    published = dict(source.published) if result.split == "test" else {}
    what = source.protocol if result.split == "test" else f"validation part of {source.name}"
    return {
        "accuracy": {
            "score": result.accuracy,
            "unit": "%",
            "n": result.n,
            "standard_error": result.standard_error,
            "baseline": max(published.values(), default=None),
            "published": published,
            "split": result.split,
            "protocol": f"{what}; learned from {learned:,} images; every image counts once, from its pixels",
            "errors": result.errors,
            "mistakes": [mistake.to_dict() for mistake in result.mistakes],
        }
    }


def _folder_score(digits: Digits, folder: Path, seed: int, data: dict[str, str]) -> DigitsEvaluation:
    from apps.digits.sources import folder_source
    from data_prep.images.folders import list_images

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
    return Mistake(
        index=at,
        label=digits.labels[label],
        answer=digits.labels[answer],
        confidence=float(probabilities[at, answer]),
        label_probability=float(probabilities[at, label]),
    )
