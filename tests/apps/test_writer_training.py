"""From a text to the preset of a writer."""

from __future__ import annotations

import io
import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from apps.writer.preset import metrics_of, validation_score
from apps.writer.recipe import SAMPLE_RECIPE, WriterRecipe
from apps.writer.sources import file_source, sample_source
from apps.writer.task import compiled_writer, config_of, fit_writer, train, window_data
from data_prep.errors import InputError
from data_prep.text.streams import StreamWindows, learn_tokens, split_text
from models.char_lm.language_model import WRITER_PRESET, load_language_model
from models.layers.recurrent import FreshState
from models.presets.search import list_presets
from models.presets.store import load_preset
from models.storage.variables import copy_values
from models.training.fit import fit

ROOT = Path(__file__).resolve().parents[2]
LINE = "ROMEO:\nBut soft, what light through yonder window breaks?\n\nJULIET:\nAy me!\n\n"
SMALL = replace(SAMPLE_RECIPE, units=8, batch_size=4, length=16, epochs=1)
TINY = [
    "layers=1",
    "members=1",
    "units=16",
    "embedding=8",
    "batch_size=4",
    "length=16",
    "epochs=2",
    "averaging=0.9",
]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "play.txt"
    path.write_text(LINE * 30, encoding="utf-8")
    return path


def test_a_text_becomes_a_preset_that_scores_as_it_says(tmp_path: Path, text: Path, capsys) -> None:
    out = tmp_path / "mine"
    summary = fit_writer(out, [*TINY, "learning_rate=0.02"], text=text, cell="gru")
    assert (summary["epochs"], summary["split"], summary["n"]) == (2, "last_tenth", math.ceil(len(LINE) * 3))
    assert not (tmp_path / "mine.run").exists()
    metrics = json.loads((out / "metrics.json").read_text())
    measure = metrics["nats_per_character"]
    held_out = split_text(LINE * 30).validation[0]
    model = load_language_model(out)
    assert model.config.cell == "gru"
    scores = model.score(held_out)
    assert measure["n"] == scores.n == len(held_out)
    assert scores.nats.mean() == pytest.approx(measure["score"], abs=1e-4)
    assert metrics["bits_per_character"]["score"] == pytest.approx(measure["score"] / math.log(2))
    assert measure["score"] < math.log(len(model.vocabulary)), "it has learned something"
    assert "play.txt" in measure["protocol"] and "last 10 %" in measure["protocol"]
    said = capsys.readouterr().err
    assert '"cell": "gru"' in said, "the recipe is printed"
    assert said.count("epoch 1/2") and "loss" in said


def test_learns_more_with_every_epoch(tmp_path: Path, text: Path) -> None:
    recipe = replace(
        SAMPLE_RECIPE,
        units=48,
        batch_size=4,
        length=32,
        epochs=6,
        split="slice",
        learning_rate=0.02,
        averaging=0.8,
    )
    trained = train(recipe, file_source(text), tmp_path / "run", show_samples=False)
    losses = [line["dev_nats"] for line in trained.result.history]
    assert losses[-1] < losses[0] - 0.5
    score, error, count = validation_score(trained.language_model, trained.parts)
    assert score == pytest.approx(losses[-1], abs=1e-6)
    assert 0 < error < score and count == trained.parts.validation_characters


def test_members_are_trained_apart_and_answer_together(tmp_path: Path, text: Path) -> None:
    recipe = replace(SMALL, members=2, epochs=1)
    trained = train(recipe, file_source(text), tmp_path / "run", show_samples=False)
    assert [line["member"] for line in trained.result.history] == [1, 2] and trained.result.epochs == 2
    assert trained.language_model.config.members == 2
    for number in (0, 1):
        alone = replace(SMALL, epochs=1, seed=SMALL.seed + number)
        single = train(alone, file_source(text), tmp_path / f"alone{number}", show_samples=False)
        found = trained.arrays[
            "recurrent1/lstm_cell/kernel" if number == 0 else "recurrent2/lstm_cell/kernel"
        ]
        np.testing.assert_array_equal(found, single.arrays["recurrent1/lstm_cell/kernel"])
    again = train(recipe, file_source(text), tmp_path / "run", resume=True, show_samples=False)
    np.testing.assert_array_equal(again.arrays["logits/kernel"], trained.arrays["logits/kernel"])


