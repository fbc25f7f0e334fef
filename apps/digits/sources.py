"""Where the digits come from, how they are split, and what a model card says about them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apps.digits.results import DIGIT_LABELS
from apps.shared.cards import card
from apps.shared.commands import progress_bar
from apps.shared.measures import checksums_of
from data_prep.datasets import DATASETS, locate
from data_prep.images.folders import ImageFolder, read_image_folder
from data_prep.images.preparation import LabelledImages, image_bytes, prepare_digit
from data_prep.readers.mnist import read_mnist
from data_prep.splits import split
from models.presets.card import CardText

MNIST = "mnist"
VALIDATION = 5_000  # the last so many training images of MNIST choose recipes
SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}  # of your own images, and of the sample
# What others reach on the official test set, percent of 10,000 images.
PUBLISHED = {
    "LeNet-5, 1998, with distortions": 99.2,
    "convolutional network, Simard et al. 2003, elastic distortions": 99.6,
}


@dataclass(frozen=True)
class DigitsSource:
    """Images to learn from and images to score."""

    name: str  # what they are called in protocols
    labels: tuple[str, ...]  # the classes in the order of the logits
    train: LabelledImages
    validation: LabelledImages  # to choose a recipe by
    test: LabelledImages  # to score once, at the end
    protocol: str  # how the test images were chosen
    checksums: Mapping[str, str]  # of a data set or file
    card: CardText
    published: Mapping[str, float]  # other systems' accuracy on the same test images

    @property
    def all_training(self) -> LabelledImages:
        """What is not for testing: to train the final network on."""
        parts = zip(self.train, self.validation, strict=True)
        return LabelledImages(*map(np.concatenate, parts))


def mnist_source() -> DigitsSource:
    """Return MNIST; an ``InputError`` where it cannot be had, or is not what it should be."""
    dataset, path = DATASETS[MNIST], locate(MNIST)
    train, test = read_mnist("train", path), read_mnist("test", path)
    border = len(train.labels) - VALIDATION
    return DigitsSource(
        name="MNIST",
        labels=DIGIT_LABELS,
        train=train.part(slice(border)),
        validation=train.part(slice(border, None)),
        test=test,
        protocol="official test set of MNIST",
        checksums=checksums_of(path),
        card=card(__file__, "mnist", **vars(dataset)),
        published=PUBLISHED,
    )


def sample_source(seed: int) -> DigitsSource:
    """Return the 1,797 digits of 8x8 pixels that scikit-learn carries, prepared as an upload is."""
    sample = sample_images()
    return _split_source(
        sample,
        seed,
        name="the digits of scikit-learn",
        labels=DIGIT_LABELS,
        checksums={"sklearn digits": f"sha256 {hashlib.sha256(sample.images.tobytes()).hexdigest()}"},
        card=card(__file__, "sample"),
    )


@functools.cache
def sample_images() -> LabelledImages:
    """Return the sample, prepared once: that takes a second."""
    from sklearn.datasets import load_digits

    found = load_digits()
    gray = (found.images / 16.0).astype(np.float32)
    images = np.stack([image_bytes(prepare_digit(one)) for one in gray])
    return LabelledImages(images, found.target.astype(np.int64))


def folder_images(folder: Path) -> ImageFolder:
    """Read your own images with a bar that goes on; as ``data_prep.images.folders.read_image_folder``."""
    with progress_bar("images", "images") as progress:
        return read_image_folder(folder, progress)


def folder_source(folder: Path, images: ImageFolder, seed: int) -> DigitsSource:
    """Return your own images of a folder.

    Raises:
        InputError: There are too few images to hold some out.
    """
    return _split_source(
        images.found,
        seed,
        name=f"the folder {folder.name}",
        labels=images.classes,
        checksums={folder.name: f"sha256 {images.checksum}"},
        card=card(__file__, "own", name=folder.name, classes=len(images.classes)),
    )


def _split_source(images: LabelledImages, seed: int, *, name: str, **more: Any) -> DigitsSource:
    """Split images at random that have no official test set."""
    parts = {part: images.part(at) for part, at in split(len(images.labels), SHARES, seed).items()}
    protocol = f"a tenth of {name}, drawn with seed {seed}"
    return DigitsSource(name=name, protocol=protocol, published={}, **parts, **more)
