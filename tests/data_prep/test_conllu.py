"""The CoNLL-U reader and writer."""

from __future__ import annotations

import gzip

import pytest

from data_prep.datasets import locate_files
from data_prep.errors import InputError
from data_prep.readers.conllu import (
    EWT,
    Word,
    format_conllu,
    found_lines,
    found_sentence,
    parse_conllu,
    plain_sentence,
    read_conllu,
    read_ewt,
    with_tags,
)

ROW = "{}\t{}\t_\t{}\t{}\t_\t{}\t_\t_\t{}"
GOOD = "\n".join(
    [
        "# newdoc id = d1",
        "# sent_id = s1",
        "# text = We don't  sleep.",
        ROW.format(1, "We", "PRON", "PRP", 4, "_"),
        ROW.format("2-3", "don't", "_", "_", "_", "_"),
        ROW.format(2, "do", "AUX", "VBP", 4, "_"),
        ROW.format(3, "n't", "PART", "RB", 4, "_"),
        ROW.format("3.1", "really", "_", "_", "_", "_"),
        ROW.format(4, "sleep", "VERB", "VB", 0, "SpaceAfter=No"),
        ROW.format(5, ".", "PUNCT", ".", 4, "SpaceAfter=No"),
        "",
        "",
    ]
)


def sentences(text: str, **options):
    return list(parse_conllu(text.split("\n"), "x.conllu", **options))


def test_multiword_tokens_and_empty_nodes_are_not_words() -> None:
    (sentence,) = sentences(GOOD)
    assert sentence.forms == ["We", "do", "n't", "sleep", "."]
    assert [token.form for token in sentence.tokens] == ["We", "don't", "sleep", "."]
    assert [token.is_multiword for token in sentence.tokens] == [False, True, False, False]
    assert (sentence.sent_id, sentence.new_document, sentence.new_paragraph) == ("s1", True, False)
    assert not sentence.space_after


def test_spans_point_into_the_text() -> None:
    (sentence,) = sentences(GOOD)
    assert [sentence.text[word.start : word.end] for word in sentence.words] == sentence.forms
    merged = GOOD.replace("don't", "dunno").replace("# text = We dunno", "# text = We dunno")
    (sentence,) = sentences(merged)
    assert [sentence.text[w.start : w.end] for w in sentence.words[1:3]] == ["dunno", "dunno"]


def test_text_is_rebuilt_where_the_file_has_none() -> None:
    (sentence,) = sentences(GOOD.replace("# text = We don't  sleep.\n", ""))
    assert sentence.text == "We don't sleep."


def test_written_as_read_and_with_other_tags() -> None:
    read = sentences(GOOD)
    assert "".join(map(format_conllu, read)) == GOOD
    tags = [("X", "FW")] * 5
    changed = with_tags(read[0], tags)
    written = format_conllu(changed)
    assert [(word.upos, word.xpos) for word in changed.words] == tags
    assert sentences(written)[0].words == changed.words
    assert written.count("\tX\tFW\t") == 5
    assert "2-3\tdon't\t_\t_\t_" in written


def test_a_tagged_text_becomes_conllu_that_reads_back() -> None:
    words = [Word("Hi", "INTJ", "UH", 0, 2), Word("!", "PUNCT", ".", 2, 3), Word("You", "PRON", "PRP", 5, 8)]
    made = plain_sentence("Hi!  You", words, sent_id="a")
    (back,) = sentences(format_conllu(made))
    assert back.words == made.words
    assert back.tokens == made.tokens
    assert back.text == made.text


