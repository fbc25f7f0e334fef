from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest

import apps.shared.reports
from apps.ocr.evaluation import error_rate
from apps.ocr.reports import PROTOCOLS, SCORES, every_protocol
from apps.ocr.sources import OcrSource
from benchmarks import harness, ocr_protocols
from data_prep.errors import InputError
from tests.apps.ocr_presets import drawn_words


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Networks are not trained: each answers every word right but for every fifth; the runs are listed."""
    runs: list[str] = []

    def run_stages(stages, run):  # type: ignore[no-untyped-def]
        runs.append("/".join(run.folder.parts[-3:]))
        return SimpleNamespace(answers=SimpleNamespace(reader=None), seconds=2.0)

    def answers(texts):  # type: ignore[no-untyped-def]
        return ["q" * len(text) if at % 5 == 0 else text for at, text in enumerate(texts)]

    def read_letters(reader, words, languages):  # type: ignore[no-untyped-def]
        ways = ["alone", "bilstm", "crf", *(f"{way}{name}" for name in languages for way in ("alone_", ""))]
        return {way: answers(words.texts) for way in ways}

    def read_words(reader, words, layout):  # type: ignore[no-untyped-def]
        return {way: answers(words.texts) for way in ("greedy", "beam", "words", "sizes")}

    monkeypatch.setattr("models.training.driver.run_stages", run_stages)
    monkeypatch.setattr(ocr_protocols, "read_letters", read_letters)
    monkeypatch.setattr(ocr_protocols, "read_words", read_words)
    return runs


@pytest.fixture(scope="module")
def source() -> OcrSource:
    return drawn_words(200)


def chosen(protocols: str = "a", splits: int = 2, letters: tuple[str, ...] = (), **more: int) -> Namespace:
    """The options of a run: protocols by their letters, w for words."""
    names = tuple(ocr_protocols.WORDS if name == "w" else name for name in protocols)
    found = {name: option.default for name, option in ocr_protocols.OPTIONS.items()}
    return Namespace(
        **{**found, "protocols": names, "splits": splits, "set": ["lm_order=2", *letters], **more}
    )


def test_every_network_in_every_protocol(trainings: list[str], source: OcrSource, tmp_path: Path) -> None:
    results = ocr_protocols.run(source, tmp_path, chosen("abcw"))
    assert len(trainings) == 2 * 2 * 3 + 2
    both = {*("alone", "alone_lm", "bilstm", "crf", "lm"), *("other_bilstm", "other_crf", "other_lm")}
    assert set(results["protocols"]["a"]["networks"]) == set(results["protocols"]["b"]["networks"]) == both
    assert set(results["protocols"]["c"]["networks"]) == both | {"alone_seen", "other_seen"}
    assert set(results["protocols"]["words"]["networks"]) == {"greedy", "beam", "words", "sizes"}
    network = results["protocols"]["a"]["networks"]["crf"]
    assert network["splits"] == 2 and network["words"] == 40
    assert 15.0 < network["word_error"]["mean"] < 25.0 and network["word_error"]["deviation"] is not None
    json.dumps(results, allow_nan=False)


def test_what_is_finished_is_not_done_again(trainings: list[str], source: OcrSource, tmp_path: Path) -> None:
    first = ocr_protocols.run(source, tmp_path, chosen(splits=1))
    done = list(trainings)
    again = ocr_protocols.run(source, tmp_path, chosen(splits=2))
    assert trainings[: len(done)] == done and len(trainings) == 2 * len(done)
    assert again["protocols"]["a"]["splits"][0] == first["protocols"]["a"]["splits"][0]
    with pytest.raises(InputError, match="is of another recipe"):
        ocr_protocols.run(source, tmp_path, chosen(splits=1, letters=("epochs=3",)))


def test_the_recipes_of_a_split_differ_in_their_words_alone() -> None:
    recipes = ocr_protocols.recipes_of(chosen(), "b", 0)
    assert recipes["own"].other_words == 0.0 and recipes["other"].other_words == 0.8
    assert recipes["own"].epochs == recipes["other"].epochs
    assert set(ocr_protocols.recipes_of(chosen(), "words", 0)) == {"words"}


def test_the_second_network_is_for_every_split_of_unseen_words_only(
    trainings: list[str], source: OcrSource, tmp_path: Path
) -> None:
    few = chosen("ac", splits=3, other_splits=1)
    results = ocr_protocols.run(source, tmp_path, few)["protocols"]
    splits = {
        name: {key: one["splits"] for key, one in results[name]["networks"].items()} for name in results
    }
    assert splits["a"]["lm"] == 3 and splits["a"]["other_lm"] == 1
    assert set(splits["c"].values()) == {3}


def test_tables_come_from_results(
    trainings: list[str], source: OcrSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = ocr_protocols.run(source, tmp_path, chosen("bw"))
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    (tmp_path / "ocr_protocols.json").write_text(json.dumps(results))
    written = PROTOCOLS.markdown(every_protocol)
    assert (
        "**(b)** ten folds: learned from one" in written
        and "2 splits, " in written
        and "| chain CRF, PyStruct (published) | 21.2 |" in written
    )
    mean = results["protocols"]["b"]["networks"]["alone"]["character_error"]["mean"]
    assert f"| letter alone (CNN) | {mean:.2f} |" in written
    assert "threads: 2; " in written and "passes" in written


def test_tables_name_the_command_where_nothing_was_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    monkeypatch.setattr("models.presets.search.PRESETS_DIR", tmp_path)
    assert PROTOCOLS.command in PROTOCOLS.markdown(every_protocol)
    assert "apps ocr fit" in SCORES.markdown()


def test_the_command_prints_one_json_object(
    trainings: list[str], source: OcrSource, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(harness, "limit_cores", lambda threads: None)
    monkeypatch.setattr(ocr_protocols, "sample_source", lambda seed: source)
    arguments = [
        "--sample",
        "--protocols",
        "a",
        "--splits",
        "1",
        "--runs",
        str(tmp_path),
        "--set",
        "lm_order=2",
    ]
    assert ocr_protocols.main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["protocols"]["a"]["measured"]["threads"] == 2
    assert ocr_protocols.main(arguments) == 0
    assert "letter alone (CNN)" in capsys.readouterr().out
    assert ocr_protocols.main([*arguments, "--set", "epochs=none"]) == 2
    with pytest.raises(SystemExit, match="2"):
        ocr_protocols.main(["--protocols", "d"])
    assert "invalid choice: 'd'" in capsys.readouterr().err
    assert error_rate(["a"], ["a"]).character_error == 0.0
