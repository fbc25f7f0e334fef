from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors, dequantise, quantise
from tests.keyed_vectors import keyed_vectors

KEYS = ["the", "of", "new york", "line\nbreak", "東京"]
FLOATS = st.floats(-(2.0**100), 2.0**100, width=32)


def some(seed: int = 0, counts: bool = True) -> WordVectors:
    vectors = np.random.default_rng(seed).normal(size=(len(KEYS), 4))
    return WordVectors(KEYS, vectors, [50, 40, 30, 20, 10] if counts else None)


def assert_same(left: WordVectors, right: WordVectors) -> None:
    assert left.keys == right.keys
    np.testing.assert_array_equal(left.vectors, right.vectors)
    assert (left.counts is None) == (right.counts is None)
    if left.counts is not None:
        np.testing.assert_array_equal(left.counts, right.counts)


def test_lookup() -> None:
    vectors = some()
    assert len(vectors) == 5 and vectors.dimensions == 4
    assert "of" in vectors and "OF" not in vectors
    assert vectors.index("of") == 1
    np.testing.assert_array_equal(vectors["of"], vectors.vectors[1])
    assert vectors.vectors.dtype == np.float32 and vectors.counts.dtype == np.int64
    with pytest.raises(InputError, match="missing"):
        vectors["missing"]
    with pytest.raises(InputError, match="missing"):
        vectors.index("missing")
    assert_same(vectors.first(2), WordVectors(KEYS[:2], vectors.vectors[:2], [50, 40]))
    assert_same(vectors.first(None), vectors)


