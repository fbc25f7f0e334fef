"""The campaign of kills: what it counts and sees, and its short form."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.shared.reports import Stored
from benchmarks import kills
from benchmarks.campaign.changes import counted, counter
from benchmarks.campaign.forked import Ended, forked
from benchmarks.campaign.small_fits import FITS, fit_command
from benchmarks.kills import FAULTS, FAULTS_TABLE, KILLS, NAMES, Killed
from data_prep.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
KILLED, DONE = Ended(-9, "", "", 1.0, 1.0), Ended(0, "{}", "", 4.0, 1.0)


class Trainings:
    """Trainings that leave files and end as told, the first one undisturbed, with nine changes."""

    def __init__(self, *ends: tuple[dict[str, str], Ended]) -> None:
        self.ends, self.asked = [({"out/weights.npz": "right", "out/metadata.json": ""}, DONE), *ends], []

    def __call__(self, of: Killed, resume: bool, seconds: float = 0.0, change: int = 0) -> Ended:
        files, ended = self.ends[len(self.asked)]
        self.asked.append((resume, seconds, change))
        of.seen.value = 9
        for name, content in files.items():
            path = of.place / "cwd" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return ended


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Killed, Trainings]]:
    def begin(*ends: tuple[dict[str, str], Ended]) -> tuple[Killed, Trainings]:
        trainings = Trainings(*ends)
        monkeypatch.setattr(Killed, "_fit", lambda of, resume, **when: trainings(of, resume, **when))
        return Killed("digits", tmp_path, tmp_path, 1), trainings

    return begin


def test_kills_are_counted_where_they_hit_and_the_training_goes_on(trained) -> None:
    state = "out.run/state-0001.json"
    one, trainings = trained(
        ({}, KILLED),
        ({state: ""}, KILLED),
        ({"out.run/.x.npz.1-ab.part": ""}, KILLED),
        ({}, DONE),
    )
    row = one.killed(3)
    assert [row[name] for name in ("kills", "begun", "training", "writing", "placed", "ended")] == [
        3,
        1,
        1,
        1,
        0,
        1,
    ]
    assert [resume for resume, *_ in trainings.asked] == [False, False, True, True, True]
    whole, first, second, third, last = [when for _, *when in trainings.asked]
    assert whole == last == [0.0, 0]  # neither time nor change: undisturbed
    assert 0 < second[0] <= 1.1 * DONE.seconds and second[1] == 0
    assert all(when[0] == 0 and 1 <= when[1] <= row["changes"] == 9 for when in (first, third))
    assert row["different"] == 1 and row["findings"] == 1  # its files are gone, and others were left
    assert any("other bits" in line for line in one.told) and any("left behind" in line for line in one.told)


def test_the_same_bits_are_no_finding(trained) -> None:
    one, _ = trained(({"out/metadata.json": ""}, KILLED), ({"out/weights.npz": "right"}, DONE))
    row = one.killed(1)
    assert (row["placed"], row["different"], row["findings"], one.told) == (1, 0, 0, [])


def test_a_training_that_does_not_go_on_is_a_finding(trained) -> None:
    one, _ = trained(({}, KILLED), ({}, Ended(2, "", "Error: It is damaged.", 1.0, 1.0)))
    assert one.killed(1)["findings"] == 1 and "It is damaged" in one.told[0]


def test_a_training_that_was_killed_when_all_was_written_is_done(trained) -> None:
    right = {"out/weights.npz": "right"}
    there = Ended(2, "", "Error: out exists already.", 1.0, 1.0)
    one, _ = trained((right, KILLED), (right, there), ({}, DONE))
    assert one.killed(1)["findings"] == 0
    one, _ = trained((right, KILLED), ({"out.run/recipe.json": ""}, there))
    assert one.killed(1)["findings"] == 1 and "exists already" in one.told[0]


def test_work_is_killed_before_the_change_of_this_number(tmp_path: Path) -> None:
    def work() -> None:
        Path("folder").mkdir()
        Path("folder/new").write_text("new")
        Path("folder/new").read_text()
        Path("folder/new").rename("old")
        shutil.rmtree("folder")

    seen, left = counter(), []
    for change in range(1, 7):
        shutil.rmtree(tmp_path / "cwd", ignore_errors=True)
        ended = forked(counted(work, seen, change), tmp_path, seconds=60, guarded=False)
        assert (ended.code, seen.value) == ((-9, change) if change < 5 else (0, 4)), ended
        left.append(sorted(path.name for path in (tmp_path / "cwd").rglob("*")))
    assert left == [[], ["folder"], ["folder", "new"], ["folder", "old"], ["old"], ["old"]]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_disk_that_refuses_has_to_be_told_once(fault: str, trained) -> None:
    one, _ = trained(
        ({}, Ended(2, "", "Error: Cannot write out.", 1.0, 1.0)),
        ({}, Ended(1, "", "Traceback", 1.0, 1.0)),
    )
    assert one.faulty(fault) == []
    (finding,) = one.faulty(fault)
    assert "exit code 1" in finding and fault in finding


def test_a_training_that_fails_undisturbed_ends_the_campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Killed, "_fit", lambda of, resume: Ended(2, "", "Error: no.", 1.0, 1.0))
    with pytest.raises(InputError, match="fails undisturbed"):
        Killed("digits", tmp_path, tmp_path, 1)


def test_every_application_is_trained() -> None:
    assert set(FITS) == {"vectors", "tagger", "writer", "digits", "ocr", "reviews"}
    assert all(fit_command(name, Path("data"))[:2] == [name, "fit"] for name in FITS)


def test_the_tables_show_trainings_and_faults() -> None:
    row = dict.fromkeys(
        ("kills", "begun", "training", "writing", "placed", "ended", "different", "findings", "changes"), 3
    )
    found = {
        "fits": {"digits": row | {"seconds": 4.25}},
        "all": row | {"seconds": 4.25},
        "faults": {"full disk": {"trainings": 6, "refused": 6, "findings": 0}},
        "settings": {"seed": 1, "processor": "a laptop"},
    }
    assert (
        "| digits | 3 | 3 | 3 | 3 | 3 | 3 | 3 | 3 | 3 | 4.2 |"
        in KILLS.report(Stored("kills.json", found)).markdown()
    )
    assert "| full disk | 6 | 6 | 0 |" in FAULTS_TABLE.report(Stored("kills.json", found)).markdown()
    assert NAMES[:-1] == FITS and NAMES[-1] == kills.LABORATORY


@pytest.mark.slow
def test_four_kills_and_every_fault() -> None:
    run = [sys.executable, "-m", "benchmarks.kills", "--kills", "4", "--fits", "vectors", "digits", "--json"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=550, check=False)
    found = json.loads(done.stdout)
    assert found["told"] == []
    assert found["all"]["kills"] == 4 and found["all"]["different"] == 0
    assert all(fault["refused"] == 2 for fault in found["faults"].values())
