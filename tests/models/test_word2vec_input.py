from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.text.word2vec_corpus import encode_corpus
from models.word2vec.blocks import BlockStream, keep_probabilities, noise_distribution
from models.word2vec.config import VectorsRecipe

LINES = ["b a c a", "", "a rare b", "c a b c a"]
WINDOW = 2


def corpus(tmp_path: Path, lines=LINES, **options):
    options = {"min_count": 2, "held_out_every": None, **options}
    return encode_corpus(lines, str.split, tmp_path / "ids", **options)


def random_corpus(tmp_path: Path, lines: int = 400, **options):
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(50)])
    chances = 1 / np.arange(1, 51)
    text = [" ".join(rng.choice(words, rng.integers(1, 40), p=chances / chances.sum())) for _ in range(lines)]
    return corpus(tmp_path, text, **options)


def settings(**changes) -> VectorsRecipe:
    small = {"window": WINDOW, "sample": 0.0, "block_length": 8, "blocks": 12, "negative_sets": 4}
    return VectorsRecipe(**{**small, **changes}).settled()


def test_words_are_numbered_by_falling_count_and_rare_ones_left_out(tmp_path):
    encoded = corpus(tmp_path)
    assert list(encoded.vocabulary) == ["a", "b", "c"]
    assert encoded.vocabulary.counts.tolist() == [5, 3, 3]
    assert encoded.vocabulary.decode(encoded.ids) == ["b", "a", "c", "a", "a", "b", "c", "a", "b", "c", "a"]
    assert encoded.ends.tolist() == [4, 6, 11]
    assert encoded.raw_tokens == 12


def test_same_numbers_whatever_the_size_of_the_chunks(tmp_path, monkeypatch):
    whole = random_corpus(tmp_path / "..")
    monkeypatch.setattr("data_prep.text.word2vec_corpus._CHUNK", 97)
    (tmp_path / "small").mkdir()
    pieces = random_corpus(tmp_path / "small")
    np.testing.assert_array_equal(whole.ids, pieces.ids)
    np.testing.assert_array_equal(whole.ends, pieces.ends)
    assert whole.vocabulary == pieces.vocabulary


def test_held_out_lines_are_not_trained_on(tmp_path):
    encoded = corpus(tmp_path, LINES * 2, held_out_every=4)
    assert encoded.vocabulary.decode(encoded.held_out) == ["c", "a", "b", "c", "a"] * 2
    assert encoded.held_out_ends.tolist() == [5, 10]
    train = "b a c a a rare b"
    assert " ".join(encoded.vocabulary.decode(encoded.ids)) == f"{train} {train}"


def test_first_tokens_are_trained_on_and_the_lines_after_them_held_out(tmp_path):
    encoded = corpus(tmp_path, LINES, max_tokens=6, min_count=1)
    assert encoded.raw_tokens == 6
    assert encoded.vocabulary.decode(encoded.ids) == ["b", "a", "c", "a", "a", "rare"]
    assert encoded.vocabulary.decode(encoded.held_out) == ["c", "a", "b", "c", "a"]


def test_largest_vocabulary(tmp_path):
    assert list(corpus(tmp_path, max_vocabulary=2).vocabulary) == ["a", "b"]


@pytest.mark.parametrize("lines", [[], ["", " "], ["one two three"], ["same same same"]])
def test_text_without_two_frequent_words_is_refused(tmp_path, lines):
    with pytest.raises(InputError, match="nothing to tell apart") as caught:
        corpus(tmp_path, lines)
    assert "min_count" in str(caught.value)


def windows(batch: dict) -> Counter:
    """Every (word, context word) pair of a batch, counted."""
    pairs: Counter = Counter()
    for tokens, extents in zip(batch["tokens"].reshape(-1, 8), batch["extents"].reshape(-1, 8), strict=True):
        for place, extent in enumerate(extents):
            left, right = divmod(int(extent), WINDOW + 1)
            for other in range(place - left, place + right + 1):
                if other != place:
                    pairs[tokens[place], tokens[other]] += 1
    return pairs


