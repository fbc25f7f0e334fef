"""The generated tables about the writer: what they say before and after their commands ran."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import apps.shared.reports
from apps.writer.reports import WriterScores, char_rnn_score, generation_report
from benchmarks import writer_tables
from data_prep.errors import InputError

SPEED = {
    "settings": {"units": 256, "cores": 1, "processor": "one"},
    "systems": {"torch": {"characters_per_second": 1000.4}, "lectern": {"characters_per_second": 2500}},
    "ratio": 2.5,
}


@pytest.fixture(autouse=True)
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    return tmp_path


def test_before_anything_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_tables, "preset_installed", lambda preset: False)
    assert "apps writer fit" in writer_tables.writer_table()
    assert writer_tables.SPEED_COMMAND in writer_tables.generation_table()


def test_scores_make_a_table(monkeypatch: pytest.MonkeyPatch, results: Path) -> None:
    scores = WriterScores(
        "x", 1.5, 0.004, 111_540, "last_tenth", "made up", {"other": 1.47}, "a shape", 9000, 600.0, "one"
    )
    monkeypatch.setattr(writer_tables, "preset_installed", lambda preset: True)
    monkeypatch.setattr(writer_tables, "writer_scores", lambda preset: scores)
    text = writer_tables.writer_table()
    assert "| Lectern (`writer_shakespeare`), last 10 % | 1.5000 | 0.0040 | 2.164 | 111,540 |" in text
    assert "| other, last 10 % | 1.47 |" in text
    assert "a shape; 9,000 parameters, trained in 10 minutes on one." in text
    assert "char-rnn" not in text
    stored = {"nats_per_character": 1.25, "bits_per_character": 1.8, "n": 57_500, "split": "char_rnn"}
    (results / "writer_char_rnn.json").write_text(json.dumps(stored), encoding="utf-8")
    assert "scored by char-rnn's split | 1.2500 | – | 1.803 | 57,500 |" in writer_tables.writer_table()


def test_the_fastest_loop_comes_first(results: Path) -> None:
    (results / "generation.json").write_text(json.dumps(SPEED), encoding="utf-8")
    text = writer_tables.generation_table()
    assert text.index("| lectern | 2,500 |") < text.index("| torch | 1,000 |")
    assert "PyTorch's best loop: 2.50" in text


@pytest.mark.parametrize(
    ("name", "content", "read", "message"),
    [
        ("generation", {"settings": {}, "systems": {}}, generation_report, "benchmark lack"),
        ("generation", {**SPEED, "systems": 3}, generation_report, "benchmark lack"),
        ("writer_char_rnn", {"n": 3}, char_rnn_score, "lack"),
        (
            "writer_char_rnn",
            {"nats_per_character": 1.2, "n": 3, "split": "last_tenth"},
            char_rnn_score,
            "another split",
        ),
    ],
)
def test_damaged_results_are_named(results: Path, name: str, content: dict, read, message: str) -> None:
    (results / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read()
