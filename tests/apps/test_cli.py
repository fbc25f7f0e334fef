from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("tensorflow", "keras", "gensim", "pandas", "scipy", "sklearn", "streamlit")


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "apps", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, **options
    )


@pytest.mark.parametrize("arguments", [("--help",), ("vectors", "--help"), ("vectors", "fit", "--help")])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    program = (
        "import sys, runpy\n"
        f"sys.argv = ['apps', *{arguments!r}]\n"
        "try:\n"
        "    runpy.run_module('apps', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert end.code in (0, None), end.code\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: python -m apps" in done.stdout
    assert "HEAVY []" in done.stdout


def test_without_a_verb_the_help_is_shown() -> None:
    done = run("vectors")
    assert done.returncode == 2
    assert "evaluate" in done.stdout + done.stderr


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
    assert done.returncode == 2
    assert message in done.stderr and done.stdout == ""


def test_a_defect_is_not_hidden() -> None:
    # An error that is no InputError keeps its traceback and is not exit code 2.
    program = (
        "import apps.vectors.application, sys\n"
        "def broken(*a): raise RuntimeError('defect')\n"
        "apps.vectors.application.Vectors.from_preset = broken\n"
        "sys.argv = ['apps', 'vectors', 'neighbours', 'paris']\n"
        "from apps.__main__ import run\nrun()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "RuntimeError: defect" in done.stderr


def test_a_terminal_without_the_characters_shows_escapes() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = run("vectors", "neighbours", "é", "--vectors", "missing-ü.npz", env=environment)
    assert done.returncode == 2
    assert r"missing-\xfc.npz" in done.stderr
