"""The loss ladder: every rung on a small text, what is stored, and the table and picture made of it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import apps.shared.reports
from apps.shared.reports import Stored
from apps.writer.reports import LADDER, NETWORKS, TITLES, samples
from apps.writer.sources import WriterSource
from benchmarks import loss_ladder
from benchmarks.loss_ladder import RECIPE, counting_rung, main, run, shipped_rung
from data_prep.errors import InputError
from data_prep.text.streams import split_text
from tests.apps.writer_preset import save_writer

TEXT = "".join(
    f"ROMEO:\nThe {word} of {other} is mine.\n\n"
    for word in ("rose", "night", "sun")
    for other in ("Rome", "love", "gold", "the king")
    for _ in range(6)
)
SETTINGS = Namespace(
    budget=3_000, prompt="ROMEO:\n", sample_characters=20, gradient_steps=12, gradient_windows=3, seed=1
)
TINY = replace(
    RECIPE, epochs=3, batch_size=4, length=32, embedding=8, learning_rate=0.02, warmup=2, averaging=0.0
)


def source(text: str = TEXT) -> WriterSource:
    return WriterSource(text, "a small text", {"text.txt": "sha256 0"}, None, {})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def results(runs: Path) -> dict:
    return run(source(), runs, SETTINGS, TINY)


def test_every_rung_is_scored_on_the_same_characters(results: dict) -> None:
    rungs = {rung["name"]: rung for rung in results["rungs"]}
    assert list(rungs) == [name for name in TITLES if name != "shipped"]
    held_out = len(TEXT) - int(0.9 * len(TEXT))
    assert {rung["n"] for rung in rungs.values()} == {held_out}
    assert rungs["uniform"]["nats_per_character"] == pytest.approx(np.log(len(set(TEXT))))
    losses = [rungs[name]["nats_per_character"] for name in ("uniform", "unigram", "bigram", "five_gram")]
    assert losses == sorted(losses, reverse=True)
    for name in NETWORKS:
        assert 0.5 * SETTINGS.budget < rungs[name]["parameters"] <= SETTINGS.budget
        assert (
            rungs[name]["units"] >= 1
            and rungs[name]["nats_per_character"] < rungs["uniform"]["nats_per_character"]
        )
    units = [rungs[name]["units"] for name in NETWORKS]
    assert units == sorted(units, reverse=True), "the fewer gates, the more units fit"


def test_every_rung_writes_a_sample_and_networks_have_gradients(results: dict) -> None:
    for rung in results["rungs"]:
        assert len(rung["sample"]) == SETTINGS.sample_characters and set(rung["sample"]) <= set(TEXT)
    for name in NETWORKS:
        assert {key: len(values) for key, values in results["gradients"][name].items()} == {
            "sums": 12,
            "hidden": 12,
        }
        assert min(results["gradients"][name]["hidden"]) >= 0.0
    recipe = results["settings"]["recipe"]
    assert recipe["epochs"] == 3 and not {"cell", "units"} & set(recipe)


@pytest.mark.slow
def test_the_last_rung_is_a_preset(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    rung = shipped_rung(save_writer(tmp_path / "preset", text), split_text(TEXT, "last_tenth"), SETTINGS)
    assert (rung["name"], rung["units"], rung["seconds"]) == ("shipped", None, 60.0)
    assert rung["n"] == len(TEXT) - int(0.9 * len(TEXT)) and len(rung["sample"]) == 20
    assert rung["nats_per_character"] > 0.5, "random weights know nothing"


def test_what_is_finished_is_not_trained_again(
    runs: Path, results: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss_ladder, "NETWORKS", ("rnn",))
    monkeypatch.setattr("models.training.fit.as_dataset", None)
    again = run(source(), runs, SETTINGS, TINY)
    before = {rung["name"]: rung["nats_per_character"] for rung in results["rungs"]}
    assert all(rung["nats_per_character"] == before[rung["name"]] for rung in again["rungs"])
    assert len(again["rungs"]) > 1 and again["gradients"]["rnn"] == results["gradients"]["rnn"]


def test_results_come_back_from_json_and_make_table_and_picture(
    results: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    monkeypatch.setattr(loss_ladder, "PICTURE", tmp_path / "ladder.svg")
    for write in (None, samples):
        missing = "_Not measured yet: run `python -m benchmarks.loss_ladder --store`"
        assert LADDER.markdown(write).startswith(missing)
    assert LADDER.read() is None
    loss_ladder.store(tmp_path / "loss_ladder.json", results)
    report = LADDER.read()
    assert report.found.values == json.loads(json.dumps(results))
    rungs = [line.row for line in report.lines]
    assert [rung["name"] for rung in rungs] == [name for name in TITLES if name != "shipped"]
    assert LADDER.columns[2].value(rungs[0]) == pytest.approx(np.log2(len(set(TEXT))))
    written = LADDER.markdown()
    assert f"| every character equally likely | {np.log(len(set(TEXT))):.4f} | 0.0000 |" in written
    assert f"{rungs[0]['n']:,} scored" in written and "3,000 parameters" in written
    assert "    ROMEO:\n" in LADDER.markdown(samples)
    loss_ladder.show(report.found)
    assert re.search(r"\*\*LSTM\*\* \(.* nats\)\n\n    ROMEO:\n", capsys.readouterr().out)
    picture = ElementTree.fromstring((tmp_path / "ladder.svg").read_text(encoding="utf-8"))
    bars = [float(shape.get("width")) for shape in picture if shape.tag.endswith("rect")]
    assert len(bars) == 8 and bars[0] == max(bars)
    assert bars[3] / bars[0] == pytest.approx(
        rungs[3]["nats_per_character"] / rungs[0]["nats_per_character"], abs=0.001
    )


def test_damaged_results_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    (tmp_path / "loss_ladder.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"loss_ladder.json lack rungs.*Run it again"):
        LADDER.read()


def test_an_unknown_rung_is_refused(results: dict) -> None:
    wrong = {**results, "rungs": [{**results["rungs"][0], "name": "trigram"}]}
    with pytest.raises(InputError, match=r"unknown rung.*Received: 'trigram'"):
        LADDER.report(Stored("loss_ladder.json", wrong))


def test_the_held_out_text_is_read_as_behind_a_line_break() -> None:
    text = ("ab\n" * 300) + "b" + "ab\n" * 40
    rung = counting_rung("bigram", split_text(text), Namespace(**{**vars(SETTINGS), "prompt": "a"}))
    assert rung["n"] == len(text) - int(0.9 * len(text))


@pytest.mark.parametrize("name", ["budget", "sample-characters", "gradient-steps", "gradient-windows"])
def test_settings_without_sense_are_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([f"--{name}", "0"])
    assert f"--{name} must be 1 or more" in capsys.readouterr().err


def test_what_the_ladder_decides_cannot_be_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    assert main(["--text", str(path), "--set", "units=7"]) == 2
    assert "itself decides units" in capsys.readouterr().err


def test_a_missing_text_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--text", "none.txt"]) == 2
    assert "none.txt" in capsys.readouterr().err
