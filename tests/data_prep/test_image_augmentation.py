"""Images moved at random: how far, from what they are drawn, and that nothing else happens to them."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.images.augmentation import (
    NO_AUGMENTATION,
    Augmentation,
    ImageBatches,
    augmented,
    displaced,
    sampled,
    with_thickness,
    worn,
)
from data_prep.images.preparation import LabelledImages


def only(**values: float) -> Augmentation:
    return Augmentation(**{**vars(NO_AUGMENTATION), **values})


def drawn(count: int = 30, size: int = 28) -> np.ndarray:
    found = np.zeros((count, size, size), np.uint8)
    found[:, 8:20, 10:16] = 255
    return found


def batches(**settings) -> ImageBatches:
    images = np.random.default_rng(1).integers(0, 256, (50, 28, 28)).astype(np.uint8)
    return ImageBatches(LabelledImages(images, np.arange(50) % 10), settings.pop("batch_size", 16), **settings)


def test_strokes_of_black_and_white_become_thinner_and_thicker() -> None:
    images = drawn(2)[..., None] / np.float32(255)
    inks = [float(with_thickness(images, thicker).sum()) for thicker in (-0.4, -0.25, 0.0, 0.25, 0.4)]
    assert inks == sorted(inks) and len(set(inks)) == 5
    same = with_thickness(images, 0.0)
    assert same.shape == images.shape and 0.0 <= same.min() <= same.max() <= 1.0
    np.testing.assert_allclose(same[:, 9:19, 11:15], 1.0)
    np.testing.assert_allclose(same[:, :6], 0.0)


def test_half_of_the_images_get_other_strokes_and_most_little_noise() -> None:
    square = drawn(400)[..., None] / np.float32(255)
    other = worn(square, 0.25, 0.0, np.random.default_rng(1))
    changed = (other != square).any(axis=(1, 2, 3))
    assert 160 <= changed.sum() <= 240
    inks = other[changed].sum(axis=(1, 2, 3)) / square[0].sum()
    assert inks.min() < 0.9 and inks.max() > 1.1 and other.dtype == np.float32
    grey = np.full((500, 28, 28, 1), 0.5, np.float32)
    deviations = worn(grey, 0.0, 0.4, np.random.default_rng(1)).std(axis=(1, 2, 3))
    assert 0.3 < deviations.max() < 0.4 and 0.05 < np.median(deviations) < 0.15
    np.testing.assert_array_equal(worn(square, 0.0, 0.0, np.random.default_rng(1)), square)


def test_batches_are_worn_as_asked() -> None:
    plain, noisy = (next(batches(noise=noise).epoch(0))[0] for noise in (0.0, 0.4))
    assert 0.02 < np.abs(noisy - plain).mean() < 0.3


def test_nothing_asked_for_changes_nothing() -> None:
    images = drawn()
    found = augmented(images, NO_AUGMENTATION, np.random.default_rng(1))
    assert found.shape == (30, 28, 28, 1) and found.dtype == np.float32
    np.testing.assert_array_equal(found[..., 0], images / np.float32(255))


def test_reading_at_the_own_place_is_exact() -> None:
    images = np.random.default_rng(1).integers(0, 256, (3, 9, 11)).astype(np.uint8)
    rows, columns = np.meshgrid(np.arange(9.0), np.arange(11.0), indexing="ij")
    places = [np.broadcast_to(one, (3, 9, 11)).astype(np.float32) for one in (rows, columns)]
    np.testing.assert_allclose(sampled(images, *places), images / 255.0, atol=1e-6)


def test_reading_equals_scipy_between_pixels_and_outside() -> None:
    from scipy import ndimage

    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (4, 12, 10)).astype(np.uint8)
    rows = rng.uniform(-4, 15, (4, 12, 10)).astype(np.float32)
    columns = rng.uniform(-4, 13, (4, 12, 10)).astype(np.float32)
    found = sampled(images, rows.copy(), columns.copy())
    for at in range(4):
        framed = np.pad(images[at] / 255.0, 8)
        expected = ndimage.map_coordinates(framed, [rows[at] + 8, columns[at] + 8], order=1)
        np.testing.assert_allclose(found[at], expected, atol=1e-4)


def test_shift_is_within_its_bound() -> None:
    rows, columns = displaced(500, 28, 28, only(shift=2.0), np.random.default_rng(1))
    at = np.arange(28)
    for moved in (rows - at[:, None], columns - at):
        assert np.abs(moved).max() <= 2.0 + 1e-4
        assert np.abs(moved).max() > 1.8
        assert np.ptp(moved, axis=(1, 2)).max() < 1e-4, "all pixels of an image move alike"


def test_rotation_keeps_distances_and_its_bound() -> None:
    rows, columns = displaced(500, 29, 29, only(rotation=10.0), np.random.default_rng(1))
    down = rows[:, 28, 14] - rows[:, 0, 14], columns[:, 28, 14] - columns[:, 0, 14]
    np.testing.assert_allclose(np.hypot(*down), 28.0, rtol=1e-5)
    angles = np.degrees(np.arctan2(down[1], down[0]))
    assert 9.5 < np.abs(angles).max() <= 10.001
    np.testing.assert_allclose(rows[:, 14, 14], 14.0, atol=1e-4)


def test_scaling_is_of_each_side_and_within_its_bound() -> None:
    rows, columns = displaced(500, 29, 29, only(scaling=0.1), np.random.default_rng(1))
    for length in (rows[:, 28, 0] - rows[:, 0, 0], columns[:, 0, 28] - columns[:, 0, 0]):
        assert 28 / 1.1 - 1e-3 <= length.min() < 25.8
        assert 30.8 < length.max() <= 28 / 0.9 + 1e-3


def test_shear_leans_upright_lines() -> None:
    rows, columns = displaced(500, 29, 29, only(shear=0.2), np.random.default_rng(1))
    lean = (columns[:, 28, 14] - columns[:, 0, 14]) / 28.0
    assert 0.18 < np.abs(lean).max() <= 0.2001
    np.testing.assert_allclose(rows - np.arange(29)[:, None], 0.0, atol=1e-4)


@pytest.mark.parametrize("smoothness", [1.0, 4.0])
def test_bending_has_its_deviation_and_its_smoothness(smoothness: float) -> None:
    settings = only(elastic=1.5, smoothness=smoothness)
    rows, columns = displaced(2000, 28, 28, settings, np.random.default_rng(1))
    bent = rows - np.arange(28)[:, None]
    assert np.std(bent[:, 14, 14]) == pytest.approx(1.5, rel=0.06)
    assert np.std(columns[:, 14, 14]) == pytest.approx(1.5, rel=0.06)
    # White noise smoothed by a Gaussian is correlated by exp(-d^2 / (4 sigma^2)) over a distance d.
    found = np.corrcoef(bent[:, 14, 14], bent[:, 14, 16])[0, 1]
    assert found == pytest.approx(np.exp(-1.0 / smoothness**2), abs=0.05)


def test_values_stay_between_paper_and_ink() -> None:
    found = augmented(drawn(300), Augmentation(elastic=3.0, shift=6.0), np.random.default_rng(1))
    assert found.min() >= 0.0 and found.max() <= 1.0


def test_seed_and_epoch_alone_decide() -> None:
    settings = {"augmentation": Augmentation(), "seed": 3}
    once, again = list(batches(**settings).epoch(4)), list(batches(**settings).epoch(4))
    for (images, labels), (same, same_labels) in zip(once, again, strict=True):
        np.testing.assert_array_equal(images, same)
        np.testing.assert_array_equal(labels, same_labels)
    for other in (batches(**settings).epoch(5), batches(**{**settings, "seed": 4}).epoch(4)):
        assert (next(iter(other))[0] != once[0][0]).any()


def test_labels_go_with_their_images() -> None:
    images = np.zeros((40, 4, 4), np.uint8)
    images[:] = np.arange(40)[:, None, None]
    for some, labels in ImageBatches(LabelledImages(images, np.arange(40)), 8, seed=1).epoch(0):
        np.testing.assert_array_equal(np.round(some[:, 0, 0, 0] * 255), labels)


def test_an_epoch_has_every_image_once_and_whole_batches() -> None:
    made = batches(batch_size=10)
    found = [labels for _, labels in made.epoch(0)]
    assert len(found) == len(made) == 5
    assert sorted(np.concatenate(found).tolist()) == sorted((np.arange(50) % 10).tolist())
    assert len(list(batches().epoch(0))) == len(batches()) == 3


@pytest.mark.parametrize("name", ["shift", "rotation", "scaling", "shear", "elastic", "smoothness"])
def test_wrong_extents_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} does not fit"):
        Augmentation(**{name: -1.0})


def test_too_few_images() -> None:
    with pytest.raises(InputError, match="too few images"):
        batches(batch_size=51)
