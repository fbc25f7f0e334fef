"""Sections "Compare" and "Experiments" of the page "Laboratory", as a visitor opens them by their address."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from apps.laboratory import experiments, page_experiments
from apps.laboratory.runs import find_runs
from data_prep.errors import InputError
from tests.apps.laboratory_runs import events_of, write_run
from tests.apps.pages import chart, messages, open_page, press

FALLING = [2.0 / step for step in range(1, 21)]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def compare(*keys: str, **query: str):
    return open_page("laboratory", section="Compare", runs=list(keys), **query)


def table(app, number: int) -> list[dict]:
    return app.dataframe[number].value.to_dict("records")


def test_an_address_opens_a_comparison() -> None:
    write_run("one", title="Rates: 0.1", settings={"learning_rate": 0.1}, losses=FALLING)
    write_run("two", title="Rates: 0.2", settings={"learning_rate": 0.2}, losses=FALLING[::-1])
    app = compare("one", "two", over="epochs", measure="watch held_out_loss")
    picture = chart(app, "compare loss")
    named = {trace["name"]: trace["line"]["color"] for trace in picture["data"]}
    assert list(named) == ["0.1", "0.2"] and len(set(named.values())) == 2
    assert picture["layout"]["xaxis"]["title"]["text"] == "epochs"
    rows = table(app, 0)
    name = "loss, held out (a fixed sample)"
    assert [(row["run"], row[f"best {name}"], row["after steps"], row[f"last {name}"]) for row in rows] == [
        ("0.1", 0.1, 20, 0.1),
        ("0.2", 0.1, 1, 2.0),
    ]
    assert table(app, 1) == [{"setting": "learning_rate", "0.1": "0.1", "0.2": "0.2"}]
    captions = " ".join(caption.value for caption in app.caption)
    assert "held out (a fixed sample)" in captions and "640 images" in captions


def test_an_address_with_too_many_runs_opens_the_first() -> None:
    keys = [write_run(f"run-{at:02}", losses=FALLING).key for at in range(20)]
    app = compare(*keys)
    assert not app.error and 1 < len(app.multiselect(key="runs").value) < len(keys)


def test_seeds_are_one_line_with_a_band() -> None:
    for seed in (1, 2, 3):
        write_run(f"seed-{seed}", settings={"seed": seed}, losses=FALLING, held_out=[float(seed)] * 20)
    app = compare("seed-1", "seed-2", "seed-3")
    traces = chart(app, "compare loss")["data"]
    assert len([trace for trace in traces if trace.get("fill") == "tonexty"]) == 2  # learned from, held out
    assert "n = 3 runs" in " ".join(caption.value for caption in app.caption)
    (mean,) = [row for row in table(app, 0) if row["state"] == "mean"]
    assert (mean["last loss, held out (a fixed sample)"], mean["± last"]) == (
        2.0,
        pytest.approx(1 / np.sqrt(3), abs=1e-4),
    )


def test_nothing_chosen_says_what_to_do_and_runs_that_are_gone_are_left_out() -> None:
    write_run("one")
    assert "Choose two or more runs" in compare().info[0].value
    assert "Choose two or more runs" in compare("gone").info[0].value


def test_a_run_that_has_not_begun_and_one_that_failed_are_compared() -> None:
    run = write_run("waits", state="")
    (run.training / "events.jsonl").unlink()
    write_run("failed", state="failed")
    app = compare("waits", "failed")
    assert not app.error
    assert {row["run"]: row["state"] for row in table(app, 0)} == {"waits": "waiting", "failed": "failed"}


@pytest.fixture
def made_up(tmp_path, monkeypatch) -> None:
    """One experiment, with recorded runs of digits that have no pictures."""
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    experiments.recorded.cache_clear()
    one = experiments.experiments()["learning_rate"]
    runs = {label: write_run(f"to-record-{at}", losses=FALLING) for at, label in enumerate(one.runs)}
    experiments.record("learning_rate", runs, "two cores")
    for run in runs.values():
        run.remove()
    yield
    experiments.recorded.cache_clear()


def test_an_experiment_shows_what_was_recorded(made_up) -> None:
    app = open_page("laboratory", section="Experiments", experiment="learning_rate")
    one = experiments.experiments()["learning_rate"]
    assert f"**What to look for.** {one.look_for}" in [text.value for text in app.markdown]
    traces = chart(app, "experiment learning_rate loss")["data"]
    assert list(dict.fromkeys(trace["name"] for trace in traces)) == list(one.runs)
    assert "two cores" in " ".join(caption.value for caption in app.caption)


def test_an_experiment_that_was_not_recorded_says_how(made_up, tmp_path) -> None:
    (tmp_path / "recorded" / "learning_rate.json.gz").unlink()
    experiments.recorded.cache_clear()
    app = open_page("laboratory", section="Experiments", experiment="learning_rate")
    assert "python -m benchmarks.experiments learning_rate" in app.info[0].value


def test_one_click_orders_all_runs_and_leads_to_compare(made_up) -> None:
    app = open_page("laboratory", section="Experiments", experiment="learning_rate")
    press(app, "Train all 3 here")
    one = experiments.experiments()["learning_rate"]
    assert sorted(run.order.title for run in find_runs()) == sorted(
        order.title for order in one.runs.values()
    )
    assert app.segmented_control(key="section").value == "Compare"
    assert len(table(app, 0)) == 3
    assert not app.error


def test_recorded_runs_are_compared_by_one_click(made_up) -> None:
    app = open_page("laboratory", section="Experiments", experiment="learning_rate")
    press(app, "Compare the recorded runs")
    assert {row["state"] for row in table(app, 0)} == {"recorded"}
    assert "trained in the same way" in " ".join(caption.value for caption in app.caption)


def test_a_start_that_cannot_be_written_is_one_message(made_up, monkeypatch) -> None:
    def full(order):
        raise InputError("The disk is full")

    monkeypatch.setattr(page_experiments, "submit", full)
    app = press(
        open_page("laboratory", section="Experiments", experiment="learning_rate"), "Train all 3 here"
    )
    assert messages(app) == ["The disk is full."]


def test_pictures_of_all_runs_stand_side_by_side(tmp_path, monkeypatch) -> None:
    """The slider shows the last picture of each run up to its place."""
    shown = []
    monkeypatch.setattr(
        page_experiments,
        "shows_pictures",
        lambda task: lambda picture, key: shown.append((key, picture["at"])),
    )
    contents = {}
    for label, pace in (("slow", 4), ("fast", 2)):
        pictures = [
            {"stage": "", "steps_done": steps, "epoch": 1, "seconds": steps / 2, "picture": {"at": steps}}
            for steps in range(0, 20, pace)
        ]
        contents[label] = {
            "order": {"task": "digits", "title": label, "overrides": []}, "settings": {}, "processor": "two cores",
            "events": events_of(FALLING, FALLING), "pictures": pictures,
        }  # fmt: skip
    runs = {label: experiments.RecordedRun(f"learning_rate:{label}", one) for label, one in contents.items()}
    monkeypatch.setattr(page_experiments, "recorded", lambda key: runs)
    app = open_page("laboratory", section="Experiments", experiment="learning_rate")
    assert shown == [("learning_rate slow", 16), ("learning_rate fast", 18)]  # the last ones
    shown.clear()
    app.select_slider(key="frame learning_rate").set_value(3).run()
    assert json.dumps(sorted(shown)) == json.dumps([["learning_rate fast", 6], ["learning_rate slow", 4]])