def test_pairs_stay_within_sentences_and_blocks(tmp_path):
    encoded = random_corpus(tmp_path)
    stream = BlockStream(encoded, settings(shrinking=False))
    found = sum((windows(batch) for batch in stream.epoch(0)), Counter())
    allowed: Counter = Counter()
    for begin, end in zip([0, *encoded.ends], encoded.ends, strict=False):
        for place in range(begin, end):
            for other in range(max(begin, place - WINDOW), min(end, place + WINDOW + 1)):
                if other != place:
                    allowed[encoded.ids[place], encoded.ids[other]] += 1
    assert not found - allowed
    lost = 1 - found.total() / allowed.total()
    assert 0 < lost < 0.3  # what crosses the borders of blocks of 8


def test_every_word_comes_once_an_epoch(tmp_path):
    encoded = random_corpus(tmp_path)
    batches = list(BlockStream(encoded, settings()).epoch(0))
    tokens = np.concatenate([batch["tokens"].ravel() for batch in batches])
    found = np.bincount(tokens, minlength=len(encoded.vocabulary))
    found[0] -= len(tokens) - len(encoded.ids)  # padding
    np.testing.assert_array_equal(found, np.bincount(encoded.ids))


def test_epochs_differ_and_can_be_made_again(tmp_path):
    stream = BlockStream(random_corpus(tmp_path), settings(sample=1e-2))
    first, again, second = (list(stream.epoch(epoch)) for epoch in (0, 0, 1))
    assert len(first) == len(again)
    for one, other in zip(first, again, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    assert (first[0]["tokens"] != second[0]["tokens"]).any()


def test_shapes_and_types(tmp_path):
    for batch in BlockStream(random_corpus(tmp_path), settings()).epoch(0):
        assert {name: (array.shape, array.dtype) for name, array in batch.items()} == {
            "tokens": ((12, 8), np.int32),
            "extents": ((12, 8), np.int32),
            "negatives": ((12, 4, 5), np.int32),
        }


def test_number_of_batches_is_estimated_well(tmp_path):
    stream = BlockStream(random_corpus(tmp_path), settings(sample=1e-2, block_length=64))
    assert abs(len(list(stream.epoch(0))) - stream.batches_per_epoch) <= 2


def test_held_out_sample_is_the_same_every_time(tmp_path):
    encoded = random_corpus(tmp_path, held_out_every=10)
    samples = [BlockStream(encoded, settings(seed=seed)).held_out() for seed in (1, 2)]
    for name in samples[0]:
        np.testing.assert_array_equal(samples[0][name], samples[1][name])
    assert BlockStream(corpus(tmp_path), settings()).held_out() is None


def test_subsampling_keeps_as_often_as_word2vec():
    counts = np.array([1000, 10, 1])
    threshold = 0.01 * 1011
    expected = [np.sqrt(threshold / n) + threshold / n for n in counts]
    np.testing.assert_allclose(keep_probabilities(counts, 0.01), np.minimum(1, expected), rtol=1e-6)
    assert (keep_probabilities(counts, 0) == 1).all()


def test_negatives_follow_the_noise_distribution(tmp_path):
    encoded = random_corpus(tmp_path, 4000)
    stream = BlockStream(encoded, settings(block_length=128, negative_sets=128))
    drawn = np.concatenate([batch["negatives"] for batch in stream.epoch(0)])
    shares = np.bincount(drawn.ravel(), minlength=50) / drawn.size
    np.testing.assert_allclose(shares, noise_distribution(encoded.vocabulary.counts), atol=2e-3)
    group = np.bincount(drawn[:, 0].ravel(), minlength=50) / drawn[:, 0].size
    np.testing.assert_allclose(group, noise_distribution(encoded.vocabulary.counts), atol=3e-2)