def test_untagged_words_are_read_unless_tags_are_required() -> None:
    text = ROW.format(1, "Hi", "_", "_", "_", "_")
    assert sentences(text)[0].words[0].upos == "_"
    with pytest.raises(InputError, match=r"x\.conllu, line 1: unknown UPOS tag"):
        sentences(text, require_tags=True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1\tWe\t_", "1\tWe", "10 columns"),
        ("1\tWe\t_", "1\tWe\t", "column 3 is empty"),
        ("1\tWe", "2\tWe", "do not count up"),
        ("1\tWe", "one\tWe", "no id"),
        ("2-3", "2-9", "beyond the end"),
        ("2-3", "3-2", "range is empty"),
        ("3\tn't", ROW.format("3-4", "n't", "_", "_", "_", "_") + "\n3\tn't", "overlaps another"),
        ("3.1", "3.2", "do not count up"),
        ("PRON", "PRN", "unknown UPOS tag"),
        ("VERB\tVB\t_\t0", "VERB\tVB\t_\t1", "in a circle"),
        ("VERB\tVB\t_\t0", "VERB\tVB\t_\t6", "head is no word"),
        ("# text = We don't  sleep.", "# text = We do not sleep.", "do not rebuild"),
        ("# text = We don't  sleep.", "# text = We don't  sleep. Well", "goes on behind"),
    ],
)
def test_broken_files_are_refused_with_their_line(old: str, new: str, message: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(InputError, match=r"x\.conllu, line \d+: ") as caught:
        sentences(GOOD.replace(old, new))
    assert message in str(caught.value)


def test_files_without_sentences_and_folders_are_refused(tmp_path) -> None:
    (tmp_path / "empty.conllu").write_text("\n \n")
    with pytest.raises(InputError, match="nothing but white space"):
        read_conllu(tmp_path / "empty.conllu")
    with pytest.raises(InputError, match="not a folder"):
        read_conllu(tmp_path)
    with pytest.raises(InputError, match="comments are not followed"):
        sentences("# text = a")


def test_tags_and_spans_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="one pair of tags"):
        with_tags(sentences(GOOD)[0], [("X", "FW")])
    with pytest.raises(InputError, match="spans"):
        plain_sentence("ab", [Word("ab", "X", "FW", 0, 2), Word("b", "X", "FW", 1, 2)])
    with pytest.raises(InputError, match="at least one word"):
        plain_sentence("ab", [])


def test_a_part_of_another_size_is_refused(tmp_path, monkeypatch) -> None:
    folder = tmp_path / EWT
    folder.mkdir()
    for part in ("train", "dev", "test"):
        (folder / f"en_ewt-ud-{part}.conllu").write_text(GOOD)
    monkeypatch.setenv("LECTERN_DATA_DIR", str(tmp_path))
    with pytest.raises(InputError, match="not the whole data set ud_english_ewt") as caught:
        read_ewt("dev")
    assert "1 dev sentences, 5 dev words" in str(caught.value)


@pytest.mark.realdata
@pytest.mark.parametrize("part", ["dev", "test"])
def test_the_treebank_is_written_as_it_was_read(data_dir, part) -> None:
    read = read_ewt(part)
    with gzip.open(locate_files(EWT)[part], "rt", encoding="utf-8", newline="") as original:
        assert "".join(map(format_conllu, read)) == original.read()
    for sentence in read:
        for word in sentence.words:
            assert sentence.text[word.start : word.end] == word.form


def test_lines_of_found_words_are_those_of_their_sentence() -> None:
    text = "Er geht zum Fluss.Dann \u00a0 nicht"
    first = [("Er", "PRON", "PPER", 0, 2), ("geht", "VERB", "_", 3, 7), ("zu", "ADP", "_", 8, 11)]
    first += [("dem", "DET", "_", 8, 11), ("Fluss", "NOUN", "NN", 12, 17), (".", "PUNCT", "_", 17, 18)]
    last = [("Dann", "ADV", "_", 18, 22), ("nicht", "PART", "_", 25, 30)]
    for words in (first, last, first[:2], first[4:], first[5:] + last):
        for name in ("", "7"):
            assert found_lines(text, words, name) == format_conllu(found_sentence(text, words, name))
    assert "3-4\tzum" in found_lines(text, first)
