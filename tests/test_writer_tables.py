"""The generated tables about the writer: what they say before and after their commands ran."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import apps.shared.reports
from apps.shared.reports import Stored
from apps.shared.tables import Table
from apps.writer.reports import SCORES
from data_prep.errors import InputError


@pytest.fixture(autouse=True)
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    return tmp_path


def test_before_anything_was_measured(monkeypatch: pytest.MonkeyPatch, results: Path) -> None:
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", results)
    assert "apps writer fit" in SCORES.markdown()


def written(scores: dict) -> str:
    return SCORES.report(Stored("of writer_shakespeare", scores)).markdown()


def test_scores_make_a_table(results: Path) -> None:
    loss = {"score": 1.5, "standard_error": 0.004, "n": 111_540, "published": {"other": 1.47}}
    metadata = {"weights": {"parameters": 9000}, "seconds": 600.0, "processor": "one"}
    config = {"layers": 1, "members": 1, "units": 12, "cell": "gru", "tokenizer": "char"}
    scores = {"preset": "writer_shakespeare", "metrics": {"nats_per_character": loss}, "metadata": metadata}
    scores["config"] = config
    text = written(scores)
    assert "| Lectern (`writer_shakespeare`), last 10 % | 1.5000 | 0.0040 | 2.164 | 111,540 |" in text
    assert "| other, last 10 % | 1.47 |" in text
    assert (
        "one layer of 12 GRU units, reads characters; 9,000 parameters, trained in 10 minutes on one." in text
    )
    assert "char-rnn" not in text
    stored = {"nats_per_character": 1.25, "bits_per_character": 1.8, "n": 57_500, "split": "char_rnn"}
    (results / "writer_char_rnn.json").write_text(json.dumps(stored), encoding="utf-8")
    assert "scored by char-rnn's split | 1.2500 | – | 1.803 | 57,500 |" in written(scores)


@pytest.mark.parametrize(
    ("name", "content", "table", "message"),
    [
        ("writer_char_rnn", {"n": 3}, SCORES, "writer_char_rnn.json lack split"),
        (
            "writer_char_rnn",
            {"nats_per_character": 1.2, "n": 3, "split": "last_tenth"},
            SCORES,
            "another split",
        ),
    ],
)
def test_damaged_results_are_named(
    results: Path, name: str, content: dict, table: Table, message: str
) -> None:
    (results / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        table.markdown()
