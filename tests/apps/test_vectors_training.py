from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from apps.__main__ import app
from apps.vectors.application import Vectors
from data_prep.errors import InputError
from data_prep.text.embeddings import WordVectors
from data_prep.text.spelling import with_spelling
from models.presets.store import load_preset
from models.training import driver
from models.word2vec.training import VectorsRecipe, fitted_to

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--set", "dimensions=8", "--set", "min_count=2", "--set", "blocks=4", "--set", "block_length=128"]


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    """Two topics whose words never meet: their vectors must fall into two groups."""
    rng = np.random.default_rng(0)
    topics = [[f"{topic}{i}" for i in "abcdefgh"] for topic in ("sea", "sky")]
    lines = [" ".join(rng.choice(topics[line % 2], 12)) for line in range(3000)]
    file = tmp_path_factory.mktemp("text") / "topics.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def fit(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["vectors", "fit", *map(str, arguments)])


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "apps", "vectors", "fit", *map(str, arguments)]


@pytest.mark.usefixtures("in_a_fresh_process")
def test_one_command_from_text_to_a_preset_that_tells_topics_apart(text, tmp_path):
    out = tmp_path / "vectors"
    done = fit(
        "--text", text, "--out", out, *SMALL, "--set", "output_words=10", "--set", "sample=0", "--json"
    )
    assert done.exit_code == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (
        summary["words"] == 16 and summary["tokens"] == 36_000 - 12 * 30
    )  # every hundredth line is held out
    vectors = Vectors.from_preset(out)
    assert {n.word[:3] for n in vectors.neighbours("seaa", topn=7)} == {"sea"}
    assert {n.word[:3] for n in vectors.neighbours("skyb", topn=7)} == {"sky"}
    preset = load_preset(out)
    losses = [line["held_out_loss"] for line in preset.metadata["history"]]
    assert len(losses) == 5 and losses[-1] < losses[0]
    assert preset.metadata["recipe"]["learning_rate"] == 0.025  # settled, not "none"
    assert len(load_preset(tmp_path / "vectors_output").vocabulary) == 10
    assert not (tmp_path / "vectors.run").exists()


class Killed(BaseException):
    pass


def test_a_training_that_was_killed_between_its_presets_goes_on(text, tmp_path, monkeypatch):
    settings = [
        *SMALL,
        "--set",
        "output_words=10",
        "--set",
        "epochs=1",
        "--text",
        text,
        "--out",
        tmp_path / "out",
    ]
    save = driver._save

    def killed_at_the_second(task, folder, *rest):
        if folder.name == "out_output":
            raise Killed
        save(task, folder, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(driver, "_save", killed_at_the_second)
        with pytest.raises(Killed):
            fit(*settings)
    assert (tmp_path / "out" / "metadata.json").is_file() and (tmp_path / "out.run").is_dir()
    before = (tmp_path / "out" / "weights.npz").read_bytes()
    refused = fit(*settings)
    assert refused.exit_code == 2 and "exists already" in refused.stderr
    done = fit(*settings, "--resume")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "out" / "weights.npz").read_bytes() == before
    assert len(load_preset(tmp_path / "out_output").vocabulary) == 10
    assert not (tmp_path / "out.run").exists()
    refused = fit(*settings, "--resume")  # all is written: there is nothing to go on with
    assert refused.exit_code == 2 and "exists already" in refused.stderr


def test_what_stands_in_the_place_of_a_preset_beside_is_kept(text, tmp_path):
    (tmp_path / "out_output").mkdir()
    (tmp_path / "out_output" / "mine.txt").write_text("mine")
    refused = fit("--text", text, "--set", "output_words=10", "--out", tmp_path / "out")
    assert refused.exit_code == 2 and "out_output exists already" in refused.stderr
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.run").exists()


