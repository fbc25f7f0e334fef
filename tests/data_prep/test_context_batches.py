"""Sentences of raw text as batches in which words predict their neighbours."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.text.context_batches import LONGEST, ContextBatches
from data_prep.text.raw_forms import numbered_forms
from data_prep.text.tag_inputs import TagInputs, tagger_vocabulary

TEXTS = ["the dog barks loudly . the Dog sleeps well", "a b c", "the cat sees the dog ! no ."]
SENTENCES = {
    ("the", "dog", "barks", "loudly", "."),
    ("the", "Dog", "sleeps", "well"),
    ("the", "cat", "sees", "the", "dog", "!"),
}


def made(texts=TEXTS, **settings) -> tuple[ContextBatches, list[str]]:
    stream, forms = numbered_forms(texts)
    vocabulary, rows, _ = tagger_vocabulary(["the", "dog"], ["cat"], 9)
    inputs = TagInputs(vocabulary, rows, "abcdeghlnoprstw")
    return ContextBatches([stream], forms, inputs, **{**SETTINGS, **settings}), forms


SETTINGS = {"targets": 4, "negatives": 5, "batch_words": 5, "seed": 1}


def sentences(batches: ContextBatches, part: dict[str, np.ndarray]) -> list[tuple[str, ...]]:
    """Read the forms back from the characters of a batch."""
    alphabet = "abcdeghlnoprstw"
    distinct = [
        "".join(alphabet[c - 4] if c >= 4 else "?" for c in row if c not in (0, 2, 3))
        for row in part["characters"][0]
    ]
    return [tuple(distinct[place] for place in row) for row in part["places"]]


def test_every_sentence_comes_once_before_any_comes_again() -> None:
    batches, _ = made()
    assert len(batches) == 3
    seen = Counter(one for part in batches.part(0, 3) for one in sentences(batches, part))
    shown = {tuple("".join(c if c in "abcdeghlnoprstw" else "?" for c in w) for w in s) for s in SENTENCES}
    assert seen == Counter(shown)


def test_words_targets_and_draws_belong_together() -> None:
    batches, _ = made()
    for part in batches.part(0, 3):
        rows = part["words"][0][part["places"]]
        assert rows.shape == part["targets"].shape
        # "the" is the most frequent key, and the first row behind PAD and UNK or the second.
        assert set(part["targets"][rows == rows.flat[0]]) == {part["targets"].flat[0]}
        assert part["targets"].max() < 4
        assert len(set(part["negatives"])) == len(part["negatives"]) <= 5
    assert batches.log_expected.shape == (4,)
    assert np.exp(batches.log_expected).sum() == pytest.approx(5.0, rel=1e-5)


def test_frequent_keys_have_targets_of_their_own_in_any_case() -> None:
    batches, forms = made()
    targets = batches._targets
    assert targets[forms.index("the")] == 0
    assert targets[forms.index("dog")] == targets[forms.index("Dog")] == 1
    assert targets[forms.index("well")] == 3


def test_parts_are_the_same_every_time_and_differ() -> None:
    first, again, other = (made(seed=seed)[0] for seed in (1, 1, 2))
    for one, two in zip(first.part(1, 2), again.part(1, 2), strict=True):
        assert all(np.array_equal(one[name], two[name]) for name in one)
    draws = [next(batches.part(0, 1))["negatives"].tolist() for batches in (first, other)]
    assert draws[0] != draws[1] or first._plan != other._plan


def test_text_without_sentences_is_refused() -> None:
    with pytest.raises(InputError, match="The raw text holds no sentence"):
        made(["one two", "x " * (LONGEST + 1)])
