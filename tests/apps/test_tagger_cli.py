from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from apps.__main__ import app
from apps.tagger.commands import _text_pieces
from data_prep.readers.conllu import parse_conllu

CONLLU = (
    "# sent_id = 7\n# text = Don't walk.\n1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_\n1\tDo\tdo\t_\t_\t_\t3\taux\t_\t_\n"
    "2\tn't\tnot\t_\t_\t_\t3\tadvmod\t_\t_\n3\twalk\twalk\t_\t_\t_\t0\troot\t_\tSpaceAfter=No\n"
    "3.1\tgone\tgo\t_\t_\t_\t_\t_\t_\t_\n4\t.\t.\t_\t_\t_\t3\tpunct\t_\t_\n\n"
)


@pytest.fixture(autouse=True)
def presets(tiny_presets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", tiny_presets)


def call(*arguments: str, stdin: bytes | None = None):
    return CliRunner().invoke(app, ["tagger", *arguments], input=stdin, prog_name="python -m apps")


def refused(*arguments: str, stdin: bytes | None = None) -> str:
    done = call(*arguments, stdin=stdin)
    assert done.exit_code == 2, (done.exit_code, done.output)
    assert done.stdout == ""
    assert "Error: " in done.stderr
    return done.stderr


def test_json_has_exactly_this_form() -> None:
    done = call("tag", "Dogs bark .", "--json")
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert list(values) == ["sentences"]
    (sentence,) = values["sentences"]
    assert list(sentence) == ["text", "tokens"] and sentence["text"] == "Dogs bark ."
    first = sentence["tokens"][0]
    assert list(first) == [
        *("text", "start", "end", "upos", "xpos", "probability", "alternatives", "unknown")
    ]
    assert (first["text"], first["start"], first["end"]) == ("Dogs", 0, 4)
    assert [list(other) for other in first["alternatives"]] == [["tag", "probability"]] * 3


def test_a_pipe_gets_one_sentence_a_line() -> None:
    done = call("tag", stdin=b"Anna walks .\n\nBen can see .")
    lines = done.stdout.splitlines()
    assert [[pair.split("/")[0] for pair in line.split(" ")] for line in lines] == [
        ["Anna", "walks", "."],
        ["Ben", "can", "see", "."],
    ]


def test_formats_and_files(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("Anna walks .\r\n\r\nBen walks .", encoding="utf-8")
    found = call("tag", "--file", str(tmp_path / "text.txt"), "--format", "conllu").stdout
    sentences = list(parse_conllu(found.split("\n"), require_tags=True))
    assert [sentence.text for sentence in sentences] == ["Anna walks .", "Ben walks ."]
    table = call("tag", "Anna walks .", "--format", "csv").stdout.splitlines()
    assert table[0].startswith("sentence,word,text,start,end,upos,xpos,probability")
    assert len(table) == 4


@pytest.mark.parametrize("way", ["stdin", "file", "suffix"])
def test_conllu_keeps_everything_but_the_tags(tmp_path: Path, way: str) -> None:
    if way == "stdin":
        done = call("tag", "--format", "conllu", stdin=CONLLU.encode())
    else:
        path = tmp_path / ("x.conllu" if way == "suffix" else "x.txt")
        path.write_bytes(CONLLU.replace("\n", "\r\n" if way == "suffix" else "\n").encode())
        done = call("tag", "--format", "conllu", "--file", str(path))
    assert done.exit_code == 0, done.output
    (before,), (after,) = (list(parse_conllu(text.split("\n"))) for text in (CONLLU, done.stdout))
    assert after.comments == before.comments
    assert all(word.upos != "_" for word in after.words)
    for one, other in zip(before.rows, after.rows, strict=True):
        assert (*one[:3], *one[5:]) == (*other[:3], *other[5:])
        assert (other[3] == "_") == ("-" in one[0] or "." in one[0])


def test_conllu_as_json_has_spans_in_the_sentence() -> None:
    values = json.loads(call("tag", "--json", stdin=CONLLU.encode()).stdout)
    tokens = values["sentences"][0]["tokens"]
    assert [(token["text"], token["start"]) for token in tokens][:3] == [("Do", 0), ("n't", 2), ("walk", 6)]


def test_text_that_looks_like_conllu_can_be_text() -> None:
    found = call("tag", "--input", "text", "--format", "csv", stdin=CONLLU.encode()).stdout
    assert "sent_id" in found


def test_evaluate_has_exactly_this_form(tmp_path: Path) -> None:
    (tmp_path / "gold.conllu").write_text(CONLLU.replace("\t_\t_\t_\t3", "\tVERB\tVB\t_\t3").replace(
        "walk\twalk\t_\t_", "walk\twalk\tVERB\tVB"))  # fmt: skip
    done = call("evaluate", "--file", str(tmp_path / "gold.conllu"), "--json")
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert list(values) == ["gold_tokens", "raw_text"]
    assert list(values["gold_tokens"]) == ["upos", "xpos", "unknown_words"]
    assert values["gold_tokens"]["upos"]["n"] == 4
    assert 0 <= values["raw_text"]["words_f1"] <= 100
    table = call("evaluate", "--file", str(tmp_path / "gold.conllu")).stdout
    assert table.startswith("measure\tscore\tstandard error\twords\nUPOS, gold tokens\t")


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (b"", "Standard input is empty"),
        (b"  \n ", "Standard input is empty"),
        (b"caf\xe9", "Standard input is not UTF-8 at byte 3"),
        (b"a\0b", "NUL byte at byte 1"),
        (b"1\tDogs\t_\n", "10 columns"),
        (CONLLU.replace("0\troot", "1\troot").encode(), "circle"),
        (CONLLU.replace("\n2\tn't", "\n5\tn't").encode(), "ids"),
    ],
)
def test_wrong_standard_input(stdin: bytes, message: str) -> None:
    assert message in refused("tag", "--json", stdin=stdin)


def test_the_tags_of_a_treebank_are_not_looked_at() -> None:
    plain, tagged = (
        call("tag", "--json", stdin=CONLLU.replace("Do\tdo\t_", f"Do\tdo\t{tag}").encode()) for tag in "_D"
    )
    assert plain.exit_code == tagged.exit_code == 0, tagged.output
    assert plain.stdout == tagged.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tag", " "), "The text is empty"),
        (("tag", "hello", "--input", "conllu"), "the text, line 1"),
        (("tag", "Dogs", "--file", "x"), "exclude each other"),
        (("tag", "Dogs", "--json", "--format", "csv"), "exclude each other"),
        (("tag", "--file", "there-is-no-such-file"), "no such file"),
        (("tag", "Dogs", "--preset", "tagger_en_ewd"), "Did you mean 'tagger_en_ewt'"),
        (("tag", "Dogs", "--preset", "segmenter_en_ewt"), "another kind"),
        (("tag", "Dogs", "--segmenter", "tagger_en_ewt"), "another kind"),
        (("evaluate", "--file", "there-is-no-such-file"), "there-is-no-such-file"),
        (("fit", "--out", "x", "--set", "epochs=many"), "epochs"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(*arguments)


def test_tags_of_a_stranger_do_not_reach_the_terminal() -> None:
    token = SimpleNamespace(text="a", tag="X\x1b[31m")
    (line,) = _text_pieces([SimpleNamespace(tokens=[token])])
    assert line == "a/X\\x1b[31m\n"


def test_control_characters_do_not_reach_the_terminal() -> None:
    done = call("tag", "a\x1b[31mb", "--format", "text")
    assert "\x1b" not in done.stdout
    assert "\\x1b" in done.stdout
