from __future__ import annotations

import gzip
import io
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.datasets import DATASETS, locate
from data_prep.errors import InputError
from data_prep.readers import text as reader
from data_prep.readers.text import (
    STDIN,
    TextCorpus,
    decoded,
    given_text,
    input_file,
    iter_lines,
    read_text,
    read_texts,
)
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
        (gzip.compress(b"some words" * 100, mtime=0)[:-9], "damaged or cut short"),
        (gzip.compress(b"some\0words", mtime=0), "NUL byte at byte 4"),
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


@pytest.fixture
def stdin(monkeypatch):
    """Put bytes on standard input."""

    def put(data: bytes, terminal: bool = False) -> None:
        stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
        monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
        monkeypatch.setattr("sys.stdin", stream)

    return put


def test_lines_of_several_files_folders_and_standard_input(write, tmp_path, stdin):
    stdin(gzip.compress(b"5\n6"))
    paths = [write(b"1\n2"), write(b"3\n", "more/a.txt").parent, write(b"4", "b.log"), STDIN]
    corpus = TextCorpus(paths)
    assert list(corpus.lines()) == list(corpus.lines()) == ["1", "2", "3", "4", "5", "6"]
    assert corpus.total_bytes == sum(file.stat().st_size for file in corpus.files)
    assert corpus.files[-1].name == "standard input"


def test_texts_become_one(write, tmp_path, stdin):
    stdin("\ufeffé".encode())
    paths = [write(b"one\r\n"), write(gzip.compress(b"two"), "a.gz"), write(b"three", "d/b.txt").parent, "-"]
    assert read_texts(paths) == "one\r\ntwo\nthree\né"
    assert read_texts(paths[1:2]) == "two"
    with pytest.raises(InputError, match="There is no text"):
        read_texts([])
    empty = write(b"", "empty.txt")
    with pytest.raises(InputError, match=r"empty\.txt is empty"):
        read_texts([*paths, empty])


def test_standard_input_is_read_once_and_kept(stdin):
    stdin(b"first")
    assert input_file("-") == input_file("-")
    assert (read_text("-"), given_text(STDIN)) == ("first", "first")
    stdin(b"second")
    assert read_text("-") == "second"


@pytest.mark.parametrize("read", [read_text, iter_lines, lambda path: read_texts([path])])
def test_empty_standard_input_is_refused(stdin, read):
    stdin(b"")
    with pytest.raises(
        InputError, match=r"^Standard input is empty\. Allowed: a text with at least one word\.$"
    ):
        read("-")


def test_a_terminal_is_no_text(stdin):
    stdin(b"", terminal=True)
    with pytest.raises(
        InputError, match=r"There is no text\. Allowed: a text, a file, or text on standard input"
    ):
        given_text(STDIN)


def test_wrong_standard_input_is_called_so(stdin):
    stdin(b"one\n\xff")
    with pytest.raises(InputError, match=r"^Standard input is not UTF-8 at byte 4, line 2"):
        list(iter_lines("-"))


def test_a_command_is_given_one_text(write):
    path = write(b"a\n")
    assert (given_text("Ä b"), given_text(path)) == ("Ä b", "a\n")
    with pytest.raises(InputError, match="The text is not UTF-8 at byte 1, line 1"):
        given_text("a\udcff")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"ab\0", "is binary: NUL byte at byte 2, line 1"),
        (b"caf\xe9", "is not UTF-8 at byte 3, line 1"),
    ],
)
def test_bytes_that_are_no_text_are_refused(data, message):
    with pytest.raises(InputError, match=re.escape(message)):
        decoded(data, "The file")


def test_files_are_read_plain_and_gzip(write, tmp_path):
    assert read_text(write(b"\xef\xbb\xbfDogs bark.")) == "Dogs bark."
    assert read_text(write(gzip.compress("Ä".encode()), "packed.txt.gz")) == "Ä"
    write(gzip.compress(b"Dogs" * 100)[:-9], "cut.gz")
    for name, message in (
        ("no.txt", "no such file"),
        ("", "not a folder"),
        ("cut.gz", "damaged or cut short"),
    ):
        with pytest.raises(InputError, match=message):
            read_text(tmp_path / name)


@pytest.mark.parametrize("packed", [False, True])
def test_a_text_that_is_read_whole_has_a_bound(write, monkeypatch, packed):
    monkeypatch.setattr(reader, "MAX_BYTES", 1000)
    data = b"word " * 300
    with pytest.raises(InputError, match=r"text\.txt is too large.*split -C"):
        read_text(write(gzip.compress(data) if packed else data))


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
