"""The campaign of hostile input: cases are made again from their number, and what is wrong is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from apps.shared.reports import Stored
from benchmarks import hostile
from benchmarks.campaign import hostile_web
from benchmarks.campaign.cases import Case, command, problem_of
from benchmarks.campaign.damage import COMMON, Draw, damaged
from benchmarks.campaign.forked import Ended, forked
from benchmarks.hostile import KINDS, NAMES, Campaign, findings_of, tree
from data_prep.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
QUICK = ("pictures", "texts", "vector files", "expressions", "answers of a class")


def campaign(*words: str) -> dict:
    run = [sys.executable, "-m", "benchmarks.hostile", "--json", *words]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=550, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_ten_cases_without_a_finding() -> None:
    found = campaign("--cases", "20", "--seed", "3", "--kinds", *QUICK)
    assert found["findings"] == []
    assert found["all"]["cases"] == 10 == found["all"]["answered"] + found["all"]["refused"]
    assert found["kinds"].keys() == set(QUICK)


@pytest.mark.slow
def test_a_hundred_cases_of_all_kinds_without_a_finding() -> None:
    found = campaign("--cases", "100", "--seed", "4")
    assert found["findings"] == []
    assert [row["cases"] for row in found["kinds"].values()] == [10] * len(NAMES)


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_is_made_again_from_its_number(kind: str, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two", "other"):
        folder = tmp_path / name / "given"
        folder.mkdir(parents=True)
        case = KINDS[kind](Draw(1, 8 if name == "other" else 7), folder, False)
        files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        words = [word.replace(str(folder), "") for word in case.words]
        made.append((case.verb, case.what, words, case.stdin, files))
    assert made[0] == made[1] != made[2]


def test_a_request_is_made_again_from_its_number() -> None:
    one, other, third = (hostile_web.request(Draw(1, number), False) for number in (9, 9, 19))
    assert one == other != third


@pytest.mark.parametrize("way", COMMON, ids=lambda way: way.__name__)
def test_damage_changes_bytes(way) -> None:
    good = bytes(range(256)) * 8
    assert sum(way(good, Draw(1, number)) != good for number in range(30)) > 15
    assert way(b"", Draw(1, 1)) is not None


def test_two_kinds_of_damage_can_meet() -> None:
    assert any(" and " in damaged(b"some bytes", Draw(1, number))[0] for number in range(20))


def work(tmp_path: Path, act, seconds: float = 20.0, **more) -> Ended:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of the tests; the campaign has none
        return forked(act, tmp_path, seconds=seconds, **more)


def test_a_fork_ends_as_a_command_does(tmp_path: Path) -> None:
    def ask() -> None:
        print(sys.stdin.read() + os.environ["WHO"])
        sys.exit(2)

    ended = work(tmp_path, ask, stdin=b"who ", environment={"WHO": "asks"})
    assert ended[:3] == (2, "who asks\n", "")
    assert work(tmp_path, lambda: None).code == 0
    failed = work(tmp_path, lambda: 1 / 0)
    assert failed.code == 1 and "ZeroDivisionError" in failed.stderr


def test_a_fork_is_killed_at_its_deadline_and_its_memory_is_known(tmp_path: Path) -> None:
    ended = work(tmp_path, lambda: time.sleep(60), seconds=0.3)
    assert ended.code == -9 and 0.3 <= ended.seconds < 20
    less, more = work(tmp_path, lambda: None), work(tmp_path, lambda: bytes(range(256)) * (100 << 12))
    assert 80 < more.mib - less.mib < 130


CASE = command("nothing", "digits", "classify", "--json")


@pytest.mark.parametrize(
    ("ended", "finding"),
    [
        (Ended(0, '{"digit": "3"}', "", 1.0, 1.0), None),
        (Ended(2, "", "Error: It is damaged.", 1.0, 1.0), None),
        (Ended(1, "", "Traceback (most recent call last)", 1.0, 1.0), "exit code 1"),
        (Ended(-9, "", "", 1.0, 1.0), "exit code -9"),
        (Ended(2, "", "", 1.0, 1.0), "0 messages"),
        (Ended(2, "", "Error: one.\nError: two.", 1.0, 1.0), "2 messages"),
        (Ended(2, "", "Error: \x1b[2J", 1.0, 1.0), "steer"),
        (Ended(2, "", f"Error: {'x' * 3_000}", 1.0, 1.0), "more than 2,000"),
        (Ended(0, "{}", "RuntimeWarning: overflow", 1.0, 1.0), "warning"),
        (Ended(0, "", "", 1.0, 1.0), "without an answer"),
        (Ended(0, '{"score": NaN}', "", 1.0, 1.0), "NaN"),
        (Ended(0, '{"probabilities": [0.5, 1.5]}', "", 1.0, 1.0), "1.5"),
        (Ended(0, "{", "", 1.0, 1.0), "answer is wrong"),
    ],
)
def test_findings_are_seen(ended: Ended, finding: str | None) -> None:
    found = " ".join(findings_of(CASE, ended))
    assert finding in found if finding else not found


def test_what_must_be_refused_may_not_be_answered() -> None:
    case = Case("verb", "what", lambda: None, refused=True)
    assert list(findings_of(case, Ended(0, "{}", "", 1.0, 1.0))) == ["answered"]
    assert problem_of('{"a": 1}\n{"b": [0.5]}\n') is None


def _fails(draw: Draw, folder: Path, good: bool) -> Case:
    def act() -> None:
        if not good:
            (folder / "more.txt").write_text("written beside")
        print("{}")

    return Case("one verb", "writes beside", act)


def test_what_is_written_beside_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "pictures", _fails)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        (finding,) = Campaign(1, tmp_path).outcome(1, "pictures").findings
    assert "more.txt" in finding and "was changed" in finding
    (tmp_path / "link").symlink_to("/etc")
    assert not any(path.startswith("/etc") for path in tree(tmp_path))


def test_good_input_that_fails_ends_the_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        KINDS, "pictures", lambda draw, folder, good: Case("verb", "what", lambda: sys.exit(1))
    )
    with warnings.catch_warnings(), pytest.raises(InputError, match="Good input of verb fails"):
        warnings.simplefilter("ignore", DeprecationWarning)
        Campaign(1, tmp_path).outcome(1, "pictures")


def test_pages_have_values_in_their_addresses() -> None:
    found = hostile_web.page_addresses()
    assert len(found) > 50 and "sentence" in found["tagger", "Network"]


def test_the_table_shows_every_kind() -> None:
    row = {"cases": 10, "answered": 4, "refused": 6, "findings": 0, "seconds": 0.25, "mib": 12.4}
    found = {"kinds": {"pictures": row}, "all": row, "settings": {"seed": 1, "processor": "a laptop"}}
    text = hostile.HOSTILE.report(Stored("hostile.json", found)).markdown()
    assert "| pictures | 10 | 4 | 6 | 0 | 0.2 | 12 |" in text and "Seed 1; a laptop" in text


def test_what_is_stored_of_other_kinds_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.shared.reports.RESULTS_DIR", tmp_path)
    monkeypatch.setattr(hostile, "warm", lambda: None)
    monkeypatch.setattr(
        Campaign, "outcome", lambda of, number, kind: hostile.Outcome("verb: what", 2, (), 0.5, 3.0)
    )
    for kind in ("texts", "pictures"):
        assert hostile.main(["--cases", "20", "--kinds", kind, "--store", "--json"]) == 0
    found = json.loads((tmp_path / "hostile.json").read_text(encoding="utf-8"))
    assert found["kinds"].keys() == {"texts", "pictures"} and found["all"]["cases"] == 4
    assert hostile.main(["--cases", "10", "--kinds", "texts", "--store", "--json"]) == 0  # other cases
    assert json.loads((tmp_path / "hostile.json").read_text(encoding="utf-8"))["kinds"].keys() == {"texts"}
