"""Documents in JSON Lines: bad lines are refused one by one, files that break off keep what stands before."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from data_prep.errors import InputError
from data_prep.readers.documents import CHARACTERS_AT_ONCE, JsonLines, together
from data_prep.readers.labelled_texts import Refused


def lines(*texts: object) -> bytes:
    return b"".join(json.dumps({"id": at, "text": text}).encode() + b"\n" for at, text in enumerate(texts))


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_column_is_read_line_by_line(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, lines("Dogs bark.", "Cats\nsleep.", "Ω"))
    assert list(JsonLines(path, "text").texts()) == ["Dogs bark.", "Cats\nsleep.", "Ω"]


def test_bad_lines_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad = {
        b'{"text": "half': "no JSON object",
        b"[" * 100_000: "no JSON object",
        b'["text"]': "no JSON object",
        b"": "no JSON object",
        b'{"title": "a"}': "no column text",
        b'{"text": 3}': "text is no text",
        b'{"text": "\\ud800"}': "half of a surrogate pair",
        b'{"text": "a\xff"}': "not UTF-8",
        b'{"text": "a\0"}': "NUL character",
    }
    path = write(tmp_path / "a.jsonl", b"\n".join(bad) + b"\n" + lines("good"))
    *refused, good = JsonLines(path, "text").texts()
    assert good == "good" and [one.number for one in refused] == list(range(1, len(bad) + 1))
    for one, problem in zip(refused, bad.values(), strict=True):
        assert problem in one.problem


def test_gzip_that_is_cut_short_keeps_what_stands_before(tmp_path: Path) -> None:
    whole = gzip.compress(lines(*(f"number {at} {at * 7919 % 65_537}" for at in range(50_000))))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    *texts, last = (reader := JsonLines(path, "text")).texts()
    assert len(texts) > 20_000 and all(isinstance(text, str) for text in texts)
    assert isinstance(last, Refused) and last.number == len(texts) + 1
    assert "cut short" in reader.damage and reader.damage in last.problem


def test_a_file_that_is_gone_is_damaged(tmp_path: Path) -> None:
    (last,) = (reader := JsonLines(tmp_path / "none.jsonl", "text")).texts()
    assert "No such file" in reader.damage and last.number == 1


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"title": "a", "body": "b"}\n', "has no column text. Allowed: title, body"),
        (b"just text\n" * 20, "has no document: line 1: it is no JSON object"),
        (gzip.compress(lines("a"), mtime=0)[:15], "has no document: it is gzip and damaged or cut short"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(data: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "third.jsonl"
    path.write_bytes(data)
    with pytest.raises(InputError, match=problem) as caught:
        JsonLines(path, "text").check()
    assert "third.jsonl" in str(caught.value)


def test_an_empty_file_and_one_bad_line_pass(tmp_path: Path) -> None:
    JsonLines(write(tmp_path / "a.jsonl", b""), "text").check()
    JsonLines(write(tmp_path / "b.jsonl", b"oops\n" + lines("a")), "text").check()
    (part,) = JsonLines(tmp_path / "a.jsonl", "text").parts(100, 1)
    assert part.documents == [] and part.last


def test_documents_that_are_long_are_fewer_together() -> None:
    long = "x" * (CHARACTERS_AT_ONCE // 2 + 1)
    assert list(map(len, together([long, long, "a", "b", "c"], 2))) == [2, 2, 1]
    assert list(map(len, together([long, long, long], 8))) == [2, 1]


def test_parts_end_where_documents_that_belong_together_end(tmp_path: Path) -> None:
    texts = [str(at) * 10 for at in range(10)]
    path = write(tmp_path / "a.jsonl.gz", lines(*texts))
    parts = list(JsonLines(path, "text").parts(characters=25, most=2))
    assert [part.documents for part in parts] == [texts[:4], texts[4:8], texts[8:]]
    assert [(part.number, part.first, part.last) for part in parts] == [
        (0, 1, False),
        (1, 5, False),
        (2, 9, True),
    ]
    assert sum(part.consumed for part in parts) == path.stat().st_size and not parts[-1].damage