def test_calibration_divides_the_logits_and_trains_nothing(tmp_path: Path, text: Path) -> None:
    source, recipe = file_source(text), replace(SMALL, calibration=1.0)
    plain = train(recipe, source, tmp_path / "run", show_samples=False)
    soft = train(replace(recipe, calibration=2.0), source, tmp_path / "run", resume=True, show_samples=False)
    assert plain.result.history == soft.result.history
    ids = plain.language_model.encode("ROMEO")
    logits, halves = (found.language_model.logits(ids)[0] for found in (plain, soft))
    np.testing.assert_allclose(halves, logits / 2.0, atol=1e-3)  # weights are stored in halves


def test_nothing_is_scored_before_the_end(tmp_path: Path, text: Path) -> None:
    trained = train(SMALL, file_source(text), tmp_path / "run", show_samples=False)
    assert "dev_nats" not in trained.result.history[0]


@pytest.mark.parametrize("tokens", ["word", "piece"])
def test_words_and_pieces_are_trained_by_the_same_code(tmp_path: Path, text: Path, tokens: str) -> None:
    recipe = replace(SMALL, tokens=tokens, vocabulary_size=120 if tokens == "piece" else None)
    source = file_source(text)
    trained = train(recipe, source, tmp_path / "run", show_samples=False)
    assert trained.language_model.config.tokenizer == tokens
    measure = metrics_of(trained, source, recipe)["nats_per_character"]
    assert measure["n"] == len(split_text(LINE * 30).validation[0]), "counted in characters"
    assert f"read as {tokens}s" in measure["protocol"]
    nats = trained.language_model.score(trained.parts.validation[0], unknown="map").nats
    assert measure["score"] == pytest.approx(nats.sum() / measure["n"])


