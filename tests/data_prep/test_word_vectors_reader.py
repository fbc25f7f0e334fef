from __future__ import annotations

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from data_prep.errors import InputError
from data_prep.readers.word_vectors import detect_format, write_vectors
from data_prep.text.embeddings import WordVectors

KEYS = ["the", "naïve", "東京", "don't"]
VECTORS = np.array([[0.1, -2.5e-8], [3.0, 1e20], [-0.0, 7.25], [1 / 3, -1.0]], dtype=np.float32)
GOOD_TEXT = "2 3\nking 1 2 3\nqueen 4 5 6\n"


def binary_rows(*rows: tuple[bytes, list[float]]) -> bytes:
    return b"".join(key + b" " + struct.pack(f"<{len(row)}f", *row) for key, row in rows)


def put(folder: Path, content: bytes | str, name: str = "vectors") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_vectors(path: Path | str, file_format: str | None = None) -> tuple[list[str], np.ndarray]:
    found = WordVectors.load(path, file_format)
    return list(found.keys), found.vectors


@pytest.mark.parametrize("file_format", ["text", "binary"])
def test_files_equal_gensims_byte_for_byte_and_come_back(tmp_path: Path, file_format: str) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    write_vectors(ours, KEYS, VECTORS, file_format)
    keyed = KeyedVectors(2)
    keyed.add_vectors(KEYS, VECTORS)
    keyed.save_word2vec_format(str(theirs), binary=file_format == "binary")
    assert ours.read_bytes() == theirs.read_bytes()
    assert detect_format(ours) == file_format
    keys, vectors = read_vectors(ours)
    assert keys == KEYS
    assert vectors.dtype == np.float32 and not vectors.flags.writeable
    np.testing.assert_array_equal(vectors, VECTORS)


@pytest.mark.parametrize("file_format", ["text", "binary"])
@settings(max_examples=25, deadline=None)
@given(
    keys=st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"]), min_size=1), min_size=1, unique=True
    ),
    data=st.data(),
)
def test_any_keys_and_finite_numbers_come_back(
    tmp_path_factory, file_format: str, keys: list[str], data
) -> None:
    shape = (len(keys), data.draw(st.integers(1, 5)))
    vectors = data.draw(
        hnp.arrays(np.float32, shape, elements=st.floats(width=32, allow_nan=False, allow_infinity=False))
    )
    path = tmp_path_factory.mktemp("any") / "vectors"
    write_vectors(path, keys, vectors, file_format)
    keys_back, vectors_back = read_vectors(path, file_format)
    assert keys_back == keys
    np.testing.assert_array_equal(vectors_back, vectors)


def test_rows_of_the_c_tool_are_read(tmp_path: Path) -> None:
    # It ends each text row with a space and each binary row with a newline.
    keys, vectors = read_vectors(put(tmp_path, "1 2\nking 1.5 -2 \n"))
    assert keys == ["king"] and vectors.tolist() == [[1.5, -2.0]]
    rows = b"2 1\nking " + struct.pack("<f", 1.5) + b"\nqueen " + struct.pack("<f", -2) + b"\n"
    keys, vectors = read_vectors(put(tmp_path, rows))
    assert keys == ["king", "queen"] and vectors.tolist() == [[1.5], [-2.0]]


