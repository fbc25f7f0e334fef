"""Treebanks of your own: any language, any tags; one wrong thing a test."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from data_prep.errors import InputError
from data_prep.readers.conllu import UPOS_TAGS, read_ewt
from data_prep.readers.treebank import held_out_sentences, read_treebank, shared_sentences, tag_sets

Row = tuple[str, str, str, str]


def sentence(name: str, *rows: Row, comment: str = "") -> str:
    """Lines of a sentence from rows of id, form, UPOS and XPOS."""
    lines = [f"# sent_id = {name}"] + ([comment] if comment else [])
    lines += [
        "\t".join([at, form, "_", upos, xpos, "_", "_", "_", "_", "_"]) for at, form, upos, xpos in rows
    ]
    return "\n".join(lines) + "\n\n"


# French, with a tag set of its own and a multiword token.
ONE = sentence("1", ("1", "Elle", "PRO", "_"), ("2", "parle", "VER", "_"))
TWO = sentence(
    "2", ("1", "Va", "VER", "_"), ("2-3", "au", "_", "_"), ("2", "à", "PRP", "_"), ("3", "le", "DET", "_")
)


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str | bytes, name: str = "own.conllu") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_any_language_and_any_tags(written) -> None:
    sentences = read_treebank(written(ONE + TWO))
    assert [one.forms for one in sentences] == [["Elle", "parle"], ["Va", "à", "le"]]
    assert [token.form for token in sentences[1].tokens] == ["Va", "au"]
    assert tag_sets(sentences) == (("DET", "PRO", "PRP", "VER"), ())
    packed = read_treebank(written(gzip.compress((ONE + TWO).encode()), "own.conllu.gz"))
    assert packed == sentences


def test_xpos_alone_is_enough_and_upos_keeps_its_usual_order(written) -> None:
    rows = (("1", "日本", "_", "名詞"), ("2", "へ", "_", "助詞"))
    assert tag_sets(read_treebank(written(sentence("1", *rows)))) == ((), ("助詞", "名詞"))
    rows = (("1", "b", "VERB", "_"), ("2", "a", "ADJ", "_"), ("3", "c", "_", "_"))
    assert tag_sets(read_treebank(written(sentence("1", *rows)))).upos == ("ADJ", "VERB")


def test_a_treebank_comes_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((ONE + TWO).encode())))
    assert len(read_treebank("-")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The text is empty"),
        ("\n\n", "nothing but white space"),
        ("# only a comment\n", "line 1: comments are not followed by words"),
        (ONE + ONE, r"two sentences have one sent_id. Received: '1'"),
        (ONE.replace("2\tparle", "1\tparle"), "line 3: an id is there twice in the sentence"),
        (ONE.replace("2\tparle", "3\tparle"), "line 3: the ids of a sentence do not count up"),
        (TWO.replace("2-3", "2-4"), "a multiword token goes beyond the end of the sentence"),
        (TWO.replace("2-3", "2-1"), "line 3: the multiword token's range is empty or overlaps another"),
        (TWO.replace("3\tle", "3-3\tle\t_\t_\t_\t_\t_\t_\t_\t_\n3\tle"), "is empty or overlaps another"),
        (ONE.replace("PRO", "X").replace("VER", "X"), r"has one tag only.*Received: \('X',\)"),
        (ONE.replace("PRO", "_").replace("VER", "_"), "has no tags"),
        ((ONE + TWO).encode("latin-1"), "not UTF-8 at byte 128, line 8"),
        (
            ONE.replace("VER\t_\t_", "VER\t_"),
            r"line 3: a line of CoNLL-U has 10 columns.*Received: '9 columns'",
        ),
    ],
)
def test_a_broken_treebank_is_refused(written, text: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_treebank(written(text))


def numbered(count: int, per_document: int) -> str:
    return "".join(
        sentence(
            str(at), ("1", f"w{at}", "A", "_"), ("2", ".", "B", "_"),
            comment="" if at % per_document else f"# newdoc id = {at}",
        )
        for at in range(count)
    )  # fmt: skip


def test_whole_documents_are_held_out(written) -> None:
    sentences = read_treebank(written(numbered(200, 5)))
    train, dev = held_out_sentences(sentences, 0.1, seed=3)
    assert (len(train), len(dev)) == (180, 20) and shared_sentences(train, dev) == 0
    assert {int(one.sent_id) // 5 for one in train}.isdisjoint(int(one.sent_id) // 5 for one in dev)
    assert held_out_sentences(sentences, 0.1, seed=3) == (train, dev)
    assert held_out_sentences(sentences, 0.1, seed=4) != (train, dev)


def test_sentences_are_held_out_of_a_treebank_without_documents_and_equal_ones_stay_together(written) -> None:
    text = numbered(100, 1000) + numbered(100, 1000).replace("sent_id = ", "sent_id = again")
    train, dev = held_out_sentences(read_treebank(written(text)))
    assert (len(train), len(dev)) == (180, 20) and shared_sentences(train, dev) == 0


def test_one_sentence_cannot_be_split(written) -> None:
    with pytest.raises(InputError, match="The part dev would be empty"):
        held_out_sentences(read_treebank(written(ONE)))


def test_shared_sentences_are_counted(written) -> None:
    train = read_treebank(written(ONE + TWO))
    dev = read_treebank(written(ONE + ONE.replace("sent_id = 1", "sent_id = 2")))
    assert shared_sentences(train, dev) == 2 and shared_sentences(dev, train) == 1


@pytest.mark.realdata
def test_the_official_treebank_by_name_is_the_same(data_dir: Path) -> None:
    read = read_treebank(data_dir / "ud_english_ewt" / "en_ewt-ud-dev.conllu.gz")
    assert read == read_ewt("dev")
    assert tag_sets(read).upos == UPOS_TAGS