def test_a_text_too_short_names_the_number_needed(tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("ab" * 300, encoding="utf-8")
    with pytest.raises(
        InputError, match=r"too short.*16 rows of 64 tokens.*1,025 tokens.*1,140 characters"
    ) as caught:
        fit_writer(tmp_path / "out", ["batch_size=16", "length=64"], text=path)
    assert not (tmp_path / "out.run").exists(), "nothing is left behind"
    needed = 1_140
    path.write_text("ab" * (needed // 2), encoding="utf-8")
    assert "1,140" in str(caught.value)
    source = file_source(path)
    tokens = learn_tokens(split_text(source.text).train)
    assert len(StreamWindows(tokens.encode_all(split_text(source.text).train), 16, 64)) == 1


def test_one_character_less_is_too_short(tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("a" * 1138, encoding="utf-8")
    with pytest.raises(InputError, match="too short"):
        fit_writer(tmp_path / "out", ["batch_size=16", "length=64"], text=path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\x00\x01\x02" * 400, "NUL"), (b"", "is empty"), (b"ab\xff" * 400, "not UTF-8")],
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        fit_writer(tmp_path / "out", TINY, text=path)
    assert not (tmp_path / "out.run").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        fit_writer(tmp_path / "out", TINY, text=tmp_path / "nowhere.txt")


def test_a_text_and_the_sample_exclude_each_other(tmp_path: Path, text: Path) -> None:
    with pytest.raises(InputError, match="exclude each other"):
        fit_writer(tmp_path / "out", text=text, sample=True)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, text: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        fit_writer(tmp_path, TINY, text=text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"overrides": ["unit=3"]}, "'unit' is unknown"),
        ({"cell": "transformer"}, "'cell' does not fit"),
        ({"tokens": "byte"}, "'tokens' does not fit"),
        ({"overrides": ["layers=4"]}, "number of recurrent layers"),
        ({"overrides": ["cell=gru", "weight_dropout=0.1"]}, "Only an LSTM"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, text: Path, changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_writer(tmp_path / "out", text=text, **{"overrides": TINY, **changes})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"length": 0}, "length must be at least 1"),
        ({"averaging": 1.0}, "averaging must be from 0 to below 1"),
        ({"final_rate": 1.0}, "final_rate must be from 0 to below 1"),
        ({"learning_rate": 0.0}, "learning_rate must lie"),
        ({"clip": 0.0}, "clip must be above 0"),
        ({"warmup": -1}, "are not negative"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(change, message) -> None:
    with pytest.raises(InputError, match=message):
        replace(WriterRecipe(), **change)


def test_the_learning_rate_rises_and_falls() -> None:
    recipe = replace(SAMPLE_RECIPE, units=4, warmup=10, learning_rate=0.01, final_rate=0.1)
    tokens = learn_tokens([LINE])
    model = compiled_writer(recipe, config_of(recipe, tokens), 110)
    rates = [float(model.optimizer._learning_rate(step)) for step in range(111)]
    assert max(rates) == pytest.approx(0.01, rel=1e-3) and 9 <= int(np.argmax(rates)) <= 10
    assert rates[0] < 0.003 and rates[-1] == pytest.approx(0.001, rel=1e-2)
    assert model.optimizer.global_clipnorm == recipe.clip


def test_the_state_is_carried_through_an_epoch_and_fresh_in_the_next(tmp_path: Path, text: Path) -> None:
    before: list[float] = []  # of every window, the size of the state

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None) -> None:
            if batch < len(windows):  # Keras begins one more to find the end of the data
                (state, _) = copy_values(self.model.get_layer("recurrent1").states)
                before.append(float(np.abs(state).sum()))

    tokens = learn_tokens([LINE * 5])
    windows = StreamWindows(tokens.encode(LINE * 5), SMALL.batch_size, SMALL.length)
    model = compiled_writer(SMALL, config_of(SMALL, tokens), 10)
    fit(
        model,
        lambda epoch: window_data(windows, epoch),
        epochs=2,
        run_dir=tmp_path / "run",
        seed=1,
        recipe=SMALL,
        keep_best=False,
        callbacks=[FreshState(), Watch()],
        progress=False,
        stream=io.StringIO(),
    )
    assert len(before) == 2 * len(windows)
    for epoch in (before[: len(windows)], before[len(windows) :]):
        assert epoch[0] == 0.0
        assert min(epoch[1:]) > 0.0


def test_the_sample_needs_no_data() -> None:
    source = sample_source()
    assert len(source.text) > 300_000
    assert all(value.startswith("sha256 ") for value in source.checksums.values())
    recipe = SAMPLE_RECIPE
    tokens = learn_tokens(split_text(source.text).train)
    assert (
        len(StreamWindows(tokens.encode(split_text(source.text).train[0]), recipe.batch_size, recipe.length))
        > 100
    )


def test_weights_are_stored_in_halves_and_scored_as_stored(tmp_path: Path, text: Path) -> None:
    trained = train(SMALL, file_source(text), tmp_path / "run", show_samples=False)
    kernel = trained.language_model.kernel
    np.testing.assert_array_equal(kernel, kernel.astype(np.float16).astype(np.float32))


KILLED = """
import os, signal, sys
from pathlib import Path
import keras
import models.layers.recurrent
from apps.writer.task import fit_writer

class Dying(models.layers.recurrent.FreshState):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[3] != "0":
    models.layers.recurrent.FreshState = Dying
fit_writer(Path(sys.argv[1]), sys.argv[4:], text=Path(sys.argv[2]), resume=sys.argv[3] == "0")
"""


def run(out: Path, text: Path, kill_at: int, overrides: list[str]) -> int:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(out), str(text), str(kill_at), *overrides],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return done.returncode


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_weights(tmp_path: Path, text: Path) -> None:
    overrides = [*TINY, "epochs=3", "dropout=0.3", "token_dropout=0.1", "weight_dropout=0.2"]
    steps = (int(0.9 * len(LINE) * 30) - 1) // 64
    assert run(tmp_path / "killed", text, steps + steps // 2, overrides) == -signal.SIGKILL
    assert (tmp_path / "killed.run").exists() and not (tmp_path / "killed").exists()
    assert run(tmp_path / "killed", text, 0, overrides) == 0
    assert run(tmp_path / "whole", text, 0, overrides) == 0
    one, two = (np.load(tmp_path / name / "weights.npz") for name in ("killed", "whole"))
    for name in two.files:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


@pytest.mark.slow
@pytest.mark.realdata
def test_the_shipped_writer_scores_as_its_metrics_say(data_dir: Path) -> None:
    if WRITER_PRESET not in list_presets():
        pytest.skip(f"there is no preset {WRITER_PRESET}")
    text = (data_dir / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    scores = load_language_model(WRITER_PRESET).score(text[int(0.9 * len(text)) :])
    metrics = load_preset(WRITER_PRESET).metrics["nats_per_character"]
    assert metrics["n"] == scores.n == 111_540
    assert scores.nats.mean() == pytest.approx(metrics["score"], abs=1e-4)
    assert metrics["score"] <= 1.45
