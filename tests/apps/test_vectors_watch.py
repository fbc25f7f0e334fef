"""Word vectors that are looked at while they are learned."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from apps.vectors.task import VectorsTask
from apps.vectors.watch import aligned, map_words
from data_prep.errors import InputError
from data_prep.text.vocab import Vocabulary
from models.training.driver import Trained, train
from models.training.task import Run
from models.training.watching import ask, picture_steps, read_picture
from tests.apps.pages import chart
from tests.apps.watched_run import drawn_picture

TASK = VectorsTask()
OVERRIDES = [
    "dimensions=8",
    "min_count=2",
    "blocks=2",
    "block_length=128",
    "sample=0",
    "threads=1",
    "epochs=2",
]
SEEN = {"word": "seaa", "analogy": "seaa - seab + skya"}


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    """Two topics whose words never meet."""
    rng = np.random.default_rng(0)
    topics = [[f"{topic}{i}" for i in "abcdefgh"] for topic in ("sea", "sky")]
    lines = [" ".join(rng.choice(topics[line % 2], 12)) for line in range(1500)]
    file = tmp_path_factory.mktemp("text") / "topics.txt"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are looked at after every step."""
    monkeypatch.setattr("models.training.watching._FEWEST_SECONDS", 0.0)
    monkeypatch.setattr("models.training.watching._SHARE_OF_RUN", 0.0)
    monkeypatch.setattr("models.training.watching._SHARE_OF_TIME", 1e9)


def trained(folder: Path, text: Path, watch: dict[str, str] | None, *changes: str, **more) -> Trained:
    folder.mkdir()
    options = TASK.given("fit", {"text": [text], **more})
    recipe, run = TASK.recipe(None, options, [*OVERRIDES, *changes]), Run(folder, watch=watch)
    return train(TASK, recipe, TASK.source(recipe, options, run), run)


def watched(folder: Path) -> list[dict]:
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == "watch"]


@pytest.mark.usefixtures("every_step")
def test_looking_changes_no_bit_and_shows_the_vectors_of_now(tmp_path: Path, text: Path) -> None:
    alone = trained(tmp_path / "alone", text, None)
    seen = trained(tmp_path / "seen", text, SEEN)
    np.testing.assert_array_equal(alone.answers.vectors.vectors, seen.answers.vectors.vectors)
    events = watched(tmp_path / "seen")
    for name in ("held_out_loss", "held_out_softmax_loss"):
        losses = [event["numbers"][name] for event in events]
        assert len(losses) > 20 and losses[-1] < losses[0] - 0.3
        assert len(set(losses)) > 0.8 * len(losses), "it moves within an epoch too"
    assert all(event["numbers"]["change_per_step"] > 0 for event in events[1:])
    last = read_picture(tmp_path / "seen", picture_steps(tmp_path / "seen")[-1])["picture"]
    assert {word[:3] for word, _ in last["neighbours"][:7]} == {"sea"}
    assert len(last["answers"]) == 5 and last["map"]["points"].shape == (16, 2)


@pytest.mark.usefixtures("every_step")
def test_full_softmax_is_looked_at_too(tmp_path: Path, text: Path) -> None:
    changes = ["loss=full_softmax", "block_length=32", "epochs=1"]
    trained(tmp_path / "full", text, {"word": "no such word"}, *changes, words=6_000)
    events = watched(tmp_path / "full")
    first, last = events[0]["numbers"], events[-1]["numbers"]
    assert first["held_out_softmax_loss"] == pytest.approx(np.log(16), abs=0.01)
    assert last["held_out_softmax_loss"] == last["held_out_loss"] < first["held_out_loss"]
    picture = read_picture(tmp_path / "full", events[-1]["steps_done"])["picture"]
    assert "Unknown word" in picture["neighbours"] and "Unknown words" in picture["answers"]


def test_a_training_of_vectors_stops_when_it_is_asked(tmp_path: Path, text: Path) -> None:
    folder = tmp_path / "stopped"
    options = TASK.given("fit", {"text": [text]})
    run, recipe = Run(folder, watch={}), TASK.recipe(None, options, [*OVERRIDES, "epochs=50"])
    folder.mkdir()
    ask(folder, "stop")
    found = train(TASK, recipe, TASK.source(recipe, options, run), run)
    assert found.epochs == 1 and found.history[0]["steps"] == 1


def test_only_the_first_words_are_read(tmp_path: Path, text: Path) -> None:
    source = TASK.source(
        TASK.recipe(None, {}, OVERRIDES), TASK.given("fit", {"text": [text], "words": 2_000}), Run(tmp_path)
    )
    assert source.corpus.raw_tokens == 2_000 and len(source.corpus.held_out) > 0
    with pytest.raises(InputError, match="--words"):
        TASK.source(
            TASK.recipe(None, {}, OVERRIDES), TASK.given("fit", {"text": [text], "words": -1}), Run(tmp_path)
        )


def test_pictures_are_turned_next_to_the_one_before() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(size=(30, 2))
    before -= before.mean(axis=0)
    turned = before @ np.array([[0.6, 0.8], [0.8, -0.6]])  # turned and mirrored
    np.testing.assert_allclose(aligned(turned, before), before, atol=1e-12)
    moved = turned + rng.normal(0, 0.1, turned.shape)
    assert np.abs(aligned(moved, before) - before).mean() < 0.15 < np.abs(moved - before).mean()


def test_words_of_the_map_are_known_and_filled_up_with_frequent_ones() -> None:
    known = ["music", "band", "king", "queen", "river"]
    entries = [f"w{number}" for number in range(100)] + known
    words = map_words(Vocabulary(entries, range(len(entries), 0, -1), specials=()))
    assert set(words[:5]) == set(known) and words[5:] == entries[30:65]


def test_a_picture_is_drawn() -> None:
    points = np.array([[0.5, 0.0], [-0.5, 0.1], [0.0, -0.1]], np.float32)
    picture = {
        "word": "dog", "neighbours": [["cat", 0.9], ["wolf", 0.5]], "analogy": "a - b + c",
        "answers": "Unknown words 'a', 'b'", "predictions": 128,
        "map": {"words": ["one", "two", "three"], "points": points, "explained": 0.25},
    }  # fmt: skip
    app = drawn_picture("vectors", picture)
    assert chart(app, "run neighbours")["data"][0]["x"] == [0.9, 0.5]
    assert "Unknown words" in app.info[0].value
    assert chart(app, "run map")["data"][0]["x"] == [0.5, -0.5, 0.0]
    assert "25 %" in " ".join(one.value for one in app.caption)
