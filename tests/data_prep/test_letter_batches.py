from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from data_prep.batching import Batches
from data_prep.errors import InputError
from data_prep.images.augmentation import NO_AUGMENTATION, LetterAugmentation
from data_prep.images.letter_batches import (
    PADDED,
    composed_batches,
    image_inputs,
    letter_batches,
    letter_inputs,
    letter_pictures,
)
from data_prep.images.letter_words import PLAIN, LetterPool
from data_prep.readers.letters import LetterWords, decode_word, encode_word
from data_prep.text.word_list import spellable, with_tails

TEXTS = ("cat", "at", "tact", "a")
CHANGES: dict[str, Any] = {"augmentation": LetterAugmentation(), "changed": 0.5}


def made_words() -> LetterWords:
    """Pixel number k of a letter's picture is ink, k its place in the alphabet."""
    labels = [encode_word(text) for text in TEXTS]
    flat = np.concatenate(labels)
    images = np.zeros((len(flat), 128), np.uint8)
    images[np.arange(len(flat)), flat] = 255
    return LetterWords.of(images.reshape(-1, 16, 8), labels, np.arange(len(TEXTS)))


def batches_of(texts: tuple[str, ...], size: int, **changes: float) -> Batches:
    """Batches whose letters are left as they are."""
    return letter_batches(made_words(), texts, size, LetterAugmentation(NO_AUGMENTATION, 0.0, 0.0), **changes)


def seen(batches: Batches, epoch: int = 0) -> list[str]:
    """The words of an epoch, after checking that pictures, places and labels belong together."""
    found = []
    for inputs, labels in batches.epoch(epoch):
        shown = inputs["letters"].reshape(len(inputs["letters"]), -1).argmax(axis=1)
        np.testing.assert_array_equal(shown, labels["alone"])
        real = inputs["places"] >= 0
        np.testing.assert_array_equal(shown[inputs["places"][real]], labels["context"][real])
        assert (labels["context"][~real] == PADDED).all()
        np.testing.assert_array_equal(labels["context"], labels["chain"])
        found += [decode_word(row[row >= 0]) for row in labels["context"]]
    return found


def test_every_word_comes_once_an_epoch() -> None:
    batches = batches_of((), 3)
    assert len(batches) == 2
    assert sorted(seen(batches)) == sorted(TEXTS)
    assert seen(batches, 1) == seen(batches_of((), 3), 1)
    assert len({tuple(seen(batches, epoch)) for epoch in range(6)}) > 1


def test_an_epoch_can_go_through_the_words_more_than_once() -> None:
    batches = batches_of(("tacta",), 3, passes=2)
    assert len(batches) == 3
    assert sorted(seen(batches)) == sorted(TEXTS * 2)
    assert seen(batches_of(("tacta",), 3, passes=2, other_words=0.5)).count("tacta") == 4


def test_letters_are_exchanged_for_the_same_letters() -> None:
    assert sorted(seen(batches_of((), 2, swapped=1.0))) == sorted(TEXTS)


def test_other_words_take_their_share() -> None:
    found = seen(batches_of(("tacta", "dog"), 2, other_words=0.5))
    assert found.count("tacta") == 2 and len(found) == 4 and "dog" not in found
    assert seen(batches_of(("tacta",), 2, other_words=1.0)) == ["tacta"] * 4


def test_words_that_cannot_be_spelled_are_refused() -> None:
    with pytest.raises(InputError, match="No word can be spelled"):
        batches_of(("dog",), 2, other_words=0.5)


def test_places_point_to_letters() -> None:
    assert letter_inputs([2, 3]).tolist() == [[0, 1, PADDED], [2, 3, 4]]
    assert letter_pictures(np.full((1, 16, 8), 255, np.uint8)).tolist() == np.ones((1, 16, 8, 1)).tolist()


def test_images_are_padded_with_paper() -> None:
    some = [np.full((16, width, 1), 0.5, np.float32) for width in (7, 30)]
    inputs = image_inputs(some)
    assert inputs["image"].shape == (2, 16, 48, 1) and inputs["mask"].shape == (2, 24)
    assert inputs["mask"].sum(axis=1).tolist() == [4, 15]
    assert (inputs["image"][0, :, :7] == 0.5).all() and not inputs["image"][0, :, 7:].any()


def test_composed_words_come_with_their_labels() -> None:
    batches = composed_batches(made_words(), ("tact", "cat", "dog"), 4, PLAIN, 10, **CHANGES, seed=3)
    assert len(batches) == 3
    count = 0
    for inputs, labels in batches.epoch(0):
        assert inputs["image"].shape[0] == inputs["mask"].shape[0] == len(labels) <= 4
        assert {decode_word(row[row >= 0]) for row in labels} <= {"tact", "cat"}
        count += len(labels)
    assert count == 10
    first, again = (next(iter(batches.epoch(1)))[0]["image"] for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_composed_words_are_worn_only_as_far_as_asked() -> None:
    def grey_ones(changed: float = 1.0, **how: float) -> np.ndarray:
        augmentation = LetterAugmentation(NO_AUGMENTATION, **{"stroke": 0.0, "noise": 0.0, **how})
        changes = {"augmentation": augmentation, "changed": changed}
        batches = composed_batches(made_words(), ("tact",), 30, replace(PLAIN, spacing=0.0), 30, **changes)
        image = next(iter(batches.epoch(0)))[0]["image"]
        return ((image > 0.0) & (image < 1.0)).any(axis=(1, 2, 3))

    assert not grey_ones().any()
    assert 8 <= grey_ones(thickness=0.2).sum() <= 22  # half of them
    assert grey_ones(noise=0.2).all() and not grey_ones(0.0, noise=0.2).any()
    assert 8 <= grey_ones(0.5, noise=0.2).sum() <= 22


def test_only_spellable_words_are_kept() -> None:
    assert spellable(["the", "it's", "a", "über", "commanding", "ommanding", "x" * 16], {"ommanding"}) == (
        "the",
    )
    assert with_tails(["spin", "pin"]) == ("in", "pin", "spin")
    with pytest.raises(InputError, match="No word can be spelled"):
        spellable(["É"])
    assert [decode_word(word) for word in LetterPool(made_words()).spellable(TEXTS)] == list(TEXTS)
