"""``python -m apps reviews``: the exact forms of its answers, and its messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from apps.__main__ import app
from tests.apps.reviews_presets import save_reviews


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_reviews(tmp_path_factory.mktemp("reviews") / "tiny"))


def call(*arguments: str, given: bytes | None = None):
    return CliRunner().invoke(app, ["reviews", *arguments], input=given, prog_name="python -m apps")


def refused(*arguments: str, given: bytes | None = None) -> str:
    done = call(*arguments, given=given)
    assert done.exit_code == 2 and not done.stdout, (done.exit_code, done.output)
    assert "Error: " in done.stderr
    return done.stderr


def test_classify_prints_one_object(preset: str) -> None:
    for arguments, given in ((("A warm, splendid film",), None), ((), b"A warm,\nsplendid film")):
        done = call("classify", *arguments, "--preset", preset, "--json", given=given)
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert list(found) == ["label", "probabilities", "unknown_words", "words"]
        assert found["label"] == "pos" and found["words"] == 4 and found["unknown_words"] == 1
        assert list(found["probabilities"]) == ["neg", "pos"]
    table = call("classify", "a film", "--preset", preset)
    assert table.stdout.splitlines()[0] == "label\tprobability"


def test_lines_are_answered_one_by_one_and_bad_ones_named(preset: str) -> None:
    done = call("classify", "--lines", "--preset", preset, given=b"good film\n\ndull\nx\xff\nxyzzy\nweak!")
    assert done.exit_code == 2  # not all lines have an answer
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["line"], one["label"]) for one in found] == [(1, "pos"), (3, "neg"), (6, "neg")]
    errors = done.stderr.splitlines()
    assert [error.split(":")[1] for error in errors] == [" line 2", " line 4", " line 5"]
    assert call("classify", "--lines", "--preset", preset, given=b"good\nbad\n").exit_code == 0


def test_several_documents_are_answered_in_one_call(preset: str, tmp_path: Path) -> None:
    done = call("classify", "a good film", "zzz", "dull!", "--preset", preset, "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["document"], one["label"]) for one in found] == [(1, "pos"), (3, "neg")]
    assert done.exit_code == 2 and "document 2: None of the 1 words" in done.stderr
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("a good,\nwarm film\n", encoding="utf-8")
    second.write_text("bad\ngood\n", encoding="utf-8")
    alone = call("classify", "--file", str(first), "--preset", preset, "--json")
    assert json.loads(alone.stdout)["words"] == 4
    both = ("--file", str(first), "--file", str(second), "--preset", preset)
    table = call("classify", *both).stdout.splitlines()
    assert table[0].split("\t") == ["file", "label", "probability", "words", "unknown words"]
    assert table[1].split("\t")[:2] == [str(first), "pos"] and len(table) == 3
    lines = [json.loads(line) for line in call("classify", *both, "--lines").stdout.splitlines()]
    assert [(one["line"], one["label"]) for one in lines] == [(1, "pos"), (2, "pos"), (3, "neg"), (4, "pos")]
    missing = call("classify", *both, "--file", str(tmp_path / "none.txt"))
    assert missing.exit_code == 2 and "none.txt: There is no such file" in missing.stderr
    assert len(missing.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "given", "message"),
    [
        (("classify", ""), None, "The text is empty"),
        (("classify", "xyzzy"), None, "None of the 1 words"),
        (("classify", "good", "--lines"), None, "exclude each other"),
        (("classify", "good", "--file", "x.txt"), None, "exclude each other"),
        (("classify",), b"caf\xe9", "Standard input is not UTF-8"),
        (("classify",), b"", "Standard input is empty"),
        (("classify", "--lines"), b"", "There are no documents"),
        (("classify", "--lines", "--file", "nowhere.txt"), None, "nowhere.txt cannot be read"),
        (("evaluate", "--csv", "-"), b"", "Standard input is empty"),
        (("evaluate", "--csv", "x.csv", "--data", "bbc"), None, "exclude each other"),
        (("evaluate", "--csv", "nowhere.csv"), None, "There is no such file"),
        (("evaluate",), None, "no documents left"),
        (("evaluate", "--data", "yelp"), None, "no such set of documents"),
        (("evaluate", "--folds", "5"), None, "--folds trains anew"),
    ],
)
def test_wrong_input_gets_one_message(
    preset: str, arguments: tuple[str, ...], given: bytes | None, message: str
) -> None:
    error = refused(*arguments, "--preset", preset, given=given)
    assert message in error and error.count("Error: ") == 1


def test_evaluate_prints_three_numbers_and_says_what_it_did(preset: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text('body;mood\n"good; warm";positive\ndull;neg\nbad;joy\nweak;pos\n', encoding="utf-8")
    arguments = ("evaluate", "--csv", str(path), "--text", "body", "--label", "mood", "--preset", preset)
    done = call(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found) == ["accuracy", "n", "standard_error"]
    assert found["n"] == 3 and found["accuracy"] == pytest.approx(200 / 3)
    assert "row 3: its label 'joy' is none of neg, pos" in done.stderr
    assert "the label positive counts as pos" in done.stderr
    table = call(*arguments).stdout
    assert "accuracy, %\t66.67" in table and "pos, answered as\tneg 1, pos 1" in table
    given = call("evaluate", "--csv", "-", "--preset", preset, "--json", given=b"text,label\ngood,pos\n")
    assert json.loads(given.stdout)["n"] == 1
    for label in ("pos", "neg"):
        (tmp_path / "texts" / label).mkdir(parents=True)
        (tmp_path / "texts" / label / "1.txt").write_text("good", encoding="utf-8")
    done = call("evaluate", "--folder", str(tmp_path / "texts"), "--preset", preset, "--json")
    assert json.loads(done.stdout)["accuracy"] == 50.0


def test_wrong_settings_of_a_training_are_told(tmp_path: Path) -> None:
    arguments = ("fit", "--out", str(tmp_path / "reviews"))
    assert "--sample and --data exclude each other" in refused(*arguments, "--sample", "--data", "bbc")
    assert "There is no such network" in refused(*arguments, "--sample", "--network", "transformer")
    assert "The key 'epoch' is unknown" in refused(*arguments, "--sample", "--set", "epoch=3")
    assert "is no folder" in refused(*arguments, "--folder", str(tmp_path / "none"))
    one = tmp_path / "one.csv"
    one.write_text("text,label\ngood,pos\nwarm,pos\n", encoding="utf-8")
    assert "All documents have one label" in refused(*arguments, "--csv", str(one))
    assert "Standard input is empty" in refused(*arguments, "--csv", "-", given=b"")
    assert "no such recipe" in refused(*arguments, "--sample", "--recipe", "transformer")
    assert [path.name for path in tmp_path.iterdir()] == ["one.csv"]


def test_every_verb_has_help() -> None:
    for verb in ("fit", "evaluate", "classify"):
        done = call(verb, "--help")
        assert done.exit_code == 0 and "Usage" in done.stdout
