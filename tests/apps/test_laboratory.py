"""What the page of the laboratory stands on: settings, data of one's own, costs, and the runs on the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.laboratory import costs, worker
from apps.laboratory.offers import offers
from apps.laboratory.runs import LabRun, Order, submit
from apps.laboratory.settings import as_text, settings_of
from benchmarks.campaign.changes import counted, counter
from benchmarks.campaign.forked import forked
from data_prep.datasets import DATASETS
from data_prep.errors import InputError
from data_prep.files import write_json
from tests.apps.laboratory_runs import write_run
from tests.apps.test_cli import run as typed


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", offers())
def test_every_offer_is_one_of_the_task(name: str) -> None:
    offer, task = offers()[name], worker.task_named(name)
    paths = {option.name for option in task.options if option.excludes == "data" and "fit" in option.verbs}
    assert {own.option for own in offer.own} <= paths
    for source in offer.sources:
        assert source.set is None or source.set in DATASETS
        base = task.recipe(source.recipe, task.given("fit", source.options), ())
        settings = settings_of(base)
        for main in offer.settings:
            setting = settings[main.key]
            assert setting.choices or main.low is not None or setting.schema["type"] == "array"
    for own in offer.own:
        assert own.recipe is None or own.recipe in task.recipes


@pytest.mark.parametrize("name", offers())
def test_every_setting_is_read_back_as_it_is_shown(name: str) -> None:
    task = worker.task_named(name)
    for recipe in task.recipes:
        given = task.given("fit", {})
        base = task.recipe(recipe, given, ())
        settings = settings_of(base)
        shown = [f"{key}={as_text(setting.value)}" for key, setting in settings.items()]
        assert task.recipe(recipe, given, shown) == base
        assert all(setting.help and setting.allowed for setting in settings.values())


def test_bounds_are_those_of_the_types() -> None:
    settings = settings_of(worker.task_named("digits").recipe("lecture", {}, ()))
    assert settings["epochs"].allowed == "a whole number at least 1"
    assert settings["label_smoothing"].allowed == "a number at least 0 and below 1"
    assert settings["optimizer"].choices == ("adamw", "sgd")
    assert settings["widths"].allowed == "a whole number, several with commas"


def test_a_cost_adds_up_and_is_known_for_the_same_order_only() -> None:
    order = Order("digits", "one")
    stages = (costs.StageCost("a", 10, 2, 100, 0.01, 1.0), costs.StageCost("b", 5, 1, 50, 0.1, 0.0))
    cost = costs.Cost(stages, read_seconds=3.0, whole=True, done=True)
    assert (cost.parameters, cost.seconds) == (15, pytest.approx(3 + 2 * 2 + 5))
    assert costs.known(order) is None
    costs.ask(order)
    assert costs.known(order) == costs.Cost()
    assert costs.known(Order("digits", "another name")) == costs.Cost()
    assert costs.known(Order("digits", "one", overrides=("epochs=2",))) is None
    left = costs.COSTS / f"{costs.key_of(order)}-data"
    left.mkdir()
    costs.cancel()
    assert costs.known(order) is None and not left.exists()


def run_with_events() -> LabRun:
    run = submit(Order("digits", "a title", {"sample": True}, "lecture", ("epochs=2",)))
    begin = {"event": "begin", "stage": "", "time": 0.0, "epochs": 2, "done": 0, "steps_done": 0, "seconds": 0.0,
             "parameters": 7, "steps": 4, "examples": 128, "unit": "images"}  # fmt: skip
    step = {"event": "step", "stage": "", "time": 1.0, "epoch": 1, "step": 3, "steps": 4, "steps_done": 3,
            "seconds": 0.5, "learning_rate": 0.1, "loss": 2.5}  # fmt: skip
    run.events.write_text("".join(json.dumps(event) + "\n" for event in (begin, step)))
    return run


def test_the_runs_are_listed_shown_and_removed_on_the_command_line() -> None:
    run = run_with_events()
    (said,) = map(json.loads, typed("lab", "list", "--json").stdout.splitlines())
    assert said["run"] == run.key and said["state"] == "interrupted" and said["title"] == "a title"
    table = typed("lab", "list").stdout.splitlines()
    assert table[0].split("\t")[:4] == ["run", "state", "steps", "loss"]
    assert table[1].split("\t")[:4] == [run.key, "interrupted", "3", "2.5000"]
    shown = typed("lab", "show", run.key).stdout
    assert "python -m apps digits fit --sample --recipe lecture --set epochs=2" in shown
    assert (
        json.loads(typed("lab", "show", run.key, "--json").stdout)["stages"][0]["last"]["loss (training)"]
        == 2.5
    )
    assert json.loads(typed("lab", "remove", run.key, "--json").stdout)["removed"] == run.key
    assert not run.folder.exists()
    done = typed("lab", "show", run.key)
    assert done.exit_code == 2 and "There is no such run" in done.stderr


def test_a_run_of_fit_is_listed_too() -> None:
    folder = Path("runs/mine.run")
    folder.mkdir(parents=True)
    run_with_events().events.rename(folder / "events.jsonl")
    said = [json.loads(line) for line in typed("lab", "list", "--json").stdout.splitlines()]
    assert {one["run"] for one in said} >= {"mine.run"}


def test_a_name_that_is_taken_or_no_folder_is_refused(folder: Path) -> None:
    run = run_with_events()
    (run.training / "state-0001.json").write_text("{}")
    Path("runs/taken").mkdir()
    for name, problem in (("taken", "already"), ("../out", "that of a folder"), ("", "that of a folder")):
        with pytest.raises(InputError, match=problem):
            run.keep(name)
    run.keep("free")
    assert run.keep_name == "free" and run.state == "keeping"


def test_a_kill_at_the_end_of_keeping_loses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each change of the folder it is still to be kept, or is kept."""
    monkeypatch.setattr("models.training.driver.fit_task", lambda *given, **named: {"accuracy": 90.0})
    (folder / "cwd").mkdir()
    monkeypatch.chdir(folder / "cwd")
    run, seen, states = write_run("kept"), counter(), []
    for change in range(1, 7):
        run.write_status(state="trained")
        write_json(run.folder / "keep.json", {"name": "free"})
        ended = forked(counted(lambda: worker._fit(run), seen, change), folder, seconds=60, guarded=False)
        assert ended.code == (-9 if change < 6 else 0), ended
        states.append(run.state)
    assert states == ["keeping"] * 3 + ["kept"] * 3 and run.keep_name is None


def test_going_on_takes_back_a_pause_and_no_stop() -> None:
    run = run_with_events()
    control = run.training / "control"
    run.pause()
    run.go_on()
    assert control.read_text() == "go"
    run.stop()
    run.go_on()
    assert control.read_text() == "stop "


def test_a_training_steps_back_for_everything_else() -> None:
    program = "import os; from apps.laboratory.worker import step_back; step_back(); print(os.nice(0))"
    group, expected = Path("/proc/self/autogroup"), ["15"]
    shared = Path("/proc/sys/kernel/sched_autogroup_enabled")
    if (
        shared.is_file() and int(shared.read_text()) and os.access(group, os.W_OK)
    ):  # Linux shares among sessions first
        program += f"; print(open({str(group)!r}).read().split()[-1])"
        expected.append("5")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=worker.ROOT,
        capture_output=True,
        text=True,
        start_new_session=True,
    )
    assert done.stdout.split() == expected
