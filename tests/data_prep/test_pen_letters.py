"""Letters by rules: what the set's look like, the same for the same seed."""

from __future__ import annotations

import numpy as np

from data_prep.images.pen_letters import pen_letters

ALL = np.arange(26)


def test_they_fill_their_box_as_the_sets_do() -> None:
    drawn = pen_letters(ALL, 3)
    assert drawn.shape == (26, 16, 8) and drawn.dtype == np.uint8
    assert set(np.unique(drawn).tolist()) == {0, 255}
    inked = drawn > 0
    assert (inked.mean(axis=(1, 2)) > 0.05).all() and inked.mean() < 0.35
    edges = (inked[:, 0], inked[:, -1], inked[:, :, 0], inked[:, :, -1])
    fills = np.any([edge.any(axis=1) for edge in edges], axis=0)
    assert fills.all()


def test_a_seed_is_a_hand_and_all_letters_differ() -> None:
    first = pen_letters(ALL, 1)
    np.testing.assert_array_equal(first, pen_letters(ALL, 1))
    assert (first != pen_letters(ALL, 2)).any(axis=(1, 2)).all()
    assert len(np.unique(first.reshape(26, -1), axis=0)) == 26
    assert len(np.unique(pen_letters(np.full(5, 4), 1).reshape(5, -1), axis=0)) > 1
