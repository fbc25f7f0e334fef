"""What every command keeps: help without anything heavy, the same options in one order, wrong use told with code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from apps.__main__ import app
from apps.shared.commands import print_table

ROOT = Path(__file__).resolve().parents[2]
TRAINED = ("vectors", "tagger", "writer", "digits", "ocr", "reviews")
TAUGHT = [(name, "fit") for name in ("digits", "tagger", "writer", "ocr", "reviews")]  # by --teacher
SEVERAL = ("--processes", "--coordinator", "--process", "--of", "--deadline")
FIT_ENDS_WITH = ("--recipe", "--set", "--from", "--resume", "--tensorboard", *SEVERAL, "--json")


def commands(group: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command under a group, with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))
FITS = [path for path in COMMANDS if path[-1].startswith("fit")]
EVALUATIONS = [path for path in COMMANDS if path[-1].startswith("evaluate")]


def options(path: tuple[str, ...]) -> list[str]:
    return [name for parameter in COMMANDS[path].params for name in parameter.opts]


def run(*arguments: str):
    return CliRunner().invoke(app, arguments, prog_name="python -m apps")


def in_a_process(*arguments: str, **settings) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, **settings
    )


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    done = run(*path, "--help")
    assert done.exit_code == 0
    assert f"Usage: python -m apps {' '.join(path)}" in done.stdout
    assert all(parameter.help for parameter in COMMANDS[path].params if parameter.param_type_name == "option")


@pytest.mark.parametrize("name", TRAINED)
def test_every_model_can_be_trained_and_scored(name: str) -> None:
    assert {(name, "fit"), (name, "evaluate")} <= COMMANDS.keys()


@pytest.mark.parametrize("path", FITS, ids=" ".join)
def test_trainings_have_the_same_options_in_one_order(path: tuple[str, ...]) -> None:
    found = options(path)
    assert found[0] == "--out"
    ends_with = list(FIT_ENDS_WITH)
    if path in TAUGHT:
        ends_with.insert(ends_with.index("--resume"), "--teacher")
    assert found[-len(ends_with) :] == ends_with
    assert "--sample" in found


@pytest.mark.parametrize("path", [path for path in COMMANDS if "--json" in options(path)], ids=" ".join)
def test_json_is_the_last_option(path: tuple[str, ...]) -> None:
    assert options(path)[-1] == "--json"


@pytest.mark.parametrize("path", FITS, ids=" ".join)
def test_an_unknown_setting_is_told_and_nothing_is_written(path: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*path, "--sample", "--out", str(tmp_path / "new"), "--set", "nonsense=1")
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ") and "nonsense" in done.stderr and done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", EVALUATIONS, ids=" ".join)
def test_a_preset_that_is_not_there_is_told(path: tuple[str, ...], tmp_path: Path) -> None:
    option = next(name for name in options(path) if name.endswith("preset"))
    done = run(*path, option, str(tmp_path / "nowhere"))
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ") and "nowhere" in done.stderr and done.stdout == ""


def test_without_a_verb_the_help_is_shown() -> None:
    done = run("vectors")
    assert done.exit_code == 2
    assert "evaluate" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing",), "No such command"),
        (("vectors", "nothing"), "No such command"),
        (("vectors", "analogy"), "Missing argument"),
        (("vectors", "analogy", "a", "--topn", "many"), "--topn"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_message_on_stderr(arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr and done.stdout == ""


def test_a_process_ends_with_2_and_a_message_on_stderr() -> None:
    done = in_a_process("-m", "apps", "vectors", "analogy", "a", "--topn", "many")
    assert done.returncode == 2
    assert "--topn" in done.stderr and done.stdout == ""


def test_names_of_files_do_not_steer_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "\x1b[2J\x9bgone\nError: x.png"
    for arguments in (
        ("digits", "classify", name),
        ("tagger", "tag", "--file", name),
        ("reviews", "classify", "--file", name, "--file", name),
    ):
        done = run(*arguments)
        assert done.exit_code == 2
        assert not set("\x1b\x9b") & set(done.stderr) and r"\x1b[2J\x9bgone\nError: x.png" in done.stderr
        assert all(line.startswith("Error: ") for line in done.stderr.splitlines())


def test_cells_of_tables_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("a\tb",), [["one\ttwo\n\x1b[2J"]])
    assert capsys.readouterr().out == "a\tb\none\\ttwo\\n\\x1b[2J\n"


def test_a_defect_is_not_hidden() -> None:
    # An error that is no InputError keeps its traceback and is not exit code 2.
    program = (
        "import apps.vectors.application, sys\n"
        "def broken(*a): raise RuntimeError('defect')\n"
        "apps.vectors.application.Vectors.from_preset = broken\n"
        "sys.argv = ['apps', 'vectors', 'neighbours', 'paris']\n"
        "from apps.__main__ import run\nrun()\n"
    )
    done = in_a_process("-c", program)
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "RuntimeError: defect" in done.stderr


def test_a_terminal_without_the_characters_shows_escapes() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = in_a_process(
        "-m", "apps", "vectors", "neighbours", "é", "--vectors", "missing-ü.npz", env=environment
    )
    assert done.returncode == 2
    assert r"missing-\xfc.npz" in done.stderr
