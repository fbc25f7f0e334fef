"""A writer that is looked at while it learns, and made lines with a sign to remember."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps.writer.application import Writer
from apps.writer.recipes import RECIPES
from apps.writer.sources import learned_text, made_line, remembered_source, text_source
from apps.writer.task import WriterTask, prepared
from apps.writer.watch import LENGTH, fixed_sample, sample_numbers
from data_prep.errors import InputError
from data_prep.text.streams import learn_tokens, split_text
from models.char_lm.config import CharLMConfig, char_lm_specs
from models.char_lm.serving import LanguageModel
from models.training.driver import Trained, fit_task, train
from models.training.task import Run
from models.training.watching import picture_steps, read_picture
from tests.apps.pages import chart, html
from tests.apps.watched_run import drawn_picture

TASK = WriterTask()
PLAY = "".join(f"ROMEO:\nBut soft, what light {word} breaks?\n\n" for word in "abcdefgh") * 8
SMALL = replace(
    RECIPES["lab"],
    units=12,
    embedding=6,
    batch_size=4,
    length=24,
    epochs=2,
    averaging=0.9,
    learning_rate=0.03,
    warmup=5,
)
TEXTS = {"prompt": "ROMEO:", "line": "But soft, what light"}


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are looked at after every step."""
    monkeypatch.setattr("models.training.watching._FEWEST_SECONDS", 0.0)
    monkeypatch.setattr("models.training.watching._SHARE_OF_RUN", 0.0)
    monkeypatch.setattr("models.training.watching._SHARE_OF_TIME", 1e9)


def trained(folder: Path, watch: dict[str, str] | None, source=None, **changes) -> Trained:
    folder.mkdir()
    if source is None:
        (folder / "play.txt").write_text(PLAY, encoding="utf-8")
        source = text_source([folder / "play.txt"])
    recipe = replace(SMALL, **changes)
    return train(TASK, recipe, prepared(recipe, source), Run(folder / "run", watch=watch))


def watched(folder: Path) -> list[dict]:
    lines = (folder / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == "watch"]


@pytest.mark.usefixtures("every_step")
@pytest.mark.slow
def test_looking_changes_no_bit(tmp_path: Path) -> None:
    alone = trained(tmp_path / "alone", None)
    seen = trained(tmp_path / "seen", TEXTS)
    for one, other in zip(alone.answers.arrays.values(), seen.answers.arrays.values(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("every_step")
def test_looking_shows_what_is_learned(tmp_path: Path) -> None:
    trained(tmp_path / "seen", TEXTS)
    events = watched(tmp_path / "seen")
    losses = [event["numbers"]["held_out_loss"] for event in events]
    assert len(losses) > 20 and losses[-1] < losses[0] - 0.5
    steps = picture_steps(tmp_path / "seen" / "run")
    assert steps == [event["steps_done"] for event in events]
    first, last = (read_picture(tmp_path / "seen" / "run", at)["picture"] for at in (steps[0], steps[-1]))
    assert first["written"] != last["written"] and len(last["written"]) == LENGTH
    assert "".join(last["tokens"]) == TEXTS["line"] and len(last["nats"]) == len(TEXTS["line"])
    assert last["nats"].mean() < first["nats"].mean()
    (lengths,) = last["gradients"]
    assert lengths.shape == (len(TEXTS["line"]) - 1,) and lengths[-1] > lengths[0], "it fades going back"


def tokens_and_config(text: str, split: str):
    parts = split_text(text, split)
    tokens = learn_tokens(parts.train, "char")
    return parts, tokens, CharLMConfig(len(tokens.vocabulary), layers=1, units=5, embedding=4, cell="gru")


def random_arrays(config: CharLMConfig) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    specs = char_lm_specs(config).items()
    return {name: rng.normal(0, 0.5, spec.shape).astype(np.float32) for name, spec in specs}


def test_the_sample_is_held_out_and_its_loss_that_of_reading_it() -> None:
    text = "".join(np.random.default_rng(0).choice(list("abcdefg\n"), 60_000))
    parts, tokens, config = tokens_and_config(text, "slice")
    sample, arrays = fixed_sample(tokens, parts, "slice"), random_arrays(config)
    assert sample.name == "held_out" and sample.counts.sum() == sample.characters == 32 * 128
    read = "".join(tokens.vocabulary.decode(sample.ids[0]))
    assert parts.validation[0].startswith(read)
    model, nats = LanguageModel(config, tokens.vocabulary, arrays), []
    for ids, counts in zip(sample.ids, sample.counts, strict=True):
        logits = model.logits(ids[:-1])[0].astype(np.float64)
        own = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(counts)), ids[1:]]
        nats.append(own[counts])
    found = sample_numbers(config, arrays, sample)
    assert found == {"held_out_loss": pytest.approx(np.concatenate(nats).mean(), rel=1e-4)}


def test_the_part_that_is_scored_at_the_end_is_not_looked_at() -> None:
    text = "a" * 9_000 + "b" * 1_000
    parts, tokens, _ = tokens_and_config(text, "last_tenth")
    sample = fixed_sample(tokens, parts, "last_tenth")
    assert sample.name == "training_sample"
    assert set(tokens.vocabulary.decode(sample.ids.ravel())) == {"a"}


