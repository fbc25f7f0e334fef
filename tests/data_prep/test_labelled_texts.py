"""Labelled documents: CSV files and folders of your own, IMDB and BBC News."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data_prep.datasets import locate
from data_prep.errors import InputError
from data_prep.readers.document_sets import TOPICS, VERDICTS, read_bbc, read_imdb
from data_prep.readers.labelled_texts import (
    MAX_ROW_CHARACTERS,
    Refused,
    Row,
    iter_csv,
    labelled,
    read_csv,
    read_folder,
)
from data_prep.text.text_inputs import shared_texts


def csv_file(folder: Path, content: str | bytes) -> Path:
    path = folder / "some.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_is_read_row_by_row(separator: str, tmp_path: Path) -> None:
    rows = (
        ("id", "text", "label"),
        ("1", '"Good, very\r\n""good"""', " pos "),
        (),
        ("2", "bad; or\tnot".replace(separator, "/"), "neg"),
    )
    path = csv_file(tmp_path, b"\xef\xbb\xbf" + "\r\n".join(separator.join(row) for row in rows).encode())
    found = read_csv(path, "text", "label")
    assert found.texts[0] == 'Good, very\n"good"' and found.labels.tolist() == [1, 0]
    assert (found.classes, found.refused) == (("neg", "pos"), ())
    packed = tmp_path / "some.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_csv(packed, "text", "label").checksum == found.checksum
    assert [row.label for row in iter_csv(path, "text")] == ["", ""]


def test_a_bad_row_is_reported_by_number_and_the_rest_go_on(tmp_path: Path) -> None:
    lines = [
        "text,label", "good,pos", '"never closed,neg', "two,of,them", '"it "is" broken",neg', " ,neg", "bad, ",
        "short", '"two', 'lines",neg', "last,pos", '"open to the end,pos',
    ]  # fmt: skip
    found = list(iter_csv(csv_file(tmp_path, "\n".join(lines)), "text", "label"))
    assert [row for row in found if isinstance(row, Row)] == [
        Row(1, "good", "pos"), Row(8, "two\nlines", "neg"), Row(9, "last", "pos"),
    ]  # fmt: skip
    refused = [row for row in found if isinstance(row, Refused)]
    assert [(row.number, row.problem.partition(":")[0]) for row in refused] == [
        (2, "line 3"), (3, "line 4"), (4, "line 5"), (5, "line 6"), (6, "line 7"), (7, "line 8"), (10, "line 12"),
    ]  # fmt: skip
    reasons = (
        "quotes",
        "has 3 fields and the header has 2",
        "quotes",
        "text is empty",
        "label is empty",
        "1 fields",
        "end",
    )
    assert all(reason in row.problem for row, reason in zip(refused, reasons, strict=True))


