"""From a text to the preset of a writer."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import pytest

from apps.writer.application import DEFAULT_PRESET, Writer
from apps.writer.evaluation import scored
from apps.writer.recipes import RECIPES, WriterRecipe
from apps.writer.sources import sample_source, text_source
from apps.writer.task import WriterTask, compiled_writer, prepared
from data_prep.errors import InputError
from data_prep.text.streams import StreamWindows, learn_tokens, split_text
from models.char_lm.config import CharLMConfig, member_arrays
from models.layers.recurrent import FreshState
from models.presets.search import list_presets
from models.presets.store import load_preset
from models.storage.variables import copy_values
from models.training.driver import Trained, fit_task, train
from models.training.fit import fit
from models.training.task import Run, Stage
from tests.apps.writer_preset import save_writer
from tests.repeated import slow_but

ROOT = Path(__file__).resolve().parents[2]
LINE = "ROMEO:\nBut soft, what light through yonder window breaks?\n\nJULIET:\nAy me!\n\n"
TASK = WriterTask()
SAMPLE = RECIPES["sample"]
SMALL = replace(SAMPLE, units=8, batch_size=4, length=16, epochs=1)
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


def trained_in(folder: Path, recipe: WriterRecipe, text: Path, resume: bool = False) -> Trained:
    return train(TASK, recipe, prepared(recipe, text_source([text])), Run(folder, resume))


def fitted(out: Path, text: Path, overrides: list[str], **options: str) -> dict:
    return fit_task(TASK, out, options={"text": [text], **options}, overrides=overrides)


class Small(NamedTuple):
    """A training of ``SMALL`` with the seed of a second member."""

    run: Path
    text: Path
    recipe: WriterRecipe
    trained: Trained


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("small")
    text, recipe = folder / "play.txt", replace(SMALL, calibration=1.0, seed=SMALL.seed + 1)
    text.write_text(LINE * 30, encoding="utf-8")
    return Small(folder / "run", text, recipe, trained_in(folder / "run", recipe, text))


@pytest.mark.usefixtures("in_a_fresh_process")
def test_a_text_becomes_a_preset_that_scores_as_it_says(tmp_path: Path, text: Path, capsys) -> None:
    out = tmp_path / "mine"
    summary = fitted(out, text, [*TINY, "learning_rate=0.02"], cell="gru")
    assert (summary["epochs"], summary["split"], summary["n"]) == (2, "last_tenth", math.ceil(len(LINE) * 3))
    assert not (tmp_path / "mine.run").exists()
    metrics = json.loads((out / "metrics.json").read_text())
    measure = metrics["nats_per_character"]
    held_out = split_text(LINE * 30).validation[0]
    model = Writer.from_preset(out).language_model
    assert model.config.cell == "gru"
    scores = model.score(held_out)
    assert measure["n"] == len(scores.nats) == len(held_out)
    assert scores.nats.mean() == pytest.approx(measure["score"], abs=1e-4)
    assert metrics["bits_per_character"]["score"] == pytest.approx(measure["score"] / math.log(2))
    assert measure["score"] < math.log(len(model.vocabulary)), "it has learned something"
    assert "play.txt" in measure["protocol"] and "last 10 %" in measure["protocol"]
    said = capsys.readouterr().err
    assert '"cell": "gru"' in said, "the recipe is printed"
    assert said.count("epoch 1/2") and "loss" in said


def test_learns_more_with_every_epoch(tmp_path: Path, text: Path) -> None:
    recipe = replace(
        SAMPLE,
        units=48,
        batch_size=4,
        length=32,
        epochs=6,
        split="slice",
        learning_rate=0.02,
        averaging=0.8,
    )
    trained = trained_in(tmp_path / "run", recipe, text)
    losses = [line["dev_nats"] for line in trained.history]
    assert losses[-1] < losses[0] - 0.5
    validation = split_text(LINE * 30, "slice").validation
    found = scored(trained.answers.language_model, validation, "slice", "the text")
    assert found.nats_per_character == pytest.approx(losses[-1], abs=1e-6)
    assert 0 < found.standard_error < found.nats_per_character and found.n == len(validation[0])


@pytest.mark.parametrize("number", slow_but([1], [0, 1]))
def test_members_are_trained_apart_and_answer_together(
    tmp_path: Path, text: Path, small: Small, number: int
) -> None:
    recipe = replace(SMALL, members=2, epochs=1)
    trained = trained_in(tmp_path / "run", recipe, text)
    assert [line["stage"] for line in trained.history] == ["member1", "member2"] and trained.epochs == 2
    assert trained.answers.config.members == 2
    assert small.recipe.seed == recipe.seed + 1
    single = small.trained if number else trained_in(tmp_path / "alone", SMALL, text)
    found = trained.answers.arrays[f"recurrent{number + 1}/lstm_cell/kernel"]
    np.testing.assert_array_equal(found, single.answers.arrays["recurrent1/lstm_cell/kernel"])
    alone = member_arrays(trained.answers.config, trained.answers.arrays, number + 1)
    # Halves of the smallest numbers are rounded once more when weights are stored in 16 bits.
    np.testing.assert_allclose(alone["logits/kernel"], single.answers.arrays["logits/kernel"], atol=1e-7)


@pytest.mark.slow
def test_a_training_that_was_cut_in_its_second_member_ends_at_the_same_bits(
    tmp_path: Path, text: Path, stopped_after
) -> None:
    recipe = replace(SMALL, members=2, epochs=2, dropout=0.3, weight_dropout=0.2)
    whole = trained_in(tmp_path / "whole", recipe, text).answers
    with stopped_after(3):
        trained_in(tmp_path / "cut", recipe, text)
    resumed = trained_in(tmp_path / "cut", recipe, text, resume=True)
    assert [line["epoch"] for line in resumed.history] == [1, 2, 1, 2]
    for name, array in resumed.answers.arrays.items():
        np.testing.assert_array_equal(array, whole.arrays[name], err_msg=name)


def test_calibration_divides_the_logits_and_trains_nothing(small: Small) -> None:
    plain = small.trained
    soft = trained_in(small.run, replace(small.recipe, calibration=2.0), small.text, resume=True)
    assert plain.history == soft.history
    models = [found.answers.language_model for found in (plain, soft)]
    logits, halves = (model.logits(model.encode("ROMEO"))[0] for model in models)
    np.testing.assert_allclose(halves, logits / 2.0, atol=1e-3)  # weights are stored in halves


def test_nothing_is_scored_before_the_end(small: Small) -> None:
    assert "dev_nats" not in small.trained.history[0]


@pytest.mark.parametrize("tokens", slow_but(["piece"], ["word", "piece"]))
def test_words_and_pieces_are_trained_by_the_same_code(tmp_path: Path, text: Path, tokens: str) -> None:
    recipe = replace(SMALL, tokens=tokens, vocabulary_size=120 if tokens == "piece" else None)
    data = prepared(recipe, text_source([text]))
    trained = train(TASK, recipe, data, Run(tmp_path / "run"))
    model = trained.answers.language_model
    assert model.config.tokenizer == tokens
    measure = TASK.score(recipe, data, trained.answers)["nats_per_character"]
    assert measure["n"] == len(split_text(LINE * 30).validation[0]), "counted in characters"
    assert f"read as {tokens}s" in measure["protocol"]
    nats = model.score(data.parts.validation[0], unknown="map").nats
    assert measure["score"] == pytest.approx(nats.sum() / measure["n"])


def started(tmp_path: Path, text: Path, start: Path, *overrides: str) -> Path:
    """A writer that starts from a preset and hardly learns."""
    still = ["learning_rate=1e-12", "epochs=1", "batch_size=4", "length=16", "calibration=1", "averaging=0"]
    no_dropout = ["dropout=0", "input_dropout=0", "token_dropout=0"]
    settings = [*still, "layers=1", "units=12", "embedding=6", "weight_dropout=0", *no_dropout, *overrides]
    out = tmp_path / "started"
    fit_task(TASK, out, options={"text": [text]}, overrides=settings, start=start)
    return out


@pytest.mark.parametrize("members", slow_but([2], [1, 2]))
def test_every_member_starts_from_that_of_its_number(
    tmp_path: Path, text: Path, members: int, capsys: pytest.CaptureFixture[str]
) -> None:
    start = save_writer(tmp_path / "tiny", text, layers=1, members=members)
    new = tmp_path / "new.txt"
    new.write_text((LINE + "€") * 20, encoding="utf-8")
    out = started(tmp_path, new, start, f"members={members}")
    before, after = load_preset(start), load_preset(out)
    assert after.config == before.config and after.vocabulary.entries == before.vocabulary.entries
    for name, array in before.arrays.items():
        np.testing.assert_allclose(after.arrays[name], array, atol=2e-3, err_msg=name)
    said = capsys.readouterr().err
    assert "18 of 1,368 tokens are unknown to tiny" in said
    assert "started at random" not in said
    assert after.metadata["from"] == "tiny"


def test_what_does_not_fit_a_preset_is_said(
    tmp_path: Path, text: Path, capsys: pytest.CaptureFixture[str], stopped_after
) -> None:
    start = save_writer(tmp_path / "tiny", text, layers=1)
    with stopped_after(0):
        started(tmp_path, text, start, "members=1", "units=8")
    said = capsys.readouterr().err
    assert "From tiny: 2 of " in said and "recurrent1/lstm_cell/kernel (6, 32)" in said


def test_a_preset_of_other_tokens_is_refused_and_nothing_is_left(tmp_path: Path, text: Path) -> None:
    start = save_writer(tmp_path / "tiny", text, "word", layers=1)
    with pytest.raises(InputError, match=r"The preset tiny reads other tokens.*--tokens word"):
        started(tmp_path, text, start)
    assert {path.name for path in tmp_path.iterdir()} == {"play.txt", "tiny"}


def test_the_learning_rate_rises_and_falls() -> None:
    recipe = replace(SAMPLE, units=4, warmup=10, learning_rate=0.01, final_rate=0.1)
    model = compiled_writer(recipe, CharLMConfig(tokens=9, units=4), 110)
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
    config = prepared(SMALL, text_source([text])).config
    stage = Stage(
        "",
        lambda: compiled_writer(SMALL, config, 10),
        windows.epoch,
        epochs=2,
        seed=1,
        recipe=SMALL,
        keep="last",
        fixed_shapes=True,
        callbacks=lambda: [FreshState(), Watch()],
    )
    fit(stage, Run(tmp_path / "run"))
    assert len(before) == 2 * len(windows)
    for epoch in (before[: len(windows)], before[len(windows) :]):
        assert epoch[0] == 0.0
        assert min(epoch[1:]) > 0.0


def test_the_sample_needs_no_data() -> None:
    source = sample_source()
    assert len(source.text) > 300_000
    assert all(value.startswith("sha256 ") for value in source.checksums.values())
    recipe = SAMPLE
    tokens = learn_tokens(split_text(source.text).train)
    assert (
        len(StreamWindows(tokens.encode(split_text(source.text).train[0]), recipe.batch_size, recipe.length))
        > 100
    )


def test_weights_are_stored_in_halves_and_scored_as_stored(small: Small) -> None:
    kernel = small.trained.answers.arrays["logits/kernel"]
    np.testing.assert_array_equal(kernel, kernel.astype(np.float16).astype(np.float32))


KILLED = """
import os, signal, sys
from pathlib import Path
import keras
import models.layers.recurrent
from apps.writer.task import WriterTask
from models.training.driver import fit_task

class Dying(models.layers.recurrent.FreshState):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer.iterations) == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[3] != "0":
    models.layers.recurrent.FreshState = Dying
options = {"text": [Path(sys.argv[2])]}
fit_task(
    WriterTask(), Path(sys.argv[1]), options=options, overrides=sys.argv[4:], resume=sys.argv[3] == "0"
)
"""


def run(out: Path, text: Path, kill_at: int, overrides: list[str]) -> int:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(out), str(text), str(kill_at), *overrides],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
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
    if DEFAULT_PRESET not in list_presets():
        pytest.skip(f"there is no preset {DEFAULT_PRESET}")
    text = (data_dir / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    scores = Writer.from_preset().language_model.score(text[int(0.9 * len(text)) :])
    metrics = load_preset(DEFAULT_PRESET).metrics["nats_per_character"]
    assert metrics["n"] == len(scores.nats) == 111_540
    assert scores.nats.mean() == pytest.approx(metrics["score"], abs=1e-4)
    assert metrics["score"] <= 1.45