def test_spelling_is_mixed_in_and_the_matrix_as_trained_is_kept_beside(text, tmp_path):
    chosen = ("epochs=1", "spelling=0.5", "output_words=16", "storage=float32")
    done = fit(
        "--text", text, "--out", tmp_path / "vectors", *SMALL, *chain(*(("--set", one) for one in chosen))
    )
    assert done.exit_code == 0, done.stderr
    trained = Vectors.from_preset(tmp_path / "vectors_input").word_vectors
    mixed = Vectors.from_preset(tmp_path / "vectors").word_vectors
    assert not np.allclose(mixed.normalized, trained.normalized, atol=0.01)
    again = with_spelling(WordVectors(trained.keys, trained.vectors, mixed.counts), 0.5)
    np.testing.assert_allclose(mixed.vectors, again.vectors, atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        ["architecture=cbow"],
        ["architecture=cbow", "combine=sum", "tied=true", "loss=full_softmax", "learning_rate=0.001"],
        ["loss=hierarchical_softmax"],
    ],
)
def test_other_models_train_with_the_same_command(text, tmp_path, changes):
    settings = [part for change in changes for part in ("--set", change)]
    done = fit("--text", text, "--out", tmp_path / "out", *SMALL, *settings, "--set", "epochs=2")
    assert done.exit_code == 0, done.stderr
    history = load_preset(tmp_path / "out").metadata["history"]
    assert history[1]["held_out_loss"] < history[0]["held_out_loss"]


@pytest.mark.slow
def test_killed_run_goes_on_to_the_same_bits(text, tmp_path):
    settings = [*SMALL, "--set", "epochs=4", "--set", "storage=float32"]
    whole = fit("--text", text, "--out", tmp_path / "whole", *settings)
    assert whole.exit_code == 0, whole.stderr
    arguments = ["--text", text, "--out", tmp_path / "killed", *settings]
    process = subprocess.Popen(
        command(*arguments), cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    metrics = tmp_path / "killed.run" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if metrics.exists() and len(metrics.read_text().splitlines()) >= 2:
            break
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it ended before it could be killed"
    assert not (tmp_path / "killed").exists()
    again = fit(*arguments)
    assert again.exit_code == 2 and "--resume" in again.stderr
    resumed = fit(*arguments, "--resume")
    assert resumed.exit_code == 0, resumed.stderr
    assert "Going on after epoch" in resumed.stderr
    one, other = (load_preset(tmp_path / name).arrays["vectors"] for name in ("whole", "killed"))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"text\0with NUL " * 50, "NUL"),
        (b"caf\xe9 " * 50, "UTF-8"),
        (b"one " * 500, "vocabulary of 1 words"),
        (b"every word here comes only once", "vocabulary of 0 words"),
    ],
)
def test_wrong_text_gets_one_message_and_leaves_no_preset(tmp_path, content, message):
    file = tmp_path / "bad.txt"
    file.write_bytes(content)
    done = fit("--text", file, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.run").exists()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs=0", "epochs does not fit"),
        ("dimension=5", "dimensions"),
        ("window=many", "window"),
        ("learning_rate=2.0", "less than 1"),
        ("negative_sets=100", "must divide"),
    ],
)
def test_wrong_setting_gets_one_message(text, tmp_path, setting, message):
    done = fit("--text", text, "--out", tmp_path / "out", "--set", setting)
    assert done.exit_code == 2
    assert message in done.stderr.splitlines()[-1]
    assert not (tmp_path / "out.run").exists()


def test_missing_text(tmp_path):
    done = fit("--text", tmp_path / "nowhere", "--out", tmp_path / "out")
    assert done.exit_code == 2 and "nowhere" in done.stderr.splitlines()[-1]


def test_nothing_that_is_there_is_overwritten(text, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    done = fit("--text", text, "--out", tmp_path / "mine")
    assert done.exit_code == 2 and "exists already" in done.stderr
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "words"


def test_folder_that_cannot_be_written(text, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    done = fit("--text", text, "--out", tmp_path / "file" / "out")
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr


def test_batches_shrink_for_a_small_text_only():
    class Corpus:
        vocabulary = range(100)

        def __init__(self, tokens: int) -> None:
            self.ids = range(tokens)

    recipe = VectorsRecipe().settled()
    assert fitted_to(recipe, Corpus(30_000_000)) == recipe
    small = fitted_to(recipe, Corpus(5_000))
    assert small.blocks == small.threads and small.block_length < recipe.block_length
    assert small.block_length % small.negative_sets == 0


def test_recipe_says_what_is_usual_for_each_architecture():
    assert VectorsRecipe().settled().sample == 1e-4
    assert VectorsRecipe(architecture="cbow").settled().learning_rate == 0.05
    assert VectorsRecipe(sample=0.0).settled().sample == 0.0


def test_kept_words_need_two():
    with pytest.raises(InputError, match="kept_words does not fit"):
        VectorsRecipe(kept_words=1)
