"""Trainings of the laboratory that are killed at random moments: none is lost, each ends at the same bits."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from apps.digits.task import DigitsTask
from apps.laboratory.curves import stories
from apps.laboratory.runs import GOING, LabRun, Order, submit
from apps.laboratory.worker import _epochs, ensure_workers, launch
from models.training.driver import fit_task
from models.training.watching import Observed
from tests.apps.browsing import visit
from tests.apps.conftest import ROOT, serving
from tests.apps.pages import open_page

SECONDS = 600


@pytest.fixture
def disturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], LabRun]]:
    """Order a training of so many epochs in a folder of its own; what is left over of its process is ended."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("apps.laboratory.worker.launch", launch)  # here processes are started
    runs: list[LabRun] = []

    def begin(epochs: int) -> LabRun:
        runs.append(submit(Order("digits", "killed", {"sample": True}, "lecture", (f"epochs={epochs}",))))
        return runs[-1]

    yield begin
    for run in runs:
        kill(run, run.status.get("pid"))


def kill(run: LabRun, pid: int | None) -> None:
    if pid is not None and run.status.get("pid") == pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def trainer(run: LabRun, dead: set[int], look: Callable[[], None] = lambda: None) -> int:
    """Wait until a process trains a run that has not been killed; ``look`` is what somebody does meanwhile."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        look()
        pid = run.status.get("pid")
        if pid is not None and pid not in dead and run.locked():
            return pid
        time.sleep(0.05)
    pytest.fail(f"nobody trains it: {run.state}, {run.status}")


def finish(run: LabRun, look: Callable[[], None] = lambda: None) -> None:
    end = time.monotonic() + SECONDS
    while run.state in GOING and time.monotonic() < end:
        look()
        time.sleep(0.05)


def assert_undisturbed(run: LabRun, epochs: int, folder: Path) -> None:
    """Train the same without kills, in this process, and compare files and scores of all epochs."""
    assert run.state == "trained", run.status
    observed = Observed(folder / "run", {}, keep=False)
    overrides = (f"epochs={epochs}",)
    fit_task(
        DigitsTask(),
        folder / "out",
        options={"sample": True},
        recipe="lecture",
        overrides=overrides,
        observed=observed,
    )
    names = sorted(path.name for path in observed.folder.glob("*.npz"))
    assert names == sorted(path.name for path in run.training.glob("*.npz")) and len(names) > 1
    for name in names:
        assert (observed.folder / name).read_bytes() == (run.training / name).read_bytes(), name
    one, other = (
        stories(path)[0].curves["epoch", "loss"] for path in (run.events, observed.folder / "events.jsonl")
    )
    assert (one.steps, one.values) == (other.steps, other.values)
    assert len(one.values) == epochs


def wait_for_a_moment(run: LabRun, moments: random.Random) -> None:
    """Wait for a random moment: while everything is loaded and built, or some epochs later and within one."""
    if moments.random() < 0.5:
        time.sleep(moments.uniform(0.0, 1.0))
        return
    epochs, end = _epochs(run) + moments.randint(1, 3), time.monotonic() + SECONDS
    while _epochs(run) < epochs and run.locked() and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(moments.uniform(0.0, 0.3))


def kill_at_random(run: LabRun, kills: int, seed: int) -> None:
    """Kill whoever trains, so many times."""
    moments, dead = random.Random(seed), set()
    for _ in range(kills):
        pid = trainer(run, dead, ensure_workers)  # as the page does while somebody looks
        wait_for_a_moment(run, moments)
        assert run.locked(), "it has ended before it was killed"
        kill(run, pid)
        dead.add(pid)
    finish(run, ensure_workers)


@pytest.mark.slow
def test_a_killed_training_is_taken_up_and_ends_at_the_same_bits(disturbed, tmp_path) -> None:
    run = disturbed(5)
    kill_at_random(run, 1, seed=2)
    assert_undisturbed(run, 5, tmp_path / "undisturbed")


@pytest.mark.slow
def test_twenty_kills_of_a_training(disturbed, tmp_path) -> None:
    run = disturbed(150)
    kill_at_random(run, 20, seed=20)
    assert_undisturbed(run, 150, tmp_path / "undisturbed")


@pytest.mark.slow
@pytest.mark.browser
def test_twenty_kills_of_the_page_and_of_the_training(disturbed, tmp_path, page) -> None:
    """Only the page that somebody looks at takes the training up again; that goes on while there is no page."""
    run, moments, dead = disturbed(150), random.Random(0), set()
    (tmp_path / ".streamlit").symlink_to(ROOT / ".streamlit")
    for _ in range(5):
        with serving(tmp_path / "log.txt", tmp_path) as (address, server):
            visit(page, f"{address}/laboratory?section=Watch&run={run.key}")
            for _ in range(3):
                pid = trainer(run, dead)
                wait_for_a_moment(run, moments)
                kill(run, pid)
                dead.add(pid)
            pid = trainer(run, dead)
            os.kill(server, signal.SIGKILL)
        time.sleep(1.0)
        assert run.locked() and run.status["pid"] == pid
    with serving(tmp_path / "log.txt", tmp_path) as (address, _):
        visit(page, f"{address}/laboratory?section=Watch&run={run.key}")
        finish(run)
    assert_undisturbed(run, 150, tmp_path / "undisturbed")


@pytest.mark.slow
def test_five_people_watch_one_training(disturbed, tmp_path, monkeypatch) -> None:
    """One process trains, and everybody sees what the network showed after the steps that stand beside it."""
    run, drawn = disturbed(40), []
    monkeypatch.setattr("apps.digits.page_watch.show", lambda picture, key: drawn.append(picture))
    people = [open_page("laboratory", section="Watch", run=run.key) for _ in range(5)]
    seen: list[list[int]] = [[] for _ in people]
    while run.state in GOING:
        for steps, app in zip(seen, people, strict=True):
            drawn.clear()
            app.run()
            assert not app.exception and not app.error
            said = [caption.value for caption in app.caption if caption.value.startswith("The network after")]
            if said:
                steps.append(int(said[0].split()[3].replace(",", "")))
                assert_same_picture(drawn[-1], run.picture(steps[-1])["picture"])
    assert all(len(set(steps)) > 1 and steps == sorted(steps) for steps in seen)
    events = [json.loads(line) for line in run.events.read_text().splitlines()]
    assert [event["event"] for event in events].count("begin") == 1
    assert_undisturbed(run, 40, tmp_path / "undisturbed")


def assert_same_picture(one, other) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list):
        assert len(one) == len(other)
        for mine, yours in zip(one, other, strict=True):
            assert_same_picture(mine, yours)
    else:
        np.testing.assert_array_equal(one, other)
