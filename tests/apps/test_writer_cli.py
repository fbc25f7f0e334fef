from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from apps.__main__ import app
from tests.apps.writer_preset import made_play, save_writer


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A tiny preset and the text that it learned from."""
    folder = tmp_path_factory.mktemp("writer")
    text = folder / "play.txt"
    text.write_text(made_play(), encoding="utf-8")
    return str(save_writer(folder / "tiny", text)), str(text)


def call(*arguments: str, stdin: bytes | None = None):
    return CliRunner().invoke(app, ["writer", *arguments], input=stdin, prog_name="python -m apps")


def refused(*arguments: str, stdin: bytes | None = None) -> str:
    done = call(*arguments, stdin=stdin)
    assert done.exit_code == 2, (done.exit_code, done.output)
    assert done.stdout == ""
    assert "Error: " in done.stderr
    return done.stderr


def test_generate_has_exactly_this_form(paths: tuple[str, str]) -> None:
    preset, text = paths
    arguments = ("--prompt", "ANNA:", "--length", "60", "--temperature", "0.8", "--seed", "1", "--json")
    done = call("generate", *arguments, "--preset", preset, "--text", text)
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert list(values) == ["prompt", "text", "seconds", "copied"]
    assert values["prompt"] == "ANNA:"
    assert len(values["text"]) == 60
    assert values["seconds"] > 0
    assert list(values["copied"]) == ["fraction", "longest"]
    assert 0 <= values["copied"]["fraction"] <= 1
    again = json.loads(call("generate", *arguments, "--preset", preset).stdout)
    assert again["text"] == values["text"]
    assert again["copied"] is None


def test_generate_streams_text_and_admits_copies(paths: tuple[str, str]) -> None:
    preset, text = paths
    wanted = ("generate", "--prompt", "BEN:\\n", "--length", "40", "--preset", preset)
    done = call(*wanted, "--text", text)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("BEN:\n")
    assert len(done.stdout) == len("BEN:\n") + 40 + 1
    assert "copied: " in done.stderr and "%" in done.stderr
    assert "the training text is not at hand" in call(*wanted).stderr


def test_without_a_prompt_a_word_writer_begins_a_sentence(paths: tuple[str, str], tmp_path: Path) -> None:
    preset = save_writer(tmp_path / "words", Path(paths[1]), "word")
    done = call("generate", "--length", "5", "--preset", str(preset))
    assert done.exit_code == 0 and done.stdout.startswith(". "), done.output
    assert call("generate", "--length", "5", "--preset", paths[0]).stdout.startswith("\n")


def test_generate_writes_several(paths: tuple[str, str]) -> None:
    preset, _ = paths
    done = call("generate", "--prompt", "A", "--length", "9", "--samples", "3", "--preset", preset, "--json")
    lines = done.stdout.splitlines()
    assert [len(json.loads(line)["text"]) for line in lines] == [9, 9, 9]


def test_score_has_exactly_this_form(paths: tuple[str, str], tmp_path: Path) -> None:
    preset, _ = paths
    (tmp_path / "mine.txt").write_text("The king falls.\n", encoding="utf-8")
    done = call("score", "--file", str(tmp_path / "mine.txt"), "--json", "--preset", preset)
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert list(values) == ["nats_per_character", "bits_per_character", "bits", "perplexity", "n"]
    assert values["n"] == 16
    assert json.loads(call("score", "The king falls.\\n", "--json", "--preset", preset).stdout) == values
    assert (
        json.loads(call("score", "--json", "--preset", preset, stdin=b"The king falls.\n").stdout) == values
    )
    tokens = json.loads(call("score", "The", "--json", "--each", "--preset", preset).stdout)["tokens"]
    assert [token["text"] for token in tokens] == ["T", "h", "e"]
    assert len(tokens[0]["alternatives"]) == 5
    table = call("score", "The", "--each", "--preset", preset).stdout.splitlines()
    assert table[0] == "position\ttoken\tnats\tlikeliest"
    assert len(table) == 1 + 3 + 1 + 5


def test_several_texts_are_named(paths: tuple[str, str], tmp_path: Path) -> None:
    preset, text = paths
    files = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for file in files:
        file.write_text("The king falls.\n", encoding="utf-8")
    given = [argument for file in files for argument in ("--file", str(file))]
    for verb, *more in (("score",), ("copies", "--text", text)):
        lines = call(verb, *given, "--preset", preset, *more, "--json").stdout.splitlines()
        assert [json.loads(line)["file"] for line in lines] == [str(file) for file in files]
        assert str(files[1]) in call(verb, *given, "--preset", preset, *more).stdout
    lines = call("score", "The king", "Not so.", "--preset", preset, "--json").stdout.splitlines()
    assert [(json.loads(line)["text"], json.loads(line)["n"]) for line in lines] == [(1, 8), (2, 7)]


def test_copies_names_passages_and_sources(paths: tuple[str, str]) -> None:
    preset, text = paths
    passage = made_play()[100:200]
    stdin = ("something new " + passage).encode()
    done = call("copies", "--json", "--preset", preset, "--text", text, stdin=stdin)
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert values["longest"] >= 100
    assert values["spans"][-1]["end"] == len(stdin)
    assert values["spans"][-1]["source"]["line"] >= 1
    table = call("copies", "--preset", preset, "--text", text, stdin=stdin)
    assert table.stdout.startswith("position\tcharacters\tfirst source\tplaces\tpassage\n")
    assert "held out" in table.stderr


def test_evaluate_has_exactly_this_form(paths: tuple[str, str]) -> None:
    preset, text = paths
    done = call("evaluate", "--json", "--preset", preset, "--text", text)
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert list(values) == ["nats_per_character", "bits_per_character", "n", "split"]
    assert values["split"] == "last_tenth"
    table = call("evaluate", "--preset", preset, "--text", text).stdout
    assert table.startswith("measure\tvalue\nnats per character\t")
    assert "would flatter it" in refused(
        "evaluate", "--split", "char_rnn", "--preset", preset, "--text", text
    )


def test_evaluate_takes_any_text(paths: tuple[str, str]) -> None:
    preset, text = paths
    stdin = "The king falls €.\n".encode()
    done = call("evaluate", "--file", "-", "--preset", preset, "--json", stdin=stdin)
    assert done.exit_code == 0, done.output
    values = json.loads(done.stdout)
    assert (values["n"], values["split"]) == (18, "all")
    assert "Read as unknown: 1 tokens" in done.stderr
    assert "--file excludes" in refused("evaluate", "--file", text, "--text", text, "--preset", preset)
    assert "no such file" in refused("evaluate", "--file", "nowhere", "--preset", preset)


def test_a_writer_is_trained_on_standard_input_and_files(tmp_path: Path) -> None:
    (tmp_path / "play.txt").write_text(made_play(40), encoding="utf-8")
    out = tmp_path / "mine"
    fit = (
        "fit",
        "--text",
        "-",
        "--text",
        str(tmp_path / "play.txt"),
        "--out",
        str(out),
        "--recipe",
        "sample",
    )
    small = ("--set", "epochs=1", "--set", "units=4", "--set", "batch_size=4", "--json")
    stdin = made_play(20, seed=6).encode()
    done = call(*fit, *small, stdin=stdin)
    assert done.exit_code == 0, done.output
    metadata = json.loads((out / "metadata.json").read_text())
    assert list(metadata["data"]) == ["standard input, play.txt"]
    assert "Standard input is empty" in refused("fit", "--text", "-", "--out", str(tmp_path / "x"), stdin=b"")
    assert {path.name for path in tmp_path.iterdir()} == {"play.txt", "mine"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("generate", "--prompt", ""), "The prompt is empty"),
        (("generate", "--prompt", "a€"), "'€' at 1"),
        (("generate", "--prompt", "a", "--length", "0"), "length"),
        (("generate", "--prompt", "a", "--length", "1000000"), "less than or equal to 100000"),
        (("generate", "--prompt", "a", "--temperature", "-1"), "temperature"),
        (("generate", "--prompt", "a", "--temperature", "nan"), "temperature"),
        (("generate", "--prompt", "a", "--top-k", "1000"), "top_k"),
        (("generate", "--prompt", "a", "--top-p", "1.5"), "top_p"),
        (("generate", "--prompt", "a", "--stop", ""), "stop"),
        (("generate", "--prompt", "a", "--samples", "0"), "samples does not fit"),
        (("score", ""), "empty"),
        (("score", "naïve"), "'ï' at 2"),
        (("score", "a", "--file", "b"), "exclude each other"),
        (("score", "--file", "there-is-no-such-file"), "no such file"),
        (("generate", "--length", "5", "--text", "there-is-no-such-file"), "no such file"),
        (("generate", "--length", "5", "--text", __file__), "not the text that the writer learned from"),
        (("copies", "a"), "Name it with --text"),
        (("copies", "a", "--text", "there-is-no-such-file"), "no such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_wrong_wishes_are_one_message(
    paths: tuple[str, str], arguments: tuple[str, ...], message: str
) -> None:
    assert message in refused(*arguments, "--preset", paths[0])


def test_shortest_passage_has_a_character(paths: tuple[str, str]) -> None:
    preset, text = paths
    assert "1 or more" in refused("copies", "a", "--k", "0", "--preset", preset, "--text", text)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a\0b", "NUL"), (b"caf\xe9", "UTF-8"), (b"", "empty"), (b"\x1f\x8bxx", "Compressed file ended")],
)
def test_files_that_are_no_text(paths: tuple[str, str], tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x").write_bytes(content)
    assert message in refused("score", "--file", str(tmp_path / "x"), "--preset", paths[0])
    assert message in refused("fit", "--text", str(tmp_path / "x"), "--out", str(tmp_path / "out"))


def test_mapped_characters_are_scored(paths: tuple[str, str]) -> None:
    done = call("score", "naïve", "--unknown", "map", "--json", "--preset", paths[0])
    assert json.loads(done.stdout)["n"] == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("generate", "--prompt", "a", "--preset", "writer_shakespear"), "no preset of this name"),
        (("evaluate", "--preset", "vectors_en_wiki"), "another kind"),
        (("fit", "--out", "x", "--set", "epochs=many"), "epochs"),
        (("fit", "--out", "x", "--cell", "elman"), "elman"),
        (("fit", "--out", "x", "--sample", "--text", "y"), "exclude each other"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(*arguments)


def test_a_text_too_short_to_learn_from_names_the_number_needed(tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("To be, or not to be.", encoding="utf-8")
    message = refused("fit", "--text", str(tmp_path / "short.txt"), "--out", str(tmp_path / "out"))
    assert "too short" in message and "tokens or more" in message


def test_control_characters_do_not_reach_the_terminal() -> None:
    from apps.writer.commands import _printable

    assert _printable("a\x1b[31mb\n") == "a\\x1b[31mb\n"
