"""Products of 16-bit whole numbers against those of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from models.serving.whole_products import ONE, PANEL, products, whole


@pytest.mark.parametrize("rows", [1, 3, 4, 9])
def test_products_are_those_of_the_rounded_weights(rows: int) -> None:
    rng = np.random.default_rng(rows)
    kernel = rng.normal(size=(3, 8, 37)).astype(np.float32)  # taps, rows, columns
    x = rng.uniform(-1, 1, size=(20, 12)).astype(np.float32)
    numbers = np.rint(x * ONE).astype(np.int16)
    weights, steps = whole(kernel)
    begin = rng.normal(size=len(steps)).astype(np.float32)
    out = np.full((rows, len(steps)), np.nan, np.float32)
    places, taps = rng.integers(2, 18, rows), np.array([-2, 0, 1])
    products(numbers, places, taps, 4, weights, steps, begin, out)
    assert len(steps) == 2 * PANEL
    seen = x[places[:, None] + taps, 4:]
    expected = np.einsum("rtk,tkc->rc", seen, kernel) + begin[:37]
    np.testing.assert_allclose(out[:, :37], expected, atol=5e-3)
    np.testing.assert_array_equal(out[:, 37:], np.tile(begin[37:], (rows, 1)))


def test_no_sum_leaves_its_bits() -> None:
    kernel = np.ones((1, 512, PANEL), np.float32)
    kernel[:, ::2] = -1.0
    weights, steps = whole(kernel)
    x = np.full((1, 512), ONE, np.int16)
    x[:, ::2] = -ONE
    out = np.empty((1, PANEL), np.float32)
    zero = np.zeros(1, np.int64)
    products(x, zero, zero, 0, weights, steps, np.zeros(PANEL, np.float32), out)
    np.testing.assert_allclose(out, 512.0, rtol=1e-2)