def test_a_short_text_has_a_sample_too() -> None:
    parts, tokens, config = tokens_and_config("a few words\n" * 12, "slice")
    sample = fixed_sample(tokens, parts, "slice")
    assert len(sample.ids) == 1 and 0 < sample.characters < len(parts.validation[0])
    assert sample_numbers(config, random_arrays(config), sample)["held_out_loss"] > 0


def test_made_lines_can_only_be_ended_by_remembering() -> None:
    source = remembered_source(7)
    lines = source.text.splitlines()
    assert set(lines) == {made_line("+", 7), made_line("-", 7)} and len(made_line("+", 7)) == 10
    assert sum(line[0] == "+" for line in lines) / len(lines) == pytest.approx(0.5, abs=0.02)
    assert all(line[0] == line[-1] for line in lines)
    assert source.text == remembered_source(7).text
    assert learned_text({"data": source.checksums, "recipe": {"split": "slice"}}).source.text == source.text


def test_answers_are_the_signs_at_the_ends_of_lines() -> None:
    source = remembered_source(5)
    parts, tokens, config = tokens_and_config(source.text, "slice")
    sample = fixed_sample(tokens, parts, "slice", source.asked)
    line = len(made_line("+", 5)) + 1
    assert (sample.answers.sum(axis=1) == 2).all() and not sample.answers[:, :line].any()
    rows, places = np.nonzero(sample.answers)
    assert (sample.ids[rows, places + 1] == sample.ids[rows, places - 6]).all(), "the sign of the beginning"
    found = sample_numbers(config, random_arrays(config), sample)
    assert set(found) == {"held_out_loss", "held_out_sign_loss", "held_out_sign_accuracy"}


@pytest.mark.usefixtures("every_step")
def test_a_network_learns_to_remember_a_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.writer.sources._MADE_CHARACTERS", 30_000)
    changes = {"cell": "gru", "length": 48, "batch_size": 8, "learning_rate": 0.02, "epochs": 3, "units": 24}
    trained(tmp_path / "bit", {}, remembered_source(4), **changes)
    numbers = watched(tmp_path / "bit")[-1]["numbers"]
    assert numbers["held_out_sign_accuracy"] == 1.0 and numbers["held_out_sign_loss"] < 0.2
    folder = tmp_path / "bit" / "run"
    last = read_picture(folder, picture_steps(folder)[-1])["picture"]
    lines = "".join(last["tokens"]).split("\n")
    assert len(lines) == 2 and set(lines) <= {made_line("+", 4), made_line("-", 4)}
    assert last["written"][0] == lines[1][0]


@pytest.mark.parametrize("steps", [0, -3, 501])
def test_steps_out_of_bounds_are_refused(steps: int) -> None:
    recipe = TASK.recipe(None, {"remember": steps}, [])
    with pytest.raises(InputError, match="1 to 500"):
        TASK.source(recipe, TASK.given("fit", {"remember": steps}), Run(Path("none")))


def test_windows_of_made_lines_are_longer_than_a_line() -> None:
    options = TASK.given("fit", {"remember": 50})
    recipe = TASK.recipe(None, options, [])
    assert recipe.length == 108 and recipe.units == RECIPES["remember"].units
    short = TASK.recipe(None, options, ["length=54"])
    with pytest.raises(InputError, match="longer than a line"):
        TASK.source(short, options, Run(Path("none")))


@pytest.mark.parametrize(
    ("watch", "message"),
    [
        ({"prompt": "a" * 1_101}, "at most 1100"),
        ({"line": "b" * 1_101}, "at most 1100"),
        ({"line": "b"}, "of two"),
    ],
)
def test_wrong_texts_to_watch_are_refused_before_the_training(tmp_path: Path, watch, message: str) -> None:
    with pytest.raises(InputError, match=message):
        trained(tmp_path / "wrong", watch)
    assert not (tmp_path / "wrong" / "run").exists()


def test_a_picture_is_drawn() -> None:
    picture = {
        "prompt": "A<", "written": "b&c", "tokens": ["a", "b", "\n"], "likeliest": ["b", " ", "<unk>"],
        "nats": np.array([0.1, 3.0, 0.5], np.float32), "gradients": [np.array([-20.0, -2.0, 0.0], np.float32)],
        "sample": "held_out", "characters": 4096, "answers": 0, "loss": 2.345,
    }  # fmt: skip
    app = drawn_picture("writer", picture)
    assert "A&lt;</span>b&amp;c" in html(app)
    assert chart(app, "run gradients")["data"][0]["y"] == [1.0, 0.01, None]
    captions = " ".join(one.value for one in app.caption)
    assert "2.345 nats" in captions and "held out" in captions and "sign" not in captions


def test_a_preset_of_made_lines_finds_them_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.writer.sources._MADE_CHARACTERS", 8_000)
    made = fit_task(
        TASK, tmp_path / "made", options={"remember": 4}, overrides=["units=4", "epochs=1", "batch_size=4"]
    )
    writer = Writer.from_preset(tmp_path / "made")
    assert writer.learned.source.name == "lines with a sign to remember over 4 steps"
    assert TASK.evaluate(writer, TASK.given("evaluate", {})).n == made["n"]
