"""Documents to ids: spans into the user's text, the end, windows, n-grams, batches."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import InputError
from data_prep.text import text_inputs
from data_prep.text.document_batches import document_batches, document_inputs, padded_batches
from data_prep.text.text_inputs import (
    EOS,
    SPECIALS,
    Reading,
    encode,
    keys_of,
    learn_vocabulary,
    plain,
    shared_texts,
    words_of,
)
from data_prep.text.vocab import UNK

PIECES = st.sampled_from(
    ["a", "B", "é", "1", " ", "<br />", "<BR/>", "&eacute;", "&#39;", "&#x1F600;", "&NotEqualTilde;", "&", ";", "\n"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a<br />b<br />c", "a\nb\nc"),
        ("a<br>b<br/>c<br  />d<br />", "a\nb\nc\nd\n"),
        ("<br<br />>", "<br\n>"),
        ("<b<br />r />", "<b\nr />"),
        ("&lt;br /&gt;<br />&amp;lt;", "<br />\n&lt;"),
        ("&am<br />p;", "&am\np;"),
        ("a < b", "a < b"),
    ],
)
def test_markup_is_taken_out_once(text: str, meant: str) -> None:
    assert plain(text) == meant


def test_markup_is_taken_out() -> None:
    assert (
        plain("Good.<br /><br />Bad &amp; ugly &#39;caf&eacute;&#39; <b>") == "Good.\n\nBad & ugly 'café' <b>"
    )
    assert plain("a < b & c &nosuch; &#x;") == "a < b & c &nosuch; &#x;"


@given(st.lists(PIECES, max_size=12).map("".join))
@settings(max_examples=200, deadline=None)
def test_words_have_spans_into_the_users_text(text: str) -> None:
    words = words_of(text)
    assert len(words) == len(keys_of(text))
    assert all(text[word.start : word.end] == word.text for word in words)
    assert all(keys_of(word.text)[:1] for word in words)


def test_a_word_with_an_entity_is_one_word() -> None:
    text = "Go:<br />caf&eacute;s &amp; more"
    assert [word.text for word in words_of(text)] == ["Go", ":", "caf&eacute;s", "&amp;", "more"]
    assert keys_of(text) == ["go", ":", "cafés", "&", "more"]


def test_a_document_ends_with_its_end() -> None:
    vocabulary = learn_vocabulary(["Good good film", "good film", "odd <pad> <eos>"], min_count=2)
    assert list(vocabulary) == [*SPECIALS, "good", "<", ">", "film"]
    found = encode("GOOD, bad film", vocabulary)
    assert found.tolist() == [3, UNK, UNK, 6, EOS] and found.dtype == np.int32
    assert encode("", vocabulary).tolist() == [EOS]


def test_a_window_is_the_first_and_the_last_words() -> None:
    reading = Reading(vocabulary_size=20, max_words=4, head_words=1)
    ids = np.array([5, 6, 7, 30, 9, 10, EOS], np.int32)
    assert reading.window(ids).tolist() == [5, UNK, 9, 10, EOS] == reading.inputs_of([ids])[0].tolist()
    assert reading.places(7).tolist() == [0, 3, 4, 5, 6] and reading.left_out(6) == 2
    assert reading.inputs_of([ids[:4]])[0].tolist() == [5, 6, 7, UNK] and reading.left_out(4) == 0


def hashed(rows: np.ndarray) -> np.ndarray:
    """Hash rows of ids, one id after the other."""
    return functools.reduce(text_inputs._mixed, rows.T, np.zeros(len(rows), np.uint64))


def test_hashes_are_the_same_everywhere() -> None:
    found = hashed(np.array([[3, 4], [4, 3]], np.int32))
    assert [hex(number) for number in found.tolist()] == ["0x9836d4cbef5e8891", "0x501487be8da27526"]
    assert hashed(np.array([[3]])).tolist() != hashed(np.array([[4]])).tolist()


def test_sequences_of_known_words_are_features() -> None:
    reading = Reading(vocabulary_size=20, ngrams=3, buckets=1000)
    ids = np.array([5, 6, UNK, 5, 6, EOS], np.int32)
    rows, starts, lengths = reading.grams(ids, len(ids))
    spans = list(zip(starts.tolist(), lengths.tolist(), strict=True))
    assert spans == [*((at, 1) for at in range(6)), (0, 2), (3, 2), (4, 2), (3, 3)]
    for row, (start, length) in zip(rows.tolist(), spans, strict=True):
        whole = hashed(ids[None, start : start + length])[0]
        assert row == (ids[start] if length == 1 else 20 + int(whole % np.uint64(1000)))
    assert sorted(reading.inputs_of([ids])[0]) == sorted(rows)
    distinct = Reading(vocabulary_size=20, ngrams=3, buckets=1000, distinct=True)
    assert distinct.inputs_of([ids])[0].tolist() == sorted(set(rows.tolist()))
    often = np.repeat([5, 6, 7, EOS], [8, 4, 2, 1])  # 1 + ln(tf) is 3.1, 2.4, 1.7 and 1
    sublinear = Reading(vocabulary_size=20, sublinear_tf=True)
    assert sublinear.inputs_of([often])[0].tolist() == [EOS, 5, 5, 5, 6, 6, 7, 7]


def test_documents_together_are_documents_alone() -> None:
    rng = np.random.default_rng(0)
    documents = [np.append(rng.integers(1, 9, length), EOS).astype(np.int32) for length in (5, 0, 9, 1)]
    for reading in (
        Reading(vocabulary_size=8, ngrams=2, buckets=30),
        Reading(vocabulary_size=8, ngrams=3, buckets=30, distinct=True, max_words=4),
        Reading(vocabulary_size=8, ngrams=2, buckets=30, sublinear_tf=True),
    ):
        together = reading.inputs_of(documents)
        for ids, found in zip(documents, together, strict=True):
            rows, _, _ = reading.grams(reading.window(ids), len(reading.window(ids)))
            kept, counts = np.unique(rows, return_counts=True)
            assert found.tolist() == np.repeat(kept, reading.repeats(counts)).tolist()
    assert Reading(vocabulary_size=8, distinct=True).inputs_of([]) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"vocabulary_size": 2}, "vocabulary_size does not fit. Allowed: greater than 2"),
        ({"max_words": -1, "head_words": -1}, "max_words does not fit. Allowed: greater than or equal to 0"),
        ({"max_words": 3, "head_words": 4}, "window does not fit"),
        ({"ngrams": 6, "buckets": 5}, "ngrams does not fit. Allowed: less than or equal to 5"),
        ({"ngrams": 1, "buckets": 5}, "N-grams and buckets"),
    ],
)
def test_a_reading_that_reads_nothing_is_refused(values: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Reading(**({"vocabulary_size": 20} | values))


def test_every_document_comes_once_an_epoch() -> None:
    documents = [np.full(length, length, np.int32) for length in range(1, 41)]
    batches = document_batches(documents, np.arange(1, 41), 8, max_padded=200, seed=2)
    seen = []
    for inputs, labels in batches.epoch(0):
        steps = inputs["ids"].shape[1]
        assert steps == -(-labels.max() // 8) * 8 if labels.max() <= 32 else steps == 64
        assert inputs["ids"].dtype == labels.dtype == np.int32
        np.testing.assert_array_equal(inputs["mask"].sum(axis=1), labels)
        np.testing.assert_array_equal(inputs["ids"].max(axis=1), labels)
        assert len(labels) <= 8 and len(labels) * labels.max() <= 200
        seen.append(labels.tolist())
    assert sorted(label for labels in seen for label in labels) == list(range(1, 41)) and batches.steps(
        0
    ) == len(seen)
    assert (
        seen
        == [labels.tolist() for _, labels in batches.epoch(0)]
        != [y.tolist() for _, y in batches.epoch(1)]
    )


def test_labels_may_be_probabilities() -> None:
    batches = document_batches([np.array([3, EOS])], np.array([[0.25, 0.75]]), 4)
    ((_, labels),) = batches.epoch(0)
    assert labels.dtype == np.float32 and labels.tolist() == [[0.25, 0.75]]
    with pytest.raises(InputError, match="one label for each document"):
        document_batches([np.array([EOS])], np.array([0, 1]), 4)
    with pytest.raises(InputError, match="nothing to pad"):
        document_inputs([])


def test_buckets_save_padding() -> None:
    found = padded_batches([10, 1000] * 64, 16)
    assert found["shuffled"].share == pytest.approx(0.495, abs=0.01) and found["bucketed"].share == 0.0
    lengths = [1, 50, 2, 49, 3, 48, 4, 47]
    found = padded_batches(lengths, 4)
    for view in found.values():
        assert sorted(length for batch in view.batches for length in batch) == sorted(lengths)
        places = sum(len(batch) * max(batch) for batch in view.batches)
        assert view.share == pytest.approx(1 - sum(lengths) / places)
    assert found["bucketed"].share < found["shuffled"].share
    with pytest.raises(InputError, match="no documents"):
        padded_batches([], 16)


def test_documents_in_two_parts_are_found() -> None:
    found = shared_texts(["A film<br />to see", "b"], ["c", " A film\nto see ", "B", "A film<br>to see"])
    assert found == [1, 3]
