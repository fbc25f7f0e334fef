from __future__ import annotations

from collections import defaultdict
from itertools import product

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.readers.letters import LETTERS, decode_word, encode_word
from models.ocr.letter_lm import fit_letter_lm
from models.serving.ctc import best_path, collapse, greedy, log_likelihoods, prefix_beam_search

BLANK = len(LETTERS)
LIVE = (0, 1, BLANK)  # classes that have any probability


def frames(count: int, seed: int = 0) -> np.ndarray:
    """Logarithms of probabilities, of which all but those of LIVE are 0."""
    found = np.full((count, 27), -np.inf)
    found[:, LIVE] = np.log(np.random.default_rng(seed).dirichlet(np.ones(len(LIVE)), count))
    return found


def by_paths(log_probabilities: np.ndarray) -> dict[str, float]:
    """The probability of every word by the definition: a sum over all paths."""
    found: dict[str, float] = defaultdict(float)
    for path in product(LIVE, repeat=len(log_probabilities)):
        chance = np.exp(sum(frame[label] for frame, label in zip(log_probabilities, path, strict=True)))
        found[decode_word(collapse(path, BLANK))] += chance
    return found


def labels_of(text: str) -> list[int]:
    return encode_word(text).tolist() if text else []


def test_the_classes_are_the_letters_and_last_the_blank() -> None:
    path = [BLANK, 7, 7, BLANK, 4, 11, BLANK, 11, 11, 14, BLANK]
    assert decode_word(collapse(path, BLANK)) == "hello"
    log_probabilities = np.log(np.full((len(path), 27), 1e-3))
    log_probabilities[np.arange(len(path)), path] = 0.0
    assert decode_word(greedy(log_probabilities)) == "hello"
    assert prefix_beam_search(log_probabilities)[0].text == "hello"
    np.testing.assert_array_equal(best_path(log_probabilities, encode_word("hello")), path)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_the_likelihood_is_the_sum_over_paths(count: int, seed: int) -> None:
    log_probabilities = frames(count, seed)
    words = by_paths(log_probabilities)
    assert sum(words.values()) == pytest.approx(1.0)
    for word, chance in words.items():
        (found,) = log_likelihoods(log_probabilities, np.array([labels_of(word)], np.int64))
        assert np.exp(found) == pytest.approx(chance), word


def test_too_few_frames_have_no_path() -> None:
    assert log_likelihoods(frames(2), np.array([labels_of("aa")])).tolist() == [-np.inf]
    with pytest.raises(InputError, match="too short for this word"):
        best_path(frames(2), labels_of("aa"))


@pytest.mark.parametrize("word", ["", "a", "ab", "aa", "aba"])
def test_the_alignment_is_the_best_path(word: str) -> None:
    log_probabilities = frames(5, 4)
    paths = [path for path in product(LIVE, repeat=5) if decode_word(collapse(path, BLANK)) == word]
    score = {
        path: sum(frame[label] for frame, label in zip(log_probabilities, path, strict=True))
        for path in paths
    }
    found = best_path(log_probabilities, labels_of(word))
    assert tuple(found.tolist()) == max(score, key=score.get)


@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_finds_what_enumeration_finds(seed: int) -> None:
    log_probabilities = frames(5, seed)
    words = by_paths(log_probabilities)
    found = prefix_beam_search(log_probabilities, width=200)
    assert {one.text for one in found} == set(words)
    for one in found:
        assert one.score == pytest.approx(np.log(words[one.text]))
        assert one.probability == pytest.approx(words[one.text])


@pytest.mark.parametrize("seed", range(4))
def test_the_language_model_counts_letters_and_the_end(seed: int) -> None:
    language = fit_letter_lm(["ab", "aab", "ba", "abab", "bab"], 3)
    log_probabilities = frames(5, seed)
    wanted = {
        word: np.log(chance) + 0.7 * language.score(word) + 0.4 * len(word)
        for word, chance in by_paths(log_probabilities).items()
    }
    found = prefix_beam_search(log_probabilities, scorer=language, weight=0.7, bonus=0.4, width=200)
    for one in found:
        assert one.score == pytest.approx(wanted[one.text])
    assert found[0].text == max(wanted, key=wanted.get)
    unsure = prefix_beam_search(
        log_probabilities, scorer=language, weight=0.7, bonus=0.4, width=200, temperature=2.0
    )
    assert [one[:2] for one in unsure] == [one[:2] for one in found]
    root = np.sqrt([one.probability for one in found])
    np.testing.assert_allclose([one.probability for one in unsure], root / root.sum())
    narrow = prefix_beam_search(log_probabilities, scorer=language, weight=0.7, bonus=0.4, width=2)
    assert len(narrow) == 2 and narrow[0].score <= found[0].score + 1e-9


def test_the_best_word_need_not_be_that_of_the_best_path() -> None:
    log_probabilities = np.full((2, 27), -np.inf)
    log_probabilities[:, 0], log_probabilities[:, BLANK] = np.log(0.4), np.log(0.6)
    assert greedy(log_probabilities) == []
    assert prefix_beam_search(log_probabilities)[0].text == "a"
