"""Kneser-Ney against the equations written out with dictionaries, and every distribution against its sum."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from data_prep.readers.plays import read_shakespeare
from models.char_lm.ngrams import NGramModel, discounts_of, fit_ngrams

TEXT = (
    "the cat sat on the mat. the dog that the cat saw sat on the log. a cat and a dog! the end of that. " * 3
)


class Naive:
    """Interpolated Kneser-Ney as Chen and Goodman write it, one character at a time."""

    def __init__(self, text: str, order: int) -> None:
        self.alphabet = sorted(set(text))
        self.order = order
        self.counts: dict[int, Counter[str]] = {}
        for length in range(order, 0, -1):
            if length == order:
                grams = [text[at : at + length] for at in range(len(text) - length + 1)]
                self.counts[length] = Counter(grams)
            else:
                longer = {text[at : at + length + 1] for at in range(len(text) - length)}
                self.counts[length] = Counter(gram[1:] for gram in longer)
        self.discounts = {
            n: discounts_of(np.array(list(c.values()))) for n, c in self.counts.items()
        }
        self.followers: dict[str, dict[str, int]] = defaultdict(dict)
        for counts in self.counts.values():
            for gram, count in counts.items():
                self.followers[gram[:-1]][gram[-1]] = count

    def chance(self, context: str, character: str, length: int | None = None) -> float:
        if length is None:
            length = min(self.order, len(context) + 1)
        if length == 0:
            return 1 / len(self.alphabet)
        history = context[len(context) - length + 1 :]
        shorter = self.chance(context, character, length - 1)
        following = {
            c: n for c, n in self.followers.get(history, {}).items() if history + c in self.counts[length]
        }
        if not following:
            return shorter
        discount = self.discounts[length]
        total = sum(following.values())
        taken = sum(discount[min(n, 3) - 1] for n in following.values())
        own = following.get(character, 0)
        kept = own - discount[min(own, 3) - 1] if own else 0
        return kept / total + taken / total * shorter


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
def test_scores_are_those_of_the_equations(order: int) -> None:
    model = fit_ngrams(TEXT, order)
    naive = Naive(TEXT, order)
    text = "the mad dog sat on a hat. that!"
    expected = [-math.log(naive.chance(text[:at], text[at])) for at in range(len(text))]
    assert np.allclose(model.score(text), expected, rtol=1e-10)
    behind = model.score(text[9:], context=text[:9])
    assert np.allclose(behind, expected[9:], rtol=1e-10)


@settings(max_examples=60, deadline=None)
@given(
    st.text("abcé\n", min_size=6, max_size=80),
    st.integers(0, 5),
    st.text("abcé\n", max_size=8),
)
def test_every_distribution_sums_to_one_and_agrees_with_the_score(
    text: str, order: int, context: str
) -> None:
    model = fit_ngrams(text, order, alphabet="abcé\n")
    chances = model.probabilities(context)
    assert chances.shape == (5,) and chances.min() > 0.0
    assert chances.sum() == pytest.approx(1.0, abs=1e-12)
    for character, chance in zip(model.alphabet, chances, strict=True):
        assert model.score(character, context)[0] == pytest.approx(-math.log(chance), rel=1e-9)


def test_longer_contexts_help_and_uniform_is_uniform() -> None:
    losses = [fit_ngrams(TEXT, order).score(TEXT[:300]).mean() for order in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] == pytest.approx(math.log(len(set(TEXT))))
    assert fit_ngrams(TEXT, 0).parameters == 0


def test_discounts_are_estimated_from_counts_of_counts() -> None:
    counts = np.array([1] * 40 + [2] * 12 + [3] * 6 + [4] * 3 + [9])
    share = 40 / (40 + 24)
    modified = (1 - 2 * share * 12 / 40, 2 - 3 * share * 6 / 12, 3 - 4 * share * 3 / 6)
    assert discounts_of(counts) == pytest.approx(modified)
    assert discounts_of(np.array([5, 6])) == (0.5, 1.0, 1.5)
    # Counts of counts that would give a discount below 0.
    assert discounts_of(np.array([1] * 40 + [2] * 4 + [3] * 40 + [4])) == (0.5, 1.0, 1.5)


def test_samples_repeat_with_their_seed_and_follow_the_prompt() -> None:
    model = fit_ngrams(TEXT, 4)
    one = model.sample(200, seed=1)
    assert len(one) == 200 and set(one) <= set(TEXT)
    assert one == model.sample(200, seed=1) != model.sample(200, seed=2)
    assert model.sample(50, seed=1) == one[:50]
    assert fit_ngrams("abc" * 400, 3).sample(9, prompt="ab", seed=3) == "cabcabcab"


def test_a_sample_has_the_distribution_of_the_model() -> None:
    model = fit_ngrams("aab" * 30, 1)
    drawn = model.sample(4000, seed=0)
    assert drawn.count("a") / 4000 == pytest.approx(model.probabilities()[0], abs=0.03)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": "ab", "order": 3}, "too short for n-grams of 3.*3 characters or more"),
        ({"text": "ab", "order": -1}, "order of the n-grams.*Received: -1"),
        ({"text": "ab" * 100, "order": 63}, "order of the n-grams"),
        ({"text": "", "order": 0}, "alphabet has no character"),
        ({"text": "abc", "order": 1, "alphabet": "ab"}, "character at position 2.*Received: 'c'"),
    ],
)
def test_what_cannot_be_counted_is_refused(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_ngrams(**arguments)


@pytest.mark.parametrize(
    "ask", [lambda m: m.score("ab?"), lambda m: m.score("a", "ab?"), lambda m: m.sample(1, prompt="ab?")]
)
def test_an_unknown_character_is_named_with_its_position(ask) -> None:
    model: NGramModel = fit_ngrams("abab", 4)
    with pytest.raises(InputError, match=r"position 2 is not in the alphabet.*Received: '\?'"):
        ask(model)


@pytest.mark.realdata
def test_losses_on_tiny_shakespeare(data_dir: Path) -> None:
    text = read_shakespeare(data_dir / "tinyshakespeare" / "input.txt")
    train, held_out = text[:1_003_854], text[1_003_854:]
    assert fit_ngrams(train, 0).score(held_out).mean() == pytest.approx(math.log(65))
    unigram, bigram, five = (fit_ngrams(train, order).score(held_out, train).mean() for order in (1, 2, 5))
    assert 3.3 < unigram < 3.4 and 2.45 < bigram < 2.5 and 1.5 < five < 1.6