def test_gensims_own_files_are_read_as_gensim_reads_them() -> None:
    from gensim.test.utils import datapath

    for name in ("EN.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt", "euclidean_vectors.bin"):
        path = datapath(name)
        theirs = KeyedVectors.load_word2vec_format(path, binary=name.endswith(".bin"))
        keys, vectors = read_vectors(path)
        assert keys == theirs.index_to_key
        np.testing.assert_array_equal(vectors, theirs.vectors)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("king 1 2 3\nqueen 4 5 6\n", "Line 1 of .* is no word2vec header"),
        ("2\nking 1 2 3\n", "Line 1 of .* is no word2vec header"),
        ("2 -3\nking 1 2 3\n", "Line 1 of .* is no word2vec header"),
        ("0 3\n", "Line 1 of .* is no word2vec header"),
        ("2 0\nking\nqueen\n", "Line 1 of .* is no word2vec header"),
        ("2 3", "Line 1 of .* is no word2vec header"),
        (GOOD_TEXT.replace("4 5 6", "4 5"), r"Line 3 of .* \(key 'queen'\) has 2 numbers"),
        (GOOD_TEXT.replace("4 5 6", "4 5 6 7"), r"Line 3 of .* \(key 'queen'\) has 4 numbers"),
        (GOOD_TEXT.replace("queen", "old queen"), "Line 3 of .* has a key with a space in it.*'old queen'"),
        (GOOD_TEXT.replace("king", "the king"), "Line 2 of .* has a key with a space in it.*'the king'"),
        (GOOD_TEXT.replace("king", "the\tking"), "Line 2 of .* has a key with a space in it"),
        (GOOD_TEXT.replace("queen", "king"), "Lines 2 and 3 of .* have the same key.*'king'"),
        (GOOD_TEXT.replace("queen ", " "), "Line 3 of .* has an empty key"),
        (
            GOOD_TEXT.replace("5", "five"),
            r"Line 3 of .* \(key 'queen'\) holds something that is not a number.*'five'",
        ),
        (GOOD_TEXT.replace("5", "nan"), r"Line 3 of .* \(key 'queen'\) holds NaN or infinity"),
        (GOOD_TEXT.replace("5", "inf"), r"Line 3 of .* \(key 'queen'\) holds NaN or infinity"),
        (GOOD_TEXT.replace("5", "1e60"), r"Line 3 of .* \(key 'queen'\) holds NaN or infinity"),
        (GOOD_TEXT.replace("2 3", "3 3", 1) + " " * 20, "ends after 2 of the 3 words|has 0 numbers"),
        (GOOD_TEXT.replace("2 3", "1 3", 1), "more than the 1 words that its header promises"),
        (
            GOOD_TEXT.encode().replace(b"queen", b"r\xe9ine"),
            "Line 3 of .* starts with a key that is not UTF-8",
        ),
        ("999999999999 999999999999\nking 1 2 3\n", "promises 999999999999 words"),
        ("30000000 3\nking 1 2 3\n", "only 11 bytes follow|only 12 bytes follow"),
        (b"\x1f\x8b\x08 a compressed file", "is gzip-compressed"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_bad_text_files_are_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_vectors(put(tmp_path, content))


GOOD_BINARY = b"2 3\n" + binary_rows((b"king", [1, 2, 3]), (b"queen", [4, 5, 6]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD_BINARY[:-1], "cut short or damaged: it ends after 1 of the 2 words .*'king'"),
        (GOOD_BINARY[:30], "cut short or damaged: it ends after 1 of the 2|promises 2 words"),
        (GOOD_BINARY[:9], "promises 2 words of 3 dimensions"),
        (GOOD_BINARY + b"abc", "holds more than the 2 words"),
        (GOOD_BINARY.replace(b"2 3", b"9999999999 300", 1), "promises 9999999999 words"),
        (GOOD_BINARY.replace(b"queen", b"king"), "Words 1 and 2 of .* have the same key"),
        (GOOD_BINARY.replace(b"queen", b"qu\tee"), "Word 2 of .* has a key with a space in it"),
        (GOOD_BINARY.replace(b"queen", b"\xff\xff"), "Word 2 of .* starts with a key that is not UTF-8"),
        (
            b"2 1\n" + binary_rows((b"king", [1]), (b"queen", [float("nan")])),
            r"Word 2 of .* \(key 'queen'\) holds NaN",
        ),
        (b"2 1\n" + binary_rows((b"king", [1]), (b"", [2])), "Word 2 of .* has an empty key"),
    ],
)
def test_bad_binary_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_vectors(put(tmp_path, content), "binary")


def test_the_good_files_of_the_tests_above_are_good(tmp_path: Path) -> None:
    for content in (GOOD_TEXT, GOOD_BINARY):
        keys, vectors = read_vectors(put(tmp_path, content))
        assert keys == ["king", "queen"] and vectors.tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("name", "content"), [("vectors.kv", b"any content"), ("vectors.bin", pickle.dumps({"king": [1.0]}))]
)
def test_pickles_are_refused_unread(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(InputError, match=r"is a Python pickle.*save_word2vec_format"):
        read_vectors(put(tmp_path, content, name))


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no vectors file"):
        read_vectors(tmp_path / "missing")
    with pytest.raises(InputError, match="cannot be read"):
        read_vectors(tmp_path)


def test_keys_with_space_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="key with white space"):
        write_vectors(tmp_path / "v", ["new york"], np.ones((1, 2), np.float32), "text")
    assert list(tmp_path.iterdir()) == []