def test_arrays_are_read_only_and_apart_from_the_callers() -> None:
    mine = np.ones((5, 2), dtype=np.float32)
    vectors = WordVectors(KEYS, mine)
    mine[0, 0] = 9.0
    assert vectors.vectors[0, 0] == 1.0
    for array in (vectors.vectors, vectors.normalized, vectors["of"], some().counts):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_normalized_rows_have_length_one_and_zero_stays_zero() -> None:
    vectors = WordVectors(["a", "b"], [[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(vectors.normalized, [[0.6, 0.8], [0.0, 0.0]], atol=1e-7)
    assert vectors.normalized is vectors.normalized


@pytest.mark.parametrize(
    ("keys", "vectors", "counts", "message"),
    [
        (["a"], np.ones((2, 2)), None, "one row a key.*1 keys and an array of shape"),
        (["a", "b"], np.ones(2), None, "one row a key"),
        (["a"], np.ones((1, 0)), None, "at least one key and dimension"),
        ([], np.ones((0, 2)), None, "at least one key and dimension"),
        (["a", "b", "a"], np.ones((3, 2)), None, "occurs twice.*'a'"),
        (["a", ""], np.ones((2, 2)), None, "is empty"),
        (["a", 7], np.ones((2, 2)), None, "not a string.*7"),
        (["a", "\ud800"], np.ones((2, 2)), None, "half of a surrogate pair"),
        (["a", "b"], np.array([[1, 2], [np.nan, 1]]), None, "The vector of 'b' holds NaN or infinity"),
        (["a", "b"], np.array([[1, -np.inf], [1, 1]]), None, "The vector of 'a' holds NaN or infinity"),
        (["a", "b"], np.ones((2, 2)), [1], "as many counts as entries"),
        (["a", "b"], np.ones((2, 2)), [1, -1], "0 or more"),
        (["a", "b"], np.ones((2, 2)), [1.5, 1.0], "whole numbers"),
    ],
)
def test_wrong_word_vectors_are_refused(keys, vectors, counts, message: str) -> None:
    with pytest.raises(InputError, match=message):
        WordVectors(keys, vectors, counts)


def test_matrix_for_another_vocabulary() -> None:
    vectors = some()
    matrix = vectors.matrix_for(["<pad>", "<unk>", "東京", "missing", "the"], seed=3)
    assert matrix.dtype == np.float32 and matrix.shape == (5, 4)
    np.testing.assert_array_equal(matrix[[2, 4]], vectors.vectors[[4, 0]])
    assert not matrix[0].any() and matrix[1].all() and matrix[3].all()
    again = vectors.matrix_for(["<pad>", "<unk>", "東京", "missing", "the"], seed=3)
    other = vectors.matrix_for(["<pad>", "<unk>", "東京", "missing", "the"], seed=4)
    np.testing.assert_array_equal(matrix, again)
    assert (matrix[1] != other[1]).all()


def test_matrix_for_a_vocabulary_object() -> None:
    from data_prep.text.vocab import Vocabulary

    vocabulary = Vocabulary(["of", "missing"])
    matrix = some().matrix_for(vocabulary)
    np.testing.assert_array_equal(matrix[vocabulary.id("of")], some()["of"])


@pytest.mark.parametrize("counts", [True, False])
def test_npz_keeps_everything(tmp_path: Path, counts: bool) -> None:
    some(counts=counts).save(tmp_path / "v.npz")
    assert_same(WordVectors.load(tmp_path / "v.npz"), some(counts=counts))


@pytest.mark.parametrize("file_format", ["text", "binary"])
def test_word2vec_files_keep_keys_and_vectors(tmp_path: Path, file_format: str) -> None:
    vectors = WordVectors(["a", "b"], [[1.5, -0.1], [1e-20, 3.0]])
    vectors.save(tmp_path / "v", file_format)
    assert_same(WordVectors.load(tmp_path / "v"), vectors)


def test_gensim_both_ways() -> None:
    vectors = some()
    keyed = keyed_vectors(vectors)
    assert keyed.index_to_key == KEYS
    assert keyed.get_vecattr("of", "count") == 40
    np.testing.assert_array_equal(keyed.vectors, vectors.vectors)
    assert_same(WordVectors.from_keyed_vectors(keyed), vectors)
    assert_same(WordVectors.from_keyed_vectors(keyed_vectors(some(counts=False))), some(counts=False))


@pytest.mark.parametrize("file_format", ["text", "binary"])
def test_gensim_reads_our_files(tmp_path: Path, file_format: str) -> None:
    from gensim.models import KeyedVectors

    vectors = WordVectors(["a", "b"], [[1.5, -0.1], [1e-20, 3.0]])
    vectors.save(tmp_path / "v", file_format)
    keyed = KeyedVectors.load_word2vec_format(str(tmp_path / "v"), binary=file_format == "binary")
    assert keyed.index_to_key == ["a", "b"]
    np.testing.assert_array_equal(keyed.vectors, vectors.vectors)


@pytest.mark.parametrize(("storage", "tolerance"), [("float32", 0.0), ("float16", 2e-3), ("int8", 1.5e-2)])
def test_storages_come_back_within_their_precision(storage: str, tolerance: float) -> None:
    vectors = some()
    back = WordVectors.from_arrays(vectors.to_arrays(storage))
    assert back.keys == vectors.keys and back.counts.tolist() == vectors.counts.tolist()
    np.testing.assert_allclose(back.vectors, vectors.vectors, atol=tolerance)


@settings(max_examples=50, deadline=None)
@given(vectors=hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=FLOATS))
def test_quantisation_stays_within_half_a_scale(vectors: np.ndarray) -> None:
    codes, scales = quantise(vectors)
    assert codes.dtype == np.int8 and scales.dtype == np.float32
    assert np.abs(codes.astype(int)).max() <= 127
    error = np.abs(dequantise(codes, scales).astype(np.float64) - vectors)
    largest = np.abs(vectors).max(axis=1, keepdims=True).astype(np.float64)
    # Below the smallest normal float32 a scale has few digits, or none: the row becomes zero.
    assert (error <= 0.5 * scales[:, None] + 1e-6 * largest + 2e-38 * 2**8).all()


def test_quantisation_is_exact_where_it_can_be() -> None:
    vectors = np.array([[127.0, -64.0, 0.0], [0.0, 0.0, 0.0]], np.float32)
    codes, scales = quantise(vectors)
    assert codes.tolist() == [[127, -64, 0], [0, 0, 0]] and scales.tolist() == [1.0, 0.0]
    np.testing.assert_array_equal(dequantise(codes, scales), vectors)


def test_int8_hardly_moves_a_cosine() -> None:
    vectors = WordVectors([str(row) for row in range(300)], np.random.default_rng(0).normal(size=(300, 100)))
    back = WordVectors.from_arrays(vectors.to_arrays("int8"))
    moved = np.abs(vectors.normalized @ vectors.normalized.T - back.normalized @ back.normalized.T)
    assert moved.max() < 0.005


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quantise(np.array([[np.nan]])), "finite"),
        (lambda: dequantise(np.ones((2, 2), np.int8), np.ones(3)), "one scale a row"),
        (lambda: dequantise(np.ones((2, 2), np.float32), np.ones(2)), "integer codes"),
        (lambda: dequantise(np.ones((2, 2), np.int8), np.array([1.0, -1.0])), "not negative"),
        (lambda: dequantise(np.ones((2, 2), np.int8), np.array([1.0, np.inf])), "finite"),
        (lambda: some().to_arrays("int4"), "Unknown storage.*float32, float16, int8.*'int4'"),
        (lambda: WordVectors(["a"], [[1e6]]).to_arrays("float16"), "do not fit float16"),
        (lambda: WordVectors.from_arrays({"keys": np.zeros(2, np.uint8)}), "are no word vectors"),
        (lambda: WordVectors.from_arrays({"vectors": np.ones((1, 1))}), "no readable list of keys"),
        (lambda: WordVectors.from_arrays({"vectors": np.ones((1, 1), int)}), "are no word vectors"),
        (lambda: some().save("anywhere", "csv"), "Unknown format.*npz, text, binary.*'csv'"),
        (lambda: some().save("anywhere", "text", storage="int8"), "Allowed: float32.*'int8'.*npz"),
        (lambda: WordVectors.load("anywhere", "csv"), "Unknown format"),
    ],
)
def test_wrong_calls_are_refused(call, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_numbers_too_large_for_float32_are_refused_without_a_warning() -> None:
    arrays = {**WordVectors(["a"], [[1.0]]).to_arrays(), "vectors": np.array([[1e308]])}
    with warnings.catch_warnings(), pytest.raises(InputError, match="NaN or infinity"):
        warnings.simplefilter("error")
        WordVectors.from_arrays(arrays)


def test_keys_in_an_archive_are_a_list_of_texts() -> None:
    arrays = WordVectors(["a"], [[1.0]]).to_arrays()
    for text, message in (
        (b'{"a": 1}', "a JSON list"),
        (b"[[1]]", "not a string"),
        (b"\xff", "no readable list"),
    ):
        arrays["keys"] = np.frombuffer(text, np.uint8)
        with pytest.raises(InputError, match=message):
            WordVectors.from_arrays(arrays)
