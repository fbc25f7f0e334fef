from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.images.augmentation import (
    NO_AUGMENTATION,
    Augmentation,
    LetterAugmentation,
    augmented_letters,
    with_stroke,
)
from data_prep.images.letter_words import LAYOUT, PLAIN, LetterPool, WordLayout, compose_word, compose_words
from data_prep.readers.letters import LetterWords, encode_word


def bars(count: int, top: int = 0, bottom: int = 16) -> np.ndarray:
    """Letters that are a full block of ink between two rows."""
    letters = np.zeros((count, 16, 8), np.uint8)
    letters[:, top:bottom] = 255
    return letters


def write(letters: np.ndarray, layout: WordLayout = LAYOUT, seed: int = 0, text: str = "") -> np.ndarray:
    """Write one word; the letters are a's where no text says what they are."""
    return compose_word(letters, encode_word(text or "a" * len(letters)), layout, seed)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_plain_word_is_its_letters_side_by_side() -> None:
    letters = rng(1).integers(0, 2, (3, 16, 8)).astype(np.uint8) * 255
    letters[:, :, [0, -1]] = 255
    image = write(letters, replace(PLAIN, spacing=0.0))
    assert image.shape[0] == 16 and image.dtype == np.float32
    inked = image[..., 0].any(axis=0)
    first = int(inked.argmax())
    np.testing.assert_allclose(
        image[:, first : first + 24, 0], np.concatenate(list(letters), axis=1) / 255.0, atol=1e-5
    )


def test_the_same_seed_gives_the_same_image() -> None:
    letters = bars(4, 3, 12)
    np.testing.assert_array_equal(write(letters, seed=3), write(letters, seed=3))
    one, other = write(letters, seed=3), write(letters, seed=4)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_words_of_a_batch_have_their_own_images() -> None:
    words = LetterWords.of(bars(9, 2, 14), [encode_word(text) for text in ("at", "cat", "tact")])
    images = compose_words(words, LAYOUT, rng())
    assert len(images) == 3
    assert all(image.shape[0] == 16 and image.shape[2] == 1 for image in images)
    assert all(image.min() >= 0.0 and image.max() <= 1.0 and image.max() > 0.5 for image in images)


def test_spacing_and_overlap_change_the_width() -> None:
    narrow = write(bars(6), replace(PLAIN, spacing=0.0, overlap=4.0), seed=1).shape[1]
    plain = write(bars(6), replace(PLAIN, spacing=0.0)).shape[1]
    wide = write(bars(6), replace(PLAIN, spacing=8.0), seed=1).shape[1]
    assert narrow < plain < wide


def test_slant_leans_upright_lines() -> None:
    letters = np.zeros((1, 16, 8), np.uint8)
    letters[0, :, 4] = 255
    columns = {
        seed: write(letters, replace(PLAIN, slant=0.5), seed=seed)[..., 0].argmax(axis=1)
        for seed in (0, 1, 2)
    }
    leans = [int(at[0]) - int(at[-1]) for at in columns.values()]
    assert max(map(abs, leans)) >= 2
    upright = write(letters, PLAIN)[..., 0].argmax(axis=1)
    assert upright[0] == upright[-1]


def test_the_baseline_moves_letters_and_loses_no_ink() -> None:
    image = write(bars(8, 4, 12), replace(PLAIN, baseline=3.0), seed=2)[..., 0]
    tops = {int(column.argmax()) for column in (image > 0.5).T if column.any()}
    assert len(tops) > 1
    heights = (image > 0.5).sum(axis=0)
    assert heights[heights > 0].max() <= 9 and np.median(heights[heights > 0]) >= 7


def test_a_fitted_word_fills_the_height() -> None:
    image = write(bars(3, 5, 11), replace(PLAIN, fitted=1.0))[..., 0]
    assert (image[[0, -1]] > 0.5).any(axis=1).all()
    loose = write(bars(3, 5, 11), PLAIN)[..., 0]
    assert not loose[0].any() and not loose[-1].any()


def test_written_letters_have_the_sizes_of_writing() -> None:
    image = write(bars(3), replace(PLAIN, written=1.0), text="alg")[..., 0] > 0.5
    columns = [column for column in image.T if column.any()]
    spans = {(int(column.argmax()), 16 - int(column[::-1].argmax())) for column in columns}
    # 15 lines from the top of l to the bottom of g fill the 16 rows: a stands from 4 to 10, g from 4 to 14.
    tops, bottoms = {top for top, _ in spans}, {bottom for _, bottom in spans}
    assert min(tops) <= 1 and max(bottoms) == 16
    assert any(4 <= top <= 6 for top in tops) and any(11 <= bottom <= 13 for bottom in bottoms)


def test_noise_and_strokes_change_pixels() -> None:
    letters = bars(2, 4, 12)
    plain = write(letters, PLAIN)
    assert np.abs(write(letters, replace(PLAIN, noise=0.5), seed=1) - plain).max() > 0.1
    grey = np.full((1, 16, 8, 1), 0.5, np.float32)
    assert with_stroke(grey, -0.2).mean() < with_stroke(grey, 0.0).mean() < with_stroke(grey, 0.2).mean()


@pytest.mark.parametrize("name", [field.name for field in fields(WordLayout)])
def test_layouts_out_of_bounds_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} does not fit"):
        WordLayout(**{name: -0.1})


def test_a_pool_spells_with_its_own_pictures() -> None:
    images = np.zeros((6, 16, 8), np.uint8)
    images[:, 0, 0] = np.arange(6)
    labels = np.array([2, 0, 2, 1, 0, 2])
    pool = LetterPool(LetterWords.of(images, [labels]))
    wanted = encode_word("cab" * 30)
    drawn = pool.spell(wanted, rng())[:, 0, 0]
    assert (labels[drawn] == wanted).all() and set(drawn.tolist()) == set(range(6))
    assert [word.tolist() for word in pool.spellable(["cab", "dab", "", "É"])] == [[2, 0, 1]]
    with pytest.raises(InputError, match="no picture of one of the letters"):
        pool.spell(encode_word("cad"), rng())


def test_letters_are_changed_within_bounds() -> None:
    letters = bars(20, 4, 12)
    plain = augmented_letters(letters, LetterAugmentation(NO_AUGMENTATION, 0.0, 0.0), rng())
    np.testing.assert_allclose(plain[..., 0], letters / 255.0)
    changed = augmented_letters(letters, LetterAugmentation(), rng(1))
    assert changed.shape == (20, 16, 8, 1) and changed.dtype == np.float32
    assert changed.min() >= 0.0 and changed.max() <= 1.0
    assert np.abs(changed - plain).max() > 0.3
    np.testing.assert_array_equal(changed, augmented_letters(letters, LetterAugmentation(), rng(1)))


def test_noise_is_of_each_letter_and_mostly_low() -> None:
    grey = np.full((500, 16, 8), 128, np.uint8)
    noisy = augmented_letters(grey, LetterAugmentation(NO_AUGMENTATION, 0.0, 0.4), rng())
    deviations = noisy.reshape(500, -1).std(axis=1)
    assert 0.25 < deviations.max() < 0.45 and 0.05 < np.median(deviations) < 0.15


@pytest.mark.parametrize("name", ["stroke", "noise", "thickness"])
def test_augmentation_out_of_bounds_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} does not fit"):
        LetterAugmentation(Augmentation(), **{name: -0.1})
