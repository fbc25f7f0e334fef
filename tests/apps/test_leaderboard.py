"""The leaderboard: every measure beside the others, with a mark where the difference tells nothing."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from apps.__main__ import app
from apps.shared import leaderboard
from apps.shared.leaderboard import _apart
from data_prep.files import toml_beside
from models.presets.search import PRESETS_DIR, VARIABLE, find_presets
from tests.apps.pages import open_page, shipping


@pytest.mark.parametrize(
    ("own", "other", "difference", "within"),
    [
        ({"score": 90.0, "standard_error": 1.0}, {"score": 88.0}, 2.0, True),  # 2 < 2 * sqrt(2)
        ({"score": 90.0, "standard_error": 1.0}, {"score": 87.0}, 3.0, False),
        ({"score": 90.0, "standard_error": 1.0}, {"score": 87.0, "standard_error": 2.0}, 3.0, True),
        ({"score": 1.0, "standard_error": 0.1, "lower_is_better": True}, {"score": 2.0}, 1.0, False),
        ({"score": 90.0}, {"score": 91.0}, -1.0, None),
    ],
)
def test_differences_within_two_standard_errors_are_marked(own, other, difference, within) -> None:
    assert _apart(own, other) == {"difference": difference, "within": within}


def test_data_names_measures_that_the_shipped_presets_have() -> None:
    found = {preset.name: preset.metrics for preset in find_presets() if preset.where == "shipped"}
    for name, measures in toml_beside(leaderboard.__file__).items():
        assert set(measures) <= set(found[name])


def rows() -> list[dict]:
    done = CliRunner().invoke(app, ["leaderboard", "--json"])
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_command_prints_a_line_for_each_system() -> None:
    printed = rows()
    assert len(printed) == len(leaderboard.leaderboard().lines)
    tagger = [row for row in printed if row["text"].endswith("UD English EWT")]
    assert tagger[0]["system"] == "Lectern, tagger_en_ewt"
    assert {"Stanza 1.5, published", "CRFsuite"} <= {row["system"] for row in tagger[1:]}
    for row in tagger[1:]:
        assert row["difference"] == pytest.approx(tagger[0]["score"] - row["score"])
    table = CliRunner().invoke(app, ["leaderboard"])
    assert "Stanza 1.5, published" in table.stdout
    assert "two standard errors" in table.stdout


def test_own_presets_stand_in_it_with_their_first_score(monkeypatch, tmp_path) -> None:
    shutil.copytree(PRESETS_DIR / "digits_lecture", tmp_path / "mine")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    own = next(row for row in rows() if row["system"] == "Lectern, mine")
    assert own["text"] == "accuracy"
    stored = json.loads((PRESETS_DIR / "digits_lecture" / "metrics.json").read_text(encoding="utf-8"))
    assert own["score"] == stored["accuracy"]["score"]


def test_the_lower_loss_is_better_in_an_own_preset_too(monkeypatch, tmp_path) -> None:
    shutil.copytree(PRESETS_DIR / "writer_shakespeare", tmp_path / "mine")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    published = [row["difference"] for row in rows() if row["system"].startswith("nanoGPT")]
    assert len(published) == 4 and min(published) > 0


@pytest.mark.parametrize("metrics", [{"accuracy": {"score": 90.0}}, {"accuracy": 0.9}, [1]])
def test_metrics_that_are_not_whole_leave_the_others(metrics, monkeypatch, tmp_path) -> None:
    shutil.copytree(PRESETS_DIR / "digits_lecture", tmp_path / "mine")
    (tmp_path / "mine" / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert {row["system"] for row in rows()}.isdisjoint({"Lectern, mine"})
    listed = CliRunner().invoke(app, ["presets"])
    assert listed.exit_code == 0 and "mine" in listed.stdout


def test_presets_are_listed_with_the_scores_of_the_leaderboard() -> None:
    lines = CliRunner().invoke(app, ["presets", "--json"]).stdout.splitlines()
    listed = {one["name"]: (one["measure"], one["score"]) for one in map(json.loads, lines)}
    for system, (_, score) in listed.items():
        known = [row["score"] for row in rows() if row["system"] == f"Lectern, {system}"]
        assert not known or known[0] == score
    assert listed["ocr_letters"][0] == "context" and listed["ocr_words"][0] == "words"


def test_summary_names_the_best_of_the_others() -> None:
    lines = leaderboard.leaderboard(summary=True).lines
    found = {line.row["system"]: after.row for line, after in pairwise(lines)}
    assert found["Lectern, tagger_en_ewt"]["system"] == "Stanza 1.5, published"
    losses = next(
        line.row["published"] for line in lines if line.row["system"] == "Lectern, writer_shakespeare"
    )
    assert found["Lectern, writer_shakespeare"]["score"] == min(losses.values())  # the lower is the better


def test_page_shows_all_systems() -> None:
    app = open_page("laboratory", section="Leaderboard")
    (table,) = app.dataframe
    assert "Stanza 1.5, published" in set(table.value["system"])
    assert any("two standard errors" in caption.value for caption in app.caption)


def test_page_opens_without_presets(tmp_path) -> None:
    with shipping(tmp_path):
        app = open_page("laboratory", section="Leaderboard")
    assert not app.error
