"""Words to the tagger's numbers; vectors of neighbours; made sentences."""

from __future__ import annotations

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.readers.conllu import UPOS_TAGS
from data_prep.text.made_texts import made_sentences
from data_prep.text.neighbour_vectors import NeighbourSettings, neighbour_vectors
from data_prep.text.tag_inputs import (
    FIRST_CHARACTER,
    WORD_BEGIN,
    WORD_END,
    TagInputs,
    alphabet_of,
    batch_inputs,
    tagger_vocabulary,
    word_key,
)

TEXTS = ["The dog barks. The cat sleeps.", "a dog sleeps, a cat barks", "the Cat barks. The dog eats."] * 9


def test_keys_are_normalised() -> None:
    assert word_key("Don’t") == "don't"
    assert word_key("Cafe\u0301") == "caf\u00e9"


def test_vocabulary_puts_trained_words_first_and_counts_exact_forms() -> None:
    forms = ["The", "the", "Dog", "Dog", "barks"]
    vocabulary, rows, trained = tagger_vocabulary(forms, ["the", "cat"], 100)
    assert list(vocabulary)[:rows] == ["<pad>", "<unk>", "dog", "the", "barks", "cat"]
    assert (rows, trained) == (6, 4)
    inputs = TagInputs(vocabulary, rows, "abc")
    words = inputs.encode(["the", "The", "THE", "Dog", "dog", "cat", "mouse"])
    assert [word.row for word in words] == [3, 3, 3, 2, 2, 5, 1]
    assert [word.unknown for word in words] == [False, False, True, False, True, True, True]


def test_rows_are_bounded() -> None:
    vocabulary, rows, trained = tagger_vocabulary(["a", "a", "b", "b", "c"], ["d"], 3)
    assert (rows, trained) == (3, 3)
    words = TagInputs(vocabulary, rows, "a").encode(["a", "b"])
    assert [(word.row, word.unknown) for word in words] == [(2, False), (1, False)]


def test_a_word_that_is_written_like_a_special_entry_is_unknown() -> None:
    vocabulary, rows, trained = tagger_vocabulary(["a", "<unk>", "<UNK>", "<pad>"], ["<unk>", "b"], 9)
    assert (list(vocabulary), rows, trained) == (["<pad>", "<unk>", "a", "b"], 4, 2)
    assert [word[::2] for word in TagInputs(vocabulary, rows, "a").encode(["<unk>", "<pad>"])] == [(1, True), (0, True)]


def test_characters_of_long_words_are_the_first_and_last_ten() -> None:
    inputs = TagInputs(tagger_vocabulary(["a"], [], 9)[0], 3, "abc")
    assert inputs.characters("ab?") == (WORD_BEGIN, FIRST_CHARACTER, FIRST_CHARACTER + 1, 1, WORD_END)
    long = inputs.characters("a" * 10 + "b" * 5 + "c" * 10)
    assert long == (WORD_BEGIN, *[FIRST_CHARACTER] * 10, *[FIRST_CHARACTER + 2] * 10, WORD_END)


def test_batch_has_one_mask() -> None:
    inputs = TagInputs(tagger_vocabulary(["a"], [], 9)[0], 3, "ab")
    batch = batch_inputs([inputs.encode(["a", "bb"]), inputs.encode(["a"])])
    assert {name: array.shape for name, array in batch.items()} == {
        "words": (2, 2),
        "characters": (2, 2, 4),
        "mask": (2, 2),
    }
    assert batch["mask"].tolist() == [[True, True], [True, False]]


def test_alphabet_by_count() -> None:
    assert alphabet_of(["abb", "bc", "c"], 2) == "bc"


def test_neighbour_vectors_put_words_of_one_use_together() -> None:
    found = neighbour_vectors({"made": TEXTS}, NeighbourSettings(50, 2, 6, 4))
    assert found.keys[:2] == ("the", "dog") or found.counts[0] >= found.counts[1]
    assert found.dimensions == 8
    near = found.normalized[:, :4] @ found.normalized[:, :4].T
    dog, cat, barks = (found.index(key) for key in ("dog", "cat", "barks"))
    assert near[dog, cat] > near[dog, barks]
    again = neighbour_vectors({"made": TEXTS}, NeighbourSettings(50, 2, 6, 4))
    np.testing.assert_array_equal(found.vectors, again.vectors)


def test_case_is_counted_away_from_the_begin_of_sentences() -> None:
    texts = ["we saw Paris and dogs. Dogs bark in Paris"] * 20
    found = neighbour_vectors({"made": texts}, NeighbourSettings(50, 2, 6, 3))
    lower, title = found["paris"][3], found["paris"][4]
    assert title > 0.9 and lower < 0.0
    assert found["dogs"][3] > 0.9


def test_neighbours_do_not_depend_on_the_block(monkeypatch) -> None:
    whole = neighbour_vectors({"made": TEXTS}, NeighbourSettings(50, 2, 6, 4))
    monkeypatch.setattr("data_prep.text.neighbour_vectors._BLOCK", 7)
    parts = neighbour_vectors({"made": TEXTS}, NeighbourSettings(50, 2, 6, 4))
    np.testing.assert_allclose(whole.vectors, parts.vectors, atol=1e-5)


def test_text_without_frequent_words_is_refused() -> None:
    with pytest.raises(InputError, match="No word of the text is frequent enough"):
        neighbour_vectors({"made": ["one two"]}, NeighbourSettings(min_count=2))


def test_made_sentences_are_tagged_and_the_same_every_time() -> None:
    train, again = made_sentences("train"), made_sentences("train")
    assert train == again
    assert len(train) > len(made_sentences("test")) > 0
    for sentence in train:
        for word in sentence.words:
            assert sentence.text[word.start : word.end] == word.form
            assert word.upos in UPOS_TAGS
    ambiguous = {word.form for s in train for word in s.words if word.upos == "NOUN"} & {
        word.form for s in train for word in s.words if word.upos == "VERB"
    }
    assert ambiguous, "the sentence has to decide"
