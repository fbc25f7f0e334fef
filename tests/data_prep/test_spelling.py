"""Word vectors mixed with the spelling of their words."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.spelling import with_spelling


def cosine(vectors: WordVectors, one: str, other: str) -> float:
    rows = vectors.normalized
    return float(rows[vectors.index(one)] @ rows[vectors.index(other)])


@pytest.fixture(scope="module")
def stems() -> WordVectors:
    """Words of 60 stems with four endings; every stem and every ending has a direction, and noise hides both."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    stems = ["".join(rng.choice(letters, 5)) for _ in range(60)]
    endings = {ending: rng.normal(size=32) for ending in ("ing", "ation", "ness", "ment")}
    keys, rows = [], []
    for stem in stems:
        own = rng.normal(size=32)
        for ending, direction in endings.items():
            keys.append(stem + ending)
            rows.append(own + direction + 1.5 * rng.normal(size=32))
    return WordVectors(keys, np.array(rows, np.float32), np.arange(len(keys), 0, -1))


def test_words_of_one_stem_come_closer_and_lengths_stay(stems: WordVectors) -> None:
    mixed = with_spelling(stems, 3.0)
    assert mixed.vocabulary is stems.vocabulary and mixed.vectors.dtype == np.float32
    lengths = [np.linalg.norm(vectors.vectors, axis=1) for vectors in (stems, mixed)]
    np.testing.assert_allclose(*lengths, rtol=1e-5)
    before, after = (
        np.mean([cosine(vectors, stems.keys[at], stems.keys[at + 1]) for at in range(0, 240, 4)])
        for vectors in (stems, mixed)
    )
    assert after > before + 0.1


def test_the_same_bits_each_time(stems: WordVectors) -> None:
    np.testing.assert_array_equal(with_spelling(stems, 0.5).vectors, with_spelling(stems, 0.5).vectors)


def test_no_weight_changes_nothing(stems: WordVectors) -> None:
    assert with_spelling(stems, 0.0) is stems


def test_a_zero_vector_stays_zero() -> None:
    vectors = WordVectors(["abc", "abcd"], np.array([[0.0, 0.0], [1.0, 2.0]], np.float32))
    mixed = with_spelling(vectors, 1.0).vectors
    assert np.isfinite(mixed).all()
    np.testing.assert_array_equal(mixed[0], [0.0, 0.0])


def test_words_without_letters_in_common_are_refused() -> None:
    vectors = WordVectors(["ab", "xyz"], np.array([[0.0, 1.0], [1.0, 2.0]], np.float32))
    with pytest.raises(InputError, match="No two words have letters in common"):
        with_spelling(vectors, 1.0)


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf")])
def test_wrong_weights_are_refused(stems: WordVectors, weight: float) -> None:
    with pytest.raises(InputError, match="The weight of the spelling is out of range"):
        with_spelling(stems, weight)
