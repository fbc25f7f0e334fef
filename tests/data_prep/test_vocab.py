from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.errors import InputError
from data_prep.text.vocab import PAD, UNK, Vocabulary


def test_build_orders_by_count_then_string():
    vocabulary = Vocabulary.build(list("bbbccaad"), min_count=2)
    assert list(vocabulary) == ["<pad>", "<unk>", "b", "a", "c"]
    assert vocabulary.counts.tolist() == [0, 0, 3, 2, 2] and vocabulary.counts.dtype == np.int64
    assert (vocabulary.id("<pad>"), vocabulary.id("<unk>")) == (PAD, UNK) == (0, 1)


def test_build_from_counts_equals_build_from_tokens():
    tokens = ["a", "b", "a", "c", "a"]
    counted = Vocabulary.build(Counter(tokens), max_size=2, specials=())
    assert counted == Vocabulary.build(iter(tokens), max_size=2, specials=())
    assert list(counted) == ["a", "b"] and counted.counts.tolist() == [3, 1]


def test_encode_and_decode():
    vocabulary = Vocabulary(["a", "b"])
    ids = vocabulary.encode(["b", "x", "a"])
    assert ids.tolist() == [3, 1, 2] and ids.dtype == np.int32
    assert vocabulary.decode(ids) == ["b", "<unk>", "a"]
    assert vocabulary.encode([]).shape == (0,) and vocabulary.encode([]).dtype == np.int32
    assert "a" in vocabulary and "x" not in vocabulary and len(vocabulary) == 4
    assert Vocabulary(["a", "b"], specials=()).encode_known(["b", "x", "a"]).tolist() == [1, 0]


def test_counts_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        Vocabulary(["a"], [1]).counts[0] = 5


@given(st.lists(st.text(), unique=True), st.booleans())
def test_json_round_trip_of_any_strings(entries, with_counts):
    entries = [entry for entry in entries if entry not in ("<pad>", "<unk>")]
    vocabulary = Vocabulary(entries, range(len(entries)) if with_counts else None)
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


def test_space_newline_and_surrogate_survive_saving():
    entries = [" ", "\n", "\r\n", "\u2028", "", "\0", "\ud800", "é"]
    vocabulary = Vocabulary(entries, [8, 7, 6, 5, 4, 3, 2, 1], specials=("<pad>", "<unk>", "<bos>", "<eos>"))
    text = vocabulary.to_json()
    loaded = Vocabulary.from_json(text)
    assert text.isascii()
    assert (
        loaded == vocabulary and loaded.entries == tuple(entries) and loaded.specials == vocabulary.specials
    )


def test_equality_sees_every_part():
    vocabulary = Vocabulary(["a", "b"], [2, 1])
    assert vocabulary != Vocabulary(["b", "a"], [2, 1])
    assert vocabulary != Vocabulary(["a", "b"], [2, 2])
    assert vocabulary != Vocabulary(["a", "b"])
    assert vocabulary != Vocabulary(["a", "b"], [2, 1], specials=())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Vocabulary(["a", "a"]), "occurs twice"),
        (lambda: Vocabulary(["<unk>"]), "occurs twice"),
        (lambda: Vocabulary([1]), "not a string"),
        (lambda: Vocabulary(["a"], [1, 2]), "not as many counts"),
        (lambda: Vocabulary(["a"], [-1]), "not whole numbers"),
        (lambda: Vocabulary(["a"], [1.5]), "not whole numbers"),
        (lambda: Vocabulary(["a"], specials=("<eos>",)), "do not begin with <pad>, <unk>"),
        (lambda: Vocabulary.build([]), "would be empty"),
        (lambda: Vocabulary.build(Counter(a=1), min_count=2), "at least 2 times"),
        (lambda: Vocabulary(["a"]).decode([3]), "outside the vocabulary"),
        (lambda: Vocabulary(["a"]).decode([-1]), "outside the vocabulary"),
        (lambda: Vocabulary(["a"], specials=()).id("b"), "has no <unk>"),
        (lambda: Vocabulary(["a"], specials=()).encode(["b"]), "has no <unk>"),
    ],
)
def test_errors(make, message):
    with pytest.raises(InputError, match=message):
        make()


GOOD = json.loads(Vocabulary(["a"], [1]).to_json())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[1]", "not a vocabulary"),
        (json.dumps(GOOD | {"format": "other"}), "not a vocabulary"),
        (json.dumps(GOOD | {"version": 2}), "unknown version"),
        (json.dumps(GOOD | {"entries": "a"}), "entries are not a list"),
        (json.dumps(GOOD | {"specials": None}), "specials are not a list"),
        (json.dumps(GOOD | {"entries": ["a", "a"], "counts": None}), "occurs twice"),
        (json.dumps(GOOD | {"counts": [1, 2]}), "not as many counts"),
        (json.dumps(GOOD | {"counts": 3}), "not whole numbers"),
    ],
)
def test_wrong_json(text, message):
    with pytest.raises(InputError, match=message):
        Vocabulary.from_json(text)
