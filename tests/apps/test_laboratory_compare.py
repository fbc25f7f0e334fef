"""Curves of runs as lines, runs beside one another, and what is exported of them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps.laboratory import compare, lines
from apps.laboratory.curves import told
from apps.laboratory.experiments import RecordedRun, recorded
from tests.apps.laboratory_runs import events_of, write_run

FALLING = [2.0 / step for step in range(1, 21)]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def of(found: dict[str, list[lines.Line]], name: str, how: str) -> lines.Line:
    (line,) = [line for line in found[name] if line.how == how]
    return line


def test_lines_are_told_apart_by_what_they_are_measured_on() -> None:
    (story,) = told(events_of(FALLING, FALLING))
    found = lines.lines_of({"a": story}, "steps")
    assert {name: [line.how for line in one] for name, one in found.items()} == {
        "loss": [lines.LEARNED, lines.HELD_OUT],
        "accuracy": [lines.AFTER],
        "learning rate": [lines.LEARNED],
    }
    np.testing.assert_allclose(of(found, "loss", lines.LEARNED).y, FALLING)
    assert of(found, "accuracy", lines.AFTER).y == [91.0, 92.0]


@pytest.mark.parametrize(
    ("axis", "last"), [("steps", 20), ("epochs", 2), ("seconds", 10), ("examples", 1280)]
)
def test_every_axis_ends_where_the_training_did(axis, last) -> None:
    (story,) = told(events_of(FALLING, FALLING))
    found = lines.lines_of({"a": story}, axis)
    assert of(found, "loss", lines.HELD_OUT).x[-1] == last


def test_what_has_no_place_on_an_axis_is_left_out() -> None:
    events = [{**event, "examples": None} for event in events_of(FALLING, FALLING)]
    assert lines.lines_of({"a": told(events)[0]}, "examples") == {}


def test_a_long_curve_is_thinned_and_keeps_its_mean_and_its_ends() -> None:
    random = np.random.default_rng(0)
    losses = random.random(5000)
    (story,) = told(events_of(losses.tolist(), losses.tolist()))
    found = lines.lines_of({"a": story}, "steps")
    learned, held = (of(found, "loss", how) for how in (lines.LEARNED, lines.HELD_OUT))
    assert len(learned.x) == len(held.x) == lines.MOST_POINTS
    assert (learned.x[-1], held.x[0], held.x[-1]) == (5000, 1, 5000)
    np.testing.assert_allclose(np.diff(learned.x, prepend=0) @ learned.y / 5000, losses.mean())
    assert set(held.y) <= set(losses)  # what was measured is shown as it was


def test_norms_of_many_layers_keep_the_first_and_the_last() -> None:
    events = events_of(FALLING, FALLING)
    for event in events:
        if event["event"] == "watch":
            event["norms"] = {f"layer {at}": 0.5 for at in range(30)}
    found = lines.norm_lines(told(events)[0], "steps")
    assert len(found) == lines.MOST_LAYERS
    assert (found[0].run, found[-1].run) == ("layer 0", "layer 29")


def test_seeds_are_taken_together_as_mean_and_standard_error() -> None:
    runs = {
        f"seed {seed}": told(events_of(FALLING, [seed * loss for loss in FALLING]))[0] for seed in (1, 2, 3)
    }
    found = lines.lines_of(runs, "steps", {"all": list(runs)})
    line = of(found, "loss", lines.HELD_OUT)
    assert (line.run, line.n) == ("all", 3)
    np.testing.assert_allclose(line.y, [2.0 * loss for loss in FALLING])
    np.testing.assert_allclose(line.error, [loss / np.sqrt(3) for loss in FALLING])


def test_the_mean_is_that_of_the_part_that_all_runs_have() -> None:
    one, two = (
        lines.Line(name, lines.HELD_OUT, x, y)
        for name, x, y in (("a", [0, 4], [0, 4]), ("b", [2, 6], [6, 2]))
    )
    line = lines.mean_line("both", [one, two])
    assert (line.x, line.y) == ([2, 4], [4, 4])


def runs_of(*settings: dict, **more) -> dict[str, compare.Compared]:
    runs = {f"run-{at}": write_run(f"run-{at}", settings=one, **more) for at, one in enumerate(settings)}
    return compare.compared(runs)


def test_runs_that_differ_in_the_seed_alone_are_found() -> None:
    found = runs_of({"seed": 1}, {"seed": 2}, {"seed": 3, "epochs": 9}, {"seed": 4})
    assert compare.seeds_together(found) == {"run-0, 3 seeds": ["run-0", "run-1", "run-3"]}


def test_seeds_of_a_recipe_of_several_networks_are_found() -> None:
    run = next(iter(recorded("pretrained").values()))
    content = json.loads(json.dumps(run.content))
    content["settings"]["recipe"]["seed"] += 1
    again = replace(run, content=content)
    (members,) = compare.seeds_together(compare.compared({"a": run, "b": again})).values()
    assert len(members) == 2


def test_the_same_seed_twice_is_one_training() -> None:
    assert compare.seeds_together(runs_of({"seed": 1}, {"seed": 1})) == {}
    runs = {
        f"again-{seed}-{at}": write_run(f"again-{seed}-{at}", settings={"seed": seed})
        for at, seed in enumerate((1, 1, 2))
    }
    (members,) = compare.seeds_together(compare.compared(runs)).values()
    assert members == ["again-1-0", "again-2-2"]


def test_settings_in_which_runs_differ() -> None:
    found = runs_of({"learning_rate": 0.1}, {"learning_rate": 0.2, "network": {"units": 3}})
    assert compare.differences(found) == {
        "learning_rate": {"run-0": "0.1", "run-1": "0.2"},
        "network.units": {"run-0": "–", "run-1": "3"},
    }


def test_a_run_that_waits_differs_in_what_was_ordered() -> None:
    run = write_run("waits")
    (run.training / "recipe.json").unlink()
    order = json.loads((run.folder / "order.json").read_text())
    (run.folder / "order.json").write_text(json.dumps({**order, "overrides": ["learning_rate=0.3"]}))
    found = compare.compared({"a": run, "b": write_run("b")})
    assert compare.differences(found)["learning_rate"] == {"waits": "0.3", "b": "0.01"}


def test_best_and_last_by_a_measure() -> None:
    (story,) = told(events_of([2.0] * 20, [*FALLING[:15], *[1.0] * 5]))
    loss, accuracy = ("watch", "held_out_loss"), ("epoch", "validation_accuracy")
    assert compare.measures([story]) == [loss, accuracy, ("training", "loss"), ("epoch", "loss")]
    assert compare.reached([story], loss) == compare.Reached(2.0 / 15, 15, 1.0)
    assert compare.reached([story], accuracy) == compare.Reached(92.0, 20, 92.0)
    assert compare.reached([story], ("watch", "nothing")) is None


def test_the_mean_of_seeds_has_a_standard_error() -> None:
    stories = [told(events_of(FALLING, [last] * 20))[0] for last in (1.0, 2.0, 3.0)]
    found = compare.reached(stories, ("watch", "held_out_loss"))
    assert (found.best, found.last, found.n, found.step) == (2.0, 2.0, 3, None)
    assert found.last_error == pytest.approx(1 / np.sqrt(3))


def test_titles_leave_out_what_all_begin_with_and_are_unique() -> None:
    names = {"a": "Rates: 0.1", "b": "Rates: 0.2", "c": "Rates: 0.2"}
    runs = {key: write_run(key, title=title) for key, title in names.items()}
    assert compare.titles(runs) == {"a": "0.1", "b": "0.2 (b)", "c": "0.2 (c)"}
    assert compare.titles({"a": runs["a"]}) == {"a": "Rates: 0.1"}


def test_a_run_of_another_version_is_compared_by_its_curves() -> None:
    run = write_run("old")
    (run.folder / "order.json").write_text('{"task": "digits", "overrides": [], "gone": 1}')
    found = compare.compared({"old": run})
    assert found["old"].stories[0].parameters == 321
    assert "order.json" not in zipfile.ZipFile(io.BytesIO(compare.folder(found))).namelist()[-1]


def test_curves_as_csv_have_every_point_and_say_what_it_is() -> None:
    found = compare.compared({"a": write_run("a", losses=FALLING)})
    rows = list(csv.DictReader(io.StringIO(compare.curves_csv(found))))
    held = [row for row in rows if row["name"] == "held_out_loss"]
    assert [float(row["value"]) for row in held] == FALLING
    assert held[-1] == {
        "run": "a", "stage": "", "source": "watch", "name": "held_out_loss", "measured": "held out (a fixed sample)",
        "steps": "20", "epochs": "2.0", "seconds": "10.0", "examples": "1280.0", "value": str(FALLING[-1]),
    }  # fmt: skip
    assert {row["source"] for row in rows} == {"training", "watch", "epoch", "norm"}


def test_all_as_a_folder() -> None:
    recorded = RecordedRun(
        "rates:high",
        {"order": {"task": "digits", "title": "high", "overrides": []}, "settings": {"learning_rate": 0.5},
         "events": events_of(FALLING, FALLING), "pictures": []},
    )  # fmt: skip
    found = compare.compared({"a": write_run("a"), "rates:high": recorded})
    archive = zipfile.ZipFile(io.BytesIO(compare.folder(found)))
    own = [
        f"comparison/runs/{key}/{name}"
        for key in ("a", "rates_high")
        for name in ("settings.json", "events.jsonl", "order.json")
    ]
    assert archive.namelist() == [
        *(f"comparison/{name}" for name in ("README.md", "curves.csv", "differences.json")),
        *own,
    ]
    events = archive.read("comparison/runs/rates_high/events.jsonl").decode().splitlines()
    assert told(map(json.loads, events)) == told(events_of(FALLING, FALLING))
    assert (
        "python -m apps digits fit --sample --recipe lecture" in archive.read("comparison/README.md").decode()
    )


def test_recorded_runs_and_those_on_disk_can_be_compared() -> None:
    write_run("mine")
    there = compare.comparable()
    assert next(iter(there)) == "mine"
    assert all(key.count(":") == 1 for key in list(there)[1:])
