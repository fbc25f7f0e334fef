"""Generated parts of README and docs: current, and made of measured numbers only."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import apps.shared.reports
from apps.shared.reports import Stored
from apps.vectors.reports import SCORES, SPEED, sections
from benchmarks import readme
from data_prep.errors import InputError

SETTINGS = {"tokens": 17_000_000, "epochs": 5, "threads": 2, "text": "Wikipedia", "processor": "two cores"}
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", readme.FILES)
def test_generated_parts_are_current(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert readme.filled(text) == text, "run: python -m benchmarks.readme"


def test_every_part_is_used() -> None:
    texts = "".join((ROOT / name).read_text(encoding="utf-8") for name in readme.FILES)
    for region in readme.REGIONS:
        assert f"<!-- results:{region} -->" in texts


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"], ids=str
)
def test_links_inside_the_project_lead_somewhere(path: Path) -> None:

    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_filling_twice_changes_nothing_more() -> None:
    text = "before\n<!-- results:lecture-map -->\nold\n<!-- /results:lecture-map -->\nafter\n"
    once = readme.filled(text)
    assert "old" not in once
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert readme.filled(once) == once


def test_scores_of_both_presets_make_a_table() -> None:
    def scores(preset: str) -> Stored:
        right = 12 if preset == "vectors_en_wiki" else 10
        section = {"accuracy": 100 * right / 16, "correct": right, "answered": 16, "of": 20}
        analogies = {"score": section["accuracy"], "n": 16, "of": 20, "sections": {"family": section}}
        pairs = {"wordsim353": {"score": 0.5, "n": 30}, "simlex999": {"score": None, "n": 0}}
        metrics = {"google_analogies": analogies, **pairs}
        return Stored(preset, {"preset": preset, "metrics": metrics, "metadata": {"seconds": 90.0}})

    report = SCORES.report(*map(scores, SCORES.presets))
    assert "| Lectern (`vectors_en_wiki`) | 75.0 | – | 16 of 20 | 0.500 (30) | – (0) |" in report.markdown()
    assert "| family | 75.0 | 16 of 20 | 62.5 | 16 of 20 |" in sections(report).markdown()


def test_benchmark_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    assert "python -m benchmarks.word2vec_vs_gensim" in SPEED.markdown()
    sides = {
        "ours": {"words_per_second": 1200000.4, "analogies": 33.04, "answered": 15578, "wordsim353": 0.6},
        "gensim": {"words_per_second": 600000, "analogies": 32.2, "answered": 15578, "wordsim353": 0.576},
    }
    (tmp_path / "word2vec_vs_gensim.json").write_text(json.dumps({"skipgram": sides, "settings": SETTINGS}))
    text = SPEED.markdown()
    assert "17,000,000 tokens of Wikipedia, 5 epochs, 2 threads on two cores" in text
    assert "| skip-gram, Lectern | 1,200,000 | 2.00 | 33.0 | 15,578 | 0.600 | – | – |" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- results:vectors -->\n", "The generated part vectors is not closed"),
        ("<!-- results:weather -->\n<!-- /results:weather -->\n", "Nothing generates this part"),
    ],
)
def test_wrong_parts_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        readme.filled(text)


def test_damaged_results_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    (tmp_path / "word2vec_vs_gensim.json").write_text("{")
    with pytest.raises(InputError, match=r"word2vec_vs_gensim\.json are not JSON"):
        SPEED.read()


def test_check_reports_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- results:lecture-map -->\n<!-- /results:lecture-map -->\n")
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    monkeypatch.setattr(readme, "FILES", ("page.md",))
    before = page.read_text()
    assert readme.main(["--check"]) == 1
    assert page.read_text() == before
    assert "page.md: out of date" in capsys.readouterr().out
    assert readme.main([]) == 0
    assert readme.main(["--check"]) == 0
