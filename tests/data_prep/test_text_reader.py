from __future__ import annotations

import gzip
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.datasets import DATASETS, locate
from data_prep.errors import InputError
from data_prep.readers import text as reader
from data_prep.readers.text import TextCorpus, iter_lines
from data_prep.text.tokenizer import WordTokenizer


@pytest.fixture
def write(tmp_path):
    def write(data: bytes, name: str = "text.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return write


def test_lines_keep_everything_but_their_ends(write):
    path = write("one \r\n\n\ttwo\u2028é\rx\nlast".encode())
    assert list(iter_lines(path)) == ["one ", "", "\ttwo\u2028é\rx", "last"]


def test_byte_order_mark_is_not_text(write):
    assert list(iter_lines(write(b"\xef\xbb\xbfone\n"))) == ["one"]


def test_gzip_is_told_by_its_bytes(write):
    assert list(iter_lines(write(gzip.compress("é\nb".encode()), "packed.data"))) == ["é", "b"]


def test_folder_is_read_in_sorted_order(write, tmp_path):
    write(b"2\n", "b/1.txt")
    write(b"3", "c.txt")
    write(gzip.compress(b"1"), "a.txt.gz")
    write(b"not read", "notes.md")
    write(b"", "empty.txt")
    assert list(iter_lines(tmp_path)) == ["1", "2", "3"]


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab é🙂\n\r\u3000"), max_size=200), st.integers(1, 12), st.integers(1, 9))
def test_any_block_and_piece_size_rebuilds_the_text(tmp_path_factory, text, max_characters, block_bytes):
    if not text.strip():
        return
    path = tmp_path_factory.mktemp("blocks") / "text.txt"
    path.write_bytes(text.encode())
    whole = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    expected = [piece for line in whole for piece in reader._pieces(line, max_characters)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_BLOCK_BYTES", max(block_bytes, 1))
        pieces = list(iter_lines(path, max_characters))
    assert all(len(piece) <= max_characters for piece in pieces)
    assert pieces == expected
    assert "".join(pieces) == "".join(whole)


def test_long_line_is_cut_behind_white_space(write):
    assert list(iter_lines(write(b"aaa bbb cc ddddddd\ne"), 8)) == ["aaa bbb ", "cc ", "ddddddd", "e"]
    assert list(iter_lines(write(b"abcdefghij k"), 4)) == ["abcd", "efgh", "ij k"]


def test_one_huge_line_needs_little_memory(write):
    path = write(b"some words " * 2_000_000)
    tracemalloc.start()
    total = sum(map(len, iter_lines(path)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == path.stat().st_size == 22_000_000
    assert peak < 12_000_000


@pytest.mark.parametrize("packed", [False, True])
def test_progress_ends_at_the_size_on_disk(write, tmp_path, packed):
    for name in ("a", "b"):
        data = b"some words\n" * 400_000
        write(gzip.compress(data, 1) if packed else data, f"{name}.txt" + ".gz" * packed)
    corpus, seen = TextCorpus(tmp_path), []
    assert sum(1 for _ in corpus.lines(seen.append)) == 800_000
    assert seen == sorted(seen) and len(set(seen)) > 4
    assert seen[-1] == corpus.total_bytes == sum(path.stat().st_size for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "text is empty"),
        (b" \n\t\n", "nothing but white space"),
        (b"one\ntw\0o\n", r"text\.txt is binary: NUL byte at byte 6, line 2"),
        (b"one\ntwo \xff\n", r"text\.txt is not UTF-8 at byte 8, line 2.*Received: b'\\xff"),
        (b"\xef\xbb\xbfone\n\xff", "not UTF-8 at byte 7, line 2"),
        ("é".encode()[:1], "not UTF-8 at byte 0, line 1"),
        ("text".encode("utf-16"), r"text\.txt is UTF-16.*iconv"),
        (gzip.compress(b"some words" * 100)[:-9], "damaged or cut short"),
        (gzip.compress(b"some\0words"), "NUL byte at byte 4"),
        (b"\x1f\x8bnonsense", "damaged or cut short"),
    ],
)
def test_wrong_files(write, data, message):
    path = write(data)
    with pytest.raises(InputError, match=f"(?s){message}"):
        list(iter_lines(path))


def test_wrong_byte_behind_the_first_block_is_located(write):
    with pytest.raises(InputError, match="at byte 3000003, line 1000002"):
        list(iter_lines(write(b"ab\n" * 1_000_000 + b"\nab\xff")))


def test_missing_path_and_folder_without_text(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        iter_lines(tmp_path / "none.txt")
    with pytest.raises(InputError, match="folder has no text files"):
        iter_lines(tmp_path)


@pytest.mark.realdata
@pytest.mark.slow
def test_wiki_has_the_published_counts(data_dir):
    counts = DATASETS["wiki"].counts
    corpus, lines = TextCorpus(locate("wiki")), 0
    tokenizer, tokens = WordTokenizer(punctuation=False), 0
    for line in corpus.lines():
        lines += 1
        tokens += len(tokenizer.keys(line))
    assert lines == counts["lines"]
    # The published count is of ASCII words; accents and other scripts make other words.
    assert abs(tokens - counts["tokens"]) < 0.01 * counts["tokens"]
