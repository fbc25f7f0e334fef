"""The benchmark of the laboratory: what it reads from events, and its table."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.laboratory.curves import told
from apps.laboratory.reports import BARS
from apps.shared.reports import Stored
from benchmarks import laboratory
from data_prep.errors import InputError
from tests.apps.laboratory_runs import events_of, write_run

FALLING = [4.0 / step for step in range(1, 21)]
HELD_OUT = (("watch", "held_out_loss"),)


def test_seconds_to_a_number_are_those_of_the_first_point_that_has_it() -> None:
    (story,) = told(events_of(FALLING, FALLING))
    assert laboratory.seconds_to(story, HELD_OUT, lambda loss: loss < 2.0) == 1.5
    accuracy = (("epoch", "validation_accuracy"), *HELD_OUT)
    assert laboratory.seconds_to(story, accuracy, lambda percent: percent >= 92.0) == 10.0


def test_a_number_that_is_not_reached_is_an_error() -> None:
    (story,) = told(events_of(FALLING, FALLING))
    with pytest.raises(InputError, match=r"held_out_loss did not reach the bar.*0.2 at last"):
        laboratory.seconds_to(story, HELD_OUT, lambda loss: loss < 0.1)


def test_points_are_steps_and_what_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = write_run("one")
    points = laboratory._points(run)
    assert points[0] == 1000.5 and len(points) == 40  # not the beginning at 1000
    run.events.unlink()
    assert laboratory._points(run) == []


def test_the_table_has_bar_and_goal_beside_what_was_measured() -> None:
    bar = laboratory._bar("MNIST", "s", 60, 25, 31.26, 3)
    found = Stored(
        "laboratory.json", {"settings": {"threads": 2, "processor": "a laptop"}, "bars": {"mnist": bar}}
    )
    text = BARS.report(found).markdown()
    assert "| MNIST | 31.3 s | 60 s | 25 s | 3 |" in text
    assert "Threads: 2; a laptop" in text
