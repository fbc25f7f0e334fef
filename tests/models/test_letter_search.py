from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.readers.letters import decode_word
from models.char_lm.ngrams import fit_ngrams
from models.ocr.letter_lm import END, LetterLM, fit_letter_lm, lm_specs
from models.ocr.letter_search import beam_search, letter_shares

WORDS = ["abc", "abca", "cab", "bac", "bacab", "cacab", "abba"]


def scores(places: int, seed: int = 0) -> np.ndarray:
    """Only a, b and c can be."""
    found = np.full((places, 26), -np.inf)
    found[:, :3] = np.log(np.random.default_rng(seed).dirichlet(np.ones(3), places))
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("with_language", [False, True])
def test_a_wide_beam_finds_what_enumeration_finds(seed: int, with_language: bool) -> None:
    letters = scores(4, seed)
    language = fit_letter_lm(WORDS, 3) if with_language else None
    wanted = {}
    for word in product(range(3), repeat=4):
        total = letters[np.arange(4), word].sum()
        if language is not None:
            total += 0.6 * language.score(decode_word(word))
        wanted[decode_word(word)] = total
    found = beam_search(letters, scorer=language, weight=0.6, width=81)
    assert [one.text for one in found] == sorted(wanted, key=wanted.get, reverse=True)
    for one in found:
        assert one.score == pytest.approx(wanted[one.text])
    shares = np.exp(np.array(list(wanted.values())))
    assert found[0].probability == pytest.approx(shares.max() / shares.sum())
    unsure = beam_search(letters, scorer=language, weight=0.6, width=81, temperature=2.0)
    assert [one[:2] for one in unsure] == [one[:2] for one in found]
    assert unsure[0].probability == pytest.approx(np.sqrt(shares.max()) / np.sqrt(shares).sum())


def test_without_context_the_best_letters_win() -> None:
    letters = scores(6, 5)
    assert beam_search(letters, width=1)[0].text == decode_word(letters.argmax(axis=1))


def test_shares_of_letters_are_those_of_the_words() -> None:
    letters = scores(3, 2)
    shares = letter_shares(beam_search(letters, width=27))
    np.testing.assert_allclose(shares, np.exp(letters), atol=1e-9)


def test_the_language_model_is_a_distribution_over_letters_and_the_end() -> None:
    language = fit_letter_lm(WORDS, 4)
    for history in ("", "a", "ab", "zzz", "abcabc"):
        found = language.log_probabilities(history)
        assert found.shape == (27,) and np.exp(found).sum() == pytest.approx(1.0)
    assert language.log_probabilities("ab")[2] > language.log_probabilities("ab")[25]
    assert language.log_probabilities("abc")[-1] > language.log_probabilities("a")[-1]
    with pytest.raises(ValueError, match="read-only"):
        language.log_probabilities("")[0] = 0.0


def test_the_score_of_a_word_is_the_sum_of_its_letters() -> None:
    language = fit_letter_lm(WORDS, 4)
    steps = [language.log_probabilities("bac"[:at])[label] for at, label in enumerate((1, 0, 2))]
    assert language.score("bac") == pytest.approx(sum(steps) + language.log_probabilities("bac")[-1])


def test_rare_long_grams_leave_their_share_to_shorter_ones() -> None:
    words = ["abc"] * 5 + ["abd"]
    language, whole = fit_letter_lm(words, 3), fit_ngrams(END + END.join(words) + END, 3)
    assert len(language.model.levels[2].grams) < len(whole.levels[2].grams)
    assert np.exp(language.log_probabilities("ab")).sum() == pytest.approx(1.0)
    assert language.log_probabilities("ab")[2] > language.log_probabilities("ab")[3]


def test_a_stored_model_says_nearly_the_same() -> None:
    language = fit_letter_lm(WORDS, 4)
    arrays = language.arrays()
    assert {name: (array.shape, array.dtype.name) for name, array in arrays.items()} == {
        name: (spec.shape, spec.dtype) for name, spec in lm_specs(*language.sizes.values()).items()
    }
    half = {
        n: a.astype(np.float16).astype(np.float32) if a.dtype == np.float32 else a for n, a in arrays.items()
    }
    opened = LetterLM.from_arrays(half)
    for word in ("abc", "cab", "zab"):
        assert opened.score(word) == pytest.approx(language.score(word), abs=0.02)
    assert LetterLM.from_arrays({}) is None


def test_words_of_any_alphabet() -> None:
    language = fit_letter_lm(["αβ", "αγ", "αβγ"], 2, alphabet="αβγ")
    after = np.exp(LetterLM.from_arrays(language.arrays(), "αβγ").log_probabilities("α"))
    assert after.argmax() == 1 and after.sum() == pytest.approx(1.0)
    scores = np.log([[0.5, 0.3, 0.2], [0.1, 0.45, 0.45]])
    # Both letters look alike; a word ends after γ more often than after β.
    assert beam_search(scores, scorer=language, alphabet="αβγ")[0].text == "αγ"


@pytest.mark.parametrize("words", [["abcdef"], ["abcdef", "fedcba"]])
def test_words_whose_beginnings_come_once(words: list[str]) -> None:
    language = fit_letter_lm(words, 4, "abcdef")
    np.testing.assert_allclose(np.exp(language.logs).sum(axis=1), 1.0, rtol=1e-5)
    assert language.score("abcdef") > language.score("abcfed")


def test_in_a_large_alphabet_the_longest_grams_are_shorter() -> None:
    alphabet = "".join(map(chr, range(0x4E00, 0x4E00 + 80)))
    words = [alphabet[-6:], alphabet[:4] + alphabet[-4:]]
    language = fit_letter_lm(words, 5, alphabet)
    assert language.model.order == 4  # the fifth power of 81 has more than 31 bits
    opened = LetterLM.from_arrays(language.arrays(), alphabet)
    for word in words:
        assert opened.score(word) == pytest.approx(language.score(word), abs=1e-4)


def test_a_model_that_knows_no_ends_of_words_is_refused() -> None:
    with pytest.raises(InputError, match="where words end"):
        LetterLM(fit_ngrams("abc", 2))
