from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.word2vec_vs_gensim import write_tokens
from data_prep.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


def test_token_files_hold_the_first_tokens_and_those_after_them(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("One two three.\nFour five!\nsix seven\n")
    assert write_tokens(text, 4, tmp_path) == 4
    assert (tmp_path / "train.txt").read_text().split("\n") == ["one two three", "four", ""]
    assert (tmp_path / "held_out.txt").read_text().split() == ["five", "six", "seven"]


def test_text_that_is_too_short_is_refused(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("only three words")
    with pytest.raises(InputError, match="too short"):
        write_tokens(text, 4, tmp_path)


def test_both_systems_are_trained_and_scored_on_the_same_vocabulary(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(
        "\n".join("the man and the king of france the woman and the queen of spain" for _ in range(400))
    )
    command = [sys.executable, "-m", "benchmarks.word2vec_vs_gensim", "--json", "--text", str(text)]
    command += ["--tokens", "5000", "--epochs", "2", "--architectures", "skipgram"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    ours, gensims = results["skipgram"]["ours"], results["skipgram"]["gensim"]
    assert ours["vocabulary"] == gensims["vocabulary"] == 9
    assert results["skipgram"]["speed_ratio"] == ours["words_per_second"] / gensims["words_per_second"]
    assert len(ours["curve"]) == len(gensims["curve"]) == 2
    assert results["settings"]["tokens"] == 5000
    assert all(point["loss"] > 0 for point in ours["curve"])


def test_every_command_is_listed() -> None:
    command = [sys.executable, "-m", "benchmarks"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "python -m benchmarks.peers\tAccuracy beside" in listed
    assert "harness" not in listed
