"""The benchmark of endurance: what is level, what grows, and how it watches."""

from __future__ import annotations

import time
import warnings
from argparse import Namespace
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import apps.shared.reports
from apps.shared.reports import Stored
from benchmarks import endurance
from benchmarks.endurance import ENDURANCE, Work, made_lines, run, slope, watched
from data_prep.errors import InputError

MINUTES = np.arange(300) / 60


def test_the_slope_of_what_is_level_holds_zero_and_of_what_grows_does_not() -> None:
    noise = np.random.default_rng(1).normal(size=300)
    level, grows = slope(MINUTES, 200 + noise), slope(MINUTES, 200 + noise + 3 * MINUTES)
    assert abs(level["slope"]) < level["interval"] < 1.0
    assert grows["slope"] - grows["interval"] > 0 and abs(grows["slope"] - 3) < grows["interval"]
    begins = np.where(MINUTES < 1.5, 100 * MINUTES, 150)  # what is loaded at first does not count
    assert slope(MINUTES, begins + noise)["slope"] == pytest.approx(level["slope"])


def test_what_stays_the_same_has_no_slope() -> None:
    assert slope(MINUTES, np.full(len(MINUTES), 255.0)) == {"slope": 0.0, "interval": 0.0}


def test_too_few_seconds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for most, seconds in ((1, 0.0), (100_000, 0.01)):
        with pytest.raises(InputError, match=r"too soon.*9 seconds"):
            quickly(monkeypatch, Work(1, "pieces", _slowly), most, seconds, tmp_path)


def test_lines_are_made_again_and_hold_new_words() -> None:
    one, other = (list(islice(made_lines(seed), 200)) for seed in (1, 2))
    assert one == list(islice(made_lines(1), 200)) != other
    words = [word for line in one for word in line.split() if len(word) == 7]
    assert len(set(words)) > 100


def _slowly(most: int, folder: Path) -> Iterator[int]:
    held = []
    for done in range(1, most + 1):
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass
        held.append(bytes(1 << 14))
        yield done


def quickly(monkeypatch: pytest.MonkeyPatch, *words) -> dict:
    monkeypatch.setattr(endurance, "_PARTS", 3)
    monkeypatch.setattr(endurance, "_LOOK_SECONDS", 0.05)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of the tests
        return watched(*words)


def test_work_is_watched_until_it_ends_or_has_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(1, "pieces", _slowly)
    found = quickly(monkeypatch, work, 60, 0.0, tmp_path)
    assert found["done"] == 60 and found["mib"] > 10
    cut = quickly(monkeypatch, work, 100_000, 2.0, tmp_path)
    assert 0 < cut["done"] < 100_000 and cut["minutes"] < 1


def test_work_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="The work failed"):
        quickly(monkeypatch, Work(1, "pieces", lambda most, folder: iter([1 // most])), 0, 0.0, tmp_path)


def test_the_table_shows_slopes() -> None:
    line = {"slope": 0.123, "interval": 0.5}
    row = {"done": 5_000, "all": 10_000, "unit": "lines", "minutes": 3.0, "rate": 27.8, "mib": 230.0}
    found = {
        "tasks": {"classify": row | {"memory": line, "rate_change": line}},
        "settings": {"processor": "a laptop"},
    }
    text = ENDURANCE.report(Stored("endurance.json", found)).markdown()
    assert "| classify, lines | 5,000 | 10,000 | 3.0 | 28 | 230 | +0.12 ± 0.50 | +0.12 ± 0.50 |" in text


def test_what_is_stored_of_other_tasks_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    (tmp_path / "endurance.json").write_text('{"tasks": {"tag": {"done": 3}}}', encoding="utf-8")
    assert run(Namespace(tasks=(), threads=1))["tasks"] == {"tag": {"done": 3}}


def test_rates_are_those_of_processor_time() -> None:
    spent = np.cumsum(np.random.default_rng(2).uniform(0.1, 1.0, 200))  # a busy machine
    assert endurance.smooth_rates(700 * spent, spent)[1:] == pytest.approx(700)
