"""The reader beside its peer and in noise: what benchmarks score and keep, on drawn weights and pen letters."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest

import apps.shared.reports
from apps.ocr.application import Reader
from apps.ocr.evaluation import error_rate, read_letters
from apps.ocr.reports import CONTEXT, PEERS, PROTOCOLS, noise_curves
from apps.ocr.sources import spell
from benchmarks import harness, ocr_context, peers
from benchmarks.peers import crfsuite, pictures_of, pixel_features
from data_prep.errors import InputError
from data_prep.readers.letters import LetterWords, encode_word
from tests.apps.ocr_presets import WORDS, small_reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return small_reader(answer="search")


@pytest.fixture(scope="module")
def words() -> LetterWords:
    """Every word by two hands, as the set would hold them."""
    texts = WORDS * 2
    images = [spell(text, "pen", at) for at, text in enumerate(texts)]
    labels = [encode_word(text) for text in texts]
    return LetterWords.of(np.concatenate(images), labels)


def test_pixels_of_ink_are_features() -> None:
    image = np.zeros((16, 8), np.uint8)
    image[0, 3] = image[2, 0] = 255
    assert pixel_features(image[None]) == [["bias", "p3", "p16"]]


def test_crfsuite_learns_letters_from_pixels(words: LetterWords) -> None:
    pictures = pictures_of(words)
    answer = crfsuite(pictures, words.texts, describe=pixel_features, iterations=30)
    assert ["".join(letters) for letters in answer(pictures)] == list(words.texts)


def test_the_reader_and_its_peer_are_scored_on_the_fold_left_out(
    reader: Reader, words: LetterWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds = np.arange(len(words.texts)) // len(WORDS)  # one hand each
    monkeypatch.setattr(peers, "letters_of_the_set", lambda: words._replace(folds=folds))
    monkeypatch.setattr(peers.Reader, "from_preset", lambda *_: reader)
    found = peers.ocr(argparse.Namespace(preset=""))
    assert list(found["systems"]) == ["bilstm", "search", "python-crfsuite"]
    assert found["words"] == len(WORDS) and found["characters"] == sum(map(len, WORDS))
    assert all(one["character_error"] >= 0 and 0 <= one["word_error"] <= 100 for one in found["systems"].values())
    rate = error_rate(read_letters(reader.letters, words.part(np.flatnonzero(folds == 0)))["search"], WORDS)
    assert found["systems"]["search"]["word_error"] == rate.word_error


def test_noise_makes_curves_that_the_page_reads(
    reader: Reader, words: LetterWords, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    curves = ocr_context.measured_curves(reader, reader, words, (0.0, 0.5), 3)
    assert {"alone", "bilstm", "crf", "search", "greedy", "words"} <= curves.keys()
    assert curves["alone"]["n"] == len(words.labels) and curves["words"]["n"] == int(words.lengths[:3].sum())
    found = {
        "settings": {"processor": "one"},
        "levels": [0.0, 0.5],
        "curves": curves,
    }
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    (tmp_path / "ocr_context.json").write_text(json.dumps(found))
    report = CONTEXT.read()
    assert noise_curves(report.found) == {way: curve["character_error"] for way, curve in curves.items()}


def test_tables_say_what_to_run_and_then_what_was_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    assert PEERS.markdown().startswith("_Not measured yet: ")
    assert all(table.read() is None for table in (PEERS, CONTEXT, PROTOCOLS))
    systems = {"search": {"character_error": 1.25, "word_error": 4.0}}
    found = {"settings": {"threads": 1, "processor": "one", "words": 617}, "systems": systems}
    (tmp_path / "ocr_peers.json").write_text(json.dumps(found))
    assert "| Lectern, with language model | 1.25 | 4.00 | – |" in PEERS.markdown()
    (tmp_path / "ocr_peers.json").write_text("{}")
    with pytest.raises(InputError, match=r"ocr_peers.json lack systems.*Run it again"):
        PEERS.markdown()


@pytest.mark.realdata
def test_without_a_preset_the_commands_say_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    missing = ["--letters", "no-such-preset", "--words", "no-such-preset"]
    beside = [["--task", task, "--preset", "no-such-preset"] for task in peers.TABLES]
    for command, options in ((ocr_context, missing), *((peers, one) for one in beside)):
        monkeypatch.setattr(harness, "limit_cores", lambda threads: None)  # of this very process
        assert command.main(options) == 2
        assert "no-such-preset" in capsys.readouterr().err
