"""Strips: every number has its place, its colour and its scale."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from apps.digits.strips import Strip, levels, png, strip_of

RED, BLUE = (255, 0, 0), (0, 0, 255)


def drawn(strip: Strip) -> np.ndarray:
    """The picture as red, green, blue and opacity, from red over white to blue."""
    picture = png(strip, "#ff0000", "#ffffff", "#0000ff")
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA"))


def test_channels_are_tiles_with_gaps_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.digits.strips.COLUMNS", 2)
    values = np.zeros((2, 3, 5), np.float32)
    values[0, 2, 4] = 1.0
    strip = strip_of(values)
    assert strip.tiles.shape == (3, 2, 2, 3)
    assert (strip.count, strip.low, strip.high, strip.left_out) == (5, 0.0, 1.0, 0)
    picture = drawn(strip)
    assert picture.shape == (3 * 3 - 1, 2 * 4 - 1, 4)
    assert (picture[2, :, 3] == 0).all() and (picture[:, 3, 3] == 0).all()  # gaps
    assert (picture[6:, 4:, 3] == 0).all()  # there is no sixth channel
    assert tuple(picture[6, 2, :3]) == BLUE
    assert (picture[0:2, 0:3, :3] == 255).all()


def test_a_signed_strip_has_zero_in_the_middle() -> None:
    strip = strip_of(np.array([-2.0, -1.0, 0.0, 1.0], np.float32))
    assert strip.low < 0
    found = levels(strip).astype(int).ravel()
    assert found[0] == 0
    assert 126 <= found[2] <= 127
    assert found[3] - found[2] == pytest.approx(63, abs=1)
    picture = drawn(strip)
    assert picture.shape == (3, 4 * 3, 4)
    assert tuple(picture[0, 0, :3]) == RED
    assert picture[0, 6, :3].min() >= 253
    assert (picture[..., 3] == 0).nonzero()[1].tolist() == [1, 4]  # holes of the negative ones


def test_a_strip_of_zeros_and_one_above_zero() -> None:
    assert (levels(strip_of(np.zeros((4, 4, 2), np.float32))) == 0).all()
    found = levels(strip_of(np.array([5.0, 10.0], np.float32))).ravel()
    assert found.tolist() == [126, 253]  # from zero, not from the least


def test_kernels_are_rows_of_filters() -> None:
    kernel = np.arange(3 * 3 * 2 * 4, dtype=np.float32).reshape(3, 3, 2, 4)
    strip = strip_of(kernel)
    assert strip.tiles.shape == (4, 2, 3, 3)
    np.testing.assert_array_equal(strip.tiles[3, 1], kernel[:, :, 1, 3])
    single = strip_of(kernel[:, :, :1])
    assert single.tiles.shape == (1, 4, 3, 3)
    np.testing.assert_array_equal(single.tiles[0, 2], kernel[:, :, 0, 2])


def test_matrices_vectors_and_numbers() -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(strip_of(matrix).tiles[0, 0], matrix.T)
    assert strip_of(np.ones(7, np.float32)).tiles.shape == (1, 1, 1, 7)
    assert strip_of(np.float32(2.0).reshape(())).tiles.shape == (1, 1, 1, 1)


def test_large_arrays_are_cut_and_their_ends_are_not() -> None:
    kernel = np.zeros((3, 3, 40, 70), np.float32)
    kernel[0, 0, 39, 69] = -9.0
    strip = strip_of(kernel)
    assert strip.tiles.shape == (64, 32, 3, 3)
    assert strip.low == -9.0
    assert strip.left_out == 3 * 3 * (40 * 70 - 32 * 64)
    many = strip_of(np.zeros((2, 2, 100), np.float32))
    assert (many.count, many.left_out) == (64, 36 * 4)
    wide = strip_of(np.zeros((1000, 10), np.float32))
    assert wide.tiles.shape == (1, 1, 10, 512)
    assert wide.left_out == 4880