def test_the_rest_of_a_line_that_is_too_long_is_no_row(tmp_path: Path) -> None:
    for fill in ("word ", "words"):  # cut at a space, or within a word
        long = fill * (2 * MAX_ROW_CHARACTERS // 5 + 100_000)
        content = f'text,label\ngood,pos\n"{long}","neg"\nlast,pos\n{long},neg'
        found = list(iter_csv(csv_file(tmp_path, content), "text", "label"))
        assert [one.number for one in found] == [1, 2, 3, 4]
        assert [one.text for one in found if isinstance(one, Row)] == ["good", "last"]
        assert all(
            "too long (more than 4,194,304" in one.problem for one in found if isinstance(one, Refused)
        )


def test_a_long_row_is_read(tmp_path: Path) -> None:
    text = "word " * 200_000
    (row,) = iter_csv(csv_file(tmp_path, f'text\n"{text}"\n'), "text")
    assert isinstance(row, Row) and row.text == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,kind\na,b\n", "no column label. Allowed: text, kind"),
        ("text,label,label\na,b,c\n", "no column label once only"),
        ('"text,label\na,b\n', "first row of the CSV file cannot be read"),
        ("text,label\nb,\xe9\n".encode("latin-1"), "not UTF-8 at byte 13, line 2"),
        ("text,label\na,b\0\n", "binary"),
        ("", "text is empty"),
        (
            "text,label\n,a\n",
            r"no document that can be used \(1 refused; the first, line 2: its text is empty\)",
        ),
    ],
)
def test_a_wrong_csv_is_refused(content: str | bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_csv(csv_file(tmp_path, content), "text", "label")


def test_several_files_and_standard_input_are_read_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text("text,label\ngood,pos\n,neg\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("label;text\nneg;bad\n", encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"text\tlabel\nfine\tpos\n")))
    found = read_csv([tmp_path / "a.csv", tmp_path / "b.csv", "-"], "text", "label")
    assert (found.texts, found.labels.tolist()) == (["good", "bad", "fine"], [1, 0, 1])
    assert found.refused == (Refused(2, "a.csv, line 3: its text is empty"),)
    assert read_csv("-", "text", "label").texts == ["fine"]
    first, _, last = iter_csv([tmp_path / "a.csv", "-"], "text", "label")
    assert (first, last) == (Row(1, "good", "pos", "a.csv"), Row(1, "fine", "pos", "standard input"))


def test_empty_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InputError, match=r"^Standard input is empty\."):
        read_csv("-", "text", "label")


def test_an_empty_column_is_named_as_in_the_file(tmp_path: Path) -> None:
    (row,) = iter_csv(csv_file(tmp_path, "review,verdict\nfine,\n"), "review", "verdict")
    assert isinstance(row, Refused) and row.problem == "line 2: its verdict is empty"


def test_a_folder_has_a_sub_folder_a_label(tmp_path: Path) -> None:
    for name, content in {
        "good/a.txt": b"fine\nfilm", "good/more/b.txt": b"great", "bad/c.txt": b"awful", "bad/d.txt": b"\xff",
        "bad/e.txt": b"", "about.md": b"no label", ".git/f.txt": b"no",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    found = read_folder(tmp_path)
    assert list(found.texts) == ["awful", "fine\nfilm", "great"] and found.labels.tolist() == [0, 1, 1]
    assert found.classes == ("bad", "good")
    assert [(row.number, row.problem[:9]) for row in found.refused] == [(2, "bad/d.txt"), (3, "bad/e.txt")]
    (tmp_path / "bad" / "g.pdf").write_bytes(b"x")
    with pytest.raises(InputError, match=r"g\.pdf is no text"):
        read_folder(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        read_folder(tmp_path / "none")
    with pytest.raises(InputError, match="holds no labelled texts"):
        read_folder(tmp_path / "good" / "more")


def test_what_cannot_be_learned_is_refused() -> None:
    found = labelled([("a", "x"), ("b", "y"), ("c", "x")])
    with pytest.raises(InputError, match="label y has too few documents"):
        found.check_trainable()
    with pytest.raises(InputError, match="All documents have one label"):
        labelled([("a", "x"), ("b", "x")]).check_trainable()
    chosen = found.chosen([2, 1])
    assert (chosen.texts, chosen.labels.tolist()) == (["c", "b"], [0, 1])
    assert chosen.checksum != found.checksum


def test_other_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("aclImdb/train/pos/0_9.txt")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"fine"))
    with pytest.raises(
        InputError, match=r"not the whole data set imdb.*Received: .1 train reviews, 0 test reviews"
    ):
        read_imdb(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(InputError, match="no such archive, or damaged"):
        read_imdb(path)
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        archive.writestr("bbc/tech/001.txt", "x")
    with pytest.raises(InputError, match=r"not the whole data set bbc.*1 tech"):
        read_bbc(tmp_path / "some.zip")
    with pytest.raises(InputError, match="no such archive, or damaged"):
        read_bbc(path)


@pytest.mark.realdata
def test_bbc_is_whole(data_dir: Path) -> None:
    found = read_bbc(locate("bbc"))
    assert found.classes == TOPICS and np.bincount(found.labels).tolist() == [510, 386, 417, 511, 401]
    assert found.texts[0].startswith("Ad sales boost Time Warner profit\n\nQuarterly profits")
    assert "£" in found.texts[510 + 386 + 417 + 198]  # sport/199.txt, the one in Latin-1


@pytest.mark.realdata
@pytest.mark.slow
def test_imdb_is_whole(data_dir: Path) -> None:
    found = read_imdb(locate("imdb"))
    assert len(found.unlabelled) == 50_000 and found.train.classes == VERDICTS
    for half in (found.train, found.test):
        assert np.bincount(half.labels).tolist() == [12_500, 12_500]
    assert found.train.texts[0].startswith("Story of a man who has unnatural feelings for a pig.")
    assert len(shared_texts(found.train.texts, found.test.texts)) == 123


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_quoted_header_is_read_by_every_separator(tmp_path: Path, separator: str) -> None:
    rows = [["text", "label"], ["One, two.", "a"], ["Three.", "b"], ["Four.", "a"], ["Five.", "b"]]
    path = tmp_path / "quoted.csv"
    path.write_text("".join(separator.join(f'"{one}"' for one in row) + "\n" for row in rows))
    assert [*read_csv(path, "text", "label").texts] == [text for text, _ in rows[1:]]


def test_a_long_line_stays_one_line(tmp_path: Path) -> None:
    for label in ("a", "b"):
        for at in range(2):
            path = tmp_path / label / f"{at}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text("word " * 20_000)
    assert {len(text) for text in read_folder(tmp_path).texts} <= {99_999, 100_000}
