"""Probabilities of single letters beside the sum over paths of every exchanged word."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep.readers.letters import LETTERS, encode_word
from models.serving.ctc import (
    best_path,
    exchanged,
    letter_likelihoods,
    letter_posteriors,
    log_likelihoods,
    spans,
)

BLANK = len(LETTERS)


def posteriors(values: np.ndarray, word: str, added: np.ndarray | float = 0.0) -> np.ndarray:
    return letter_posteriors(letter_likelihoods(values, encode_word(word) if word else []) + added)


def frames(count: int, seed: int = 1, sharp: float = 2.0) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0.0, sharp, (count, BLANK + 1))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("word", ["a", "ab", "aab", "tool"])
def test_posteriors_are_those_of_each_exchanged_word_by_itself(word: str) -> None:
    values, labels = frames(9), encode_word(word)
    language = np.random.default_rng(2).normal(size=(len(word), 26))
    words = exchanged(labels, len(LETTERS))
    scores = np.array([[log_likelihoods(values, one[None])[0] for one in row] for row in words])
    for added in (None, language):
        expected = np.exp(scores + (0.0 if added is None else added))
        expected /= expected.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(
            letter_posteriors(letter_likelihoods(values, labels) + (0.0 if added is None else added)),
            expected,
            atol=1e-9,
        )


def test_long_sharp_frames_do_not_underflow() -> None:
    found = posteriors(frames(400, sharp=12.0), "uncomfortably")
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_no_letter_and_no_room() -> None:
    assert posteriors(frames(5), "").shape == (0, 26)
    assert posteriors(frames(5), "", np.zeros((0, 26))).shape == (0, 26)
    np.testing.assert_allclose(posteriors(frames(2), "abcde"), 1 / 26)


def test_spans_part_equal_letters_at_a_blank() -> None:
    assert spans([BLANK, 0, 0, 1, BLANK, 1, BLANK], BLANK) == [(0, 1, 3), (1, 3, 4), (1, 5, 6)]
    path = best_path(frames(12), encode_word("aab"))
    assert [label for label, *_ in spans(path, BLANK)] == [0, 0, 1]
