"""The reader's benchmarks of speed and of context: what they feed, time and keep, on drawn weights and pen letters."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import numpy as np
import pytest

import apps.shared.reports
from apps.ocr.application import Reader
from apps.ocr.evaluation import read_letters
from apps.ocr.reports import CONTEXT, PROTOCOLS, SPEED, noise_curves
from apps.ocr.sources import spell
from benchmarks import harness, ocr_context, ocr_speed
from benchmarks.tagger_peers import CrfsuitePeer, train_or_load
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
    assert ocr_speed.pixel_features(image) == ["bias", "p3", "p16"]


def test_crfsuite_learns_letters_from_pixels(words: LetterWords, tmp_path: Path) -> None:
    pairs = ocr_speed.inputs_of(words)
    peer = CrfsuitePeer(30, describe=lambda word: word.items)
    train_or_load(peer, pairs, pairs, tmp_path, lambda line: None)
    found = ["".join(letters) for letters in peer.tag([word for word, _ in pairs])]
    assert found == list(words.texts)


@pytest.mark.parametrize("way", ocr_speed.OURS)
def test_what_is_timed_reads_what_is_scored(reader: Reader, words: LetterWords, way: str) -> None:
    inputs = [word for word, _ in ocr_speed.inputs_of(words)]
    read = ["".join(letters) for letters in ocr_speed.read_by(reader.letters, inputs, way)]
    assert read == read_letters(reader.letters, words)[way]
    assert ["".join(one) for word in inputs for one in ocr_speed.read_by(reader.letters, [word], way)] == read


def test_systems_are_timed_and_scored_by_words(words: LetterWords) -> None:
    gold = ocr_speed.inputs_of(words)
    right = {id(word): letters for word, letters in gold}
    systems = {
        "one": lambda some: [["t"] * len(word) if len(word) == 5 else right[id(word)] for word in some]
    }
    found = ocr_speed.measure(systems, gold, 2, 3)["one"]
    assert found["words_per_second"] == statistics.median(found["passes"]) > 0 and found["one_word_ms"] > 0
    assert found["word_error"] == pytest.approx(100 * 2 / 16)  # "other", by two hands


def test_words_in_one_piece_are_timed(reader: Reader, words: LetterWords) -> None:
    found = ocr_speed.measure_images(reader.words, words, 3)
    assert found["words_per_second"] > 0 and found["one_word_ms"] > 0


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
        "examples": ocr_context.examples(reader, words, WORDS, 2),
    }
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    (tmp_path / "ocr_context.json").write_text(json.dumps(found))
    report = CONTEXT.read()
    assert noise_curves(report.found) == {way: curve["character_error"] for way, curve in curves.items()}
    shown = [line.row for line in report.lines]
    for one in shown:
        reads = (one["alone"], one["context"])
        wrong = [sum(a != b for a, b in zip(read, one["word"], strict=True)) for read in reads]
        assert (wrong[1] > wrong[0]) == (one["kind"] == "wrong") and wrong[0] != wrong[1]
    kinds = [(one["kind"], one["bank"]) for one in shown]
    assert all(kinds.count(kind) <= 2 for kind in kinds)


def test_tables_say_what_to_run_and_then_what_was_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    assert SPEED.markdown().startswith("_Not measured yet: ")
    assert all(table.read() is None for table in (SPEED, CONTEXT, PROTOCOLS))
    one = {"words_per_second": 1234.5, "one_word_ms": 2.0, "character_error": 1.25, "word_error": 4.0}
    systems = {"search": one, "words": {"words_per_second": 90.0, "one_word_ms": 20.0}}
    found = {"settings": {"threads": 1, "processor": "one", "words": 617}, "systems": systems}
    (tmp_path / "ocr_speed.json").write_text(json.dumps(found))
    table = SPEED.markdown()
    assert "| Lectern, with language model | 1,234 | 2.00 | 1.25 | 4.00 |" in table
    assert "| Lectern, words in one piece | 90 | 20.00 | – | – |" in table
    (tmp_path / "ocr_speed.json").write_text("{}")
    with pytest.raises(InputError, match=r"ocr_speed.json lack systems.*Run it again"):
        SPEED.markdown()


@pytest.mark.realdata
def test_without_a_preset_the_commands_say_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    missing = ["--letters", "no-such-preset", "--words", "no-such-preset"]
    for command in (ocr_speed, ocr_context):
        monkeypatch.setattr(harness, "limit_cores", lambda threads: None)  # of this very process
        assert command.main(missing) == 2
        assert "no-such-preset" in capsys.readouterr().err
