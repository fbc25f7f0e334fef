"""Your own letters and words, in any alphabet: trained, scored, read back, tuned, and refused with one message."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from apps.__main__ import app
from apps.ocr.application import Reader
from data_prep.images.folders import MAX_CLASSES
from data_prep.images.letter_words import PLAIN, compose_word
from data_prep.images.pen_letters import pen_letters
from data_prep.readers.letters import FOLDS
from models.presets.store import load_preset

DRAWN = {"α": 0, "β": 1, "γ": 14, "ω": 23}  # a Greek letter to the letter of the pen that stands for it
WORDS = ("αβγ", "γαω", "ωωβ", "βα", "ωγ")
TINY = (
    *("epochs=4", "batch_size=8", "filters=6,8,10", "convolutions=1", "features=24", "units=12"),
    *("lm_order=2", "learning_rate=0.02", "dropout=0.0", "products=float32"),
)
LETTERS_ONLY = ("epochs=2", "passes=8")  # few epochs: each of them ends with a checkpoint


def ocr(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(app, ["ocr", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done


def fit(out: Path, *arguments: object, settings: Sequence[str] = (), code: int = 0) -> Result:
    sets = [part for setting in (*TINY, *settings) for part in ("--set", setting)]
    return ocr("fit", "--out", out, "--json", *arguments, *sets, code=code)


def pictures(word: str, hand: int) -> np.ndarray:
    """Letters of a word in another hand, uint8 (letters, 16, 8), 255 for ink."""
    return pen_letters(np.array([DRAWN[letter] for letter in word]), hand)


def written(word: str, hand: int) -> np.ndarray:
    """A word in one piece, float32 (16, width), 1 for ink."""
    labels = np.array([DRAWN[letter] for letter in word])
    return compose_word(pen_letters(labels, hand), labels, PLAIN)[..., 0]


def save(image: np.ndarray, path: Path) -> Path:
    """Write ink as a scan shows it: dark on light, larger than the network's pictures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    large = np.kron(np.asarray(image, np.uint8), np.ones((4, 4), np.uint8))
    Image.fromarray(255 - np.pad(large, 12)).save(path)
    return path


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty words, a sub-folder a letter."""
    folder = tmp_path_factory.mktemp("own") / "greek"
    for number in range(40):
        word = WORDS[number % len(WORDS)]
        for place, (letter, image) in enumerate(zip(word, pictures(word, number), strict=True), start=1):
            save(image, folder / letter / f"word{number:02}_{place}.png")
    return folder


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty words in one piece, in a CSV file."""
    folder = tmp_path_factory.mktemp("own") / "words"
    rows = [("picture", "text")]
    for number in range(40):
        word = WORDS[number % len(WORDS)]
        image = written(word, number)
        rows.append((save(255 * image, folder / f"{number}.png").name, word))
    return table(folder / "words.csv", rows)


def table(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture(scope="module")
def letters_preset(letters: Path) -> Path:
    out = letters.parent / "letters preset"
    fit(out, "--letters", letters, settings=LETTERS_ONLY)
    return out


@pytest.fixture(scope="module")
def words_preset(words: Path) -> Path:
    out = words.parent / "words preset"
    fit(out, "--words", words, settings=("lm_weight=0.0", "lm_bonus=0.0"))
    return out


def test_own_letters_are_learned_and_read_back(letters: Path, letters_preset: Path) -> None:
    preset = load_preset(letters_preset, kind="ocr")
    assert preset.config.alphabet == "αβγω" == "".join(preset.labels)
    chosen = [letters / letter / f"word01_{place}.png" for place, letter in enumerate("γαω", start=1)]
    found = json.loads(ocr("read", "--letters", "--json", "--preset", letters_preset, *chosen).stdout)
    assert found["text"] == "γαω" and len(found["probabilities"]) == 3
    result = Reader.from_preset(letters_preset).read_letters(chosen)
    assert len(result.letters[0].probabilities) == 4 and result.by_way["crf"] == "γαω"
    assert not letters_preset.with_name("letters preset.run").exists()


def test_own_words_are_learned_and_answered_in_their_alphabet(words: Path, words_preset: Path) -> None:
    preset = load_preset(words_preset, kind="ocr")
    assert preset.config.reads == "words" and preset.config.alphabet == "αβγω"
    done = ocr("read", "--json", "--preset", words_preset, words.parent / "0.png", words.parent / "1.png")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(set(one["text"]) <= set("αβγω") for one in found)
    assert any(set(one["text"] + "".join(other["text"] for other in one["alternatives"])) for one in found)


def test_what_was_held_out_is_scored(
    letters: Path, letters_preset: Path, words: Path, words_preset: Path
) -> None:
    found = json.loads(
        ocr("evaluate", "--json", "--letters", letters, "--letters-preset", letters_preset).stdout
    )
    stored = load_preset(letters_preset, kind="ocr").metrics
    assert found["letters"]["context"]["n"] == stored["context"]["n"] < 110
    assert found["letters"]["context"]["character_error"] == pytest.approx(stored["context"]["score"])
    assert found["words"] is None
    found = json.loads(ocr("evaluate", "--json", "--words", words, "--words-preset", words_preset).stdout)
    stored = load_preset(words_preset, kind="ocr").metrics
    assert found["words"]["n"] == stored["words"]["n"] < 110
    assert found["words"]["character_error"] == pytest.approx(stored["words"]["score"], abs=1e-6)
    assert found["letters"] is None


def test_letters_that_it_did_not_learn_from_are_scored_all(letters_preset: Path, tmp_path: Path) -> None:
    for number in range(FOLDS):
        save(pictures("β", 900 + number)[0], tmp_path / "more" / "β" / f"{number}.png")
        save(pictures("ω", 900 + number)[0], tmp_path / "more" / "ω" / f"{number}.png")
    done = ocr("evaluate", "--json", "--letters", tmp_path / "more", "--letters-preset", letters_preset)
    assert json.loads(done.stdout)["letters"]["context"]["n"] == 2 * FOLDS


def test_letters_outside_the_alphabet_are_one_message(letters_preset: Path, tmp_path: Path) -> None:
    for letter in "αδ":
        save(pictures("α", 1)[0], tmp_path / "more" / letter / "1.png")
    done = ocr("evaluate", "--letters", tmp_path / "more", "--letters-preset", letters_preset, code=2)
    assert "not known" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_tuning_starts_from_the_weights_of_a_preset(
    letters: Path, letters_preset: Path, tmp_path: Path
) -> None:
    slow = ("epochs=1", "learning_rate=1e-9")
    done = fit(tmp_path / "tuned", "--letters", letters, "--from", letters_preset, settings=slow)
    assert "arrays taken over" in done.stderr
    before, after = (load_preset(path, kind="ocr").arrays for path in (letters_preset, tmp_path / "tuned"))
    np.testing.assert_allclose(after["features/kernel"], before["features/kernel"], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("one letter", "2"),
        ("unreadable", "2.png"),
        ("many", f"2 to {MAX_CLASSES} "),
        ("name", "not called by a letter"),
        ("gap", "lacks a letter"),
        ("few", "too few words"),
    ],
)
def test_a_wrong_folder_of_letters_is_one_message(name: str, message: str, tmp_path: Path) -> None:
    folder, image = tmp_path / "own", pictures("α", 1)[0]
    if name == "many":
        first = save(image, tmp_path / "one.png")
        for number in range(MAX_CLASSES + 1):
            (folder / chr(0x4E00 + number)).mkdir(parents=True)
            (folder / chr(0x4E00 + number) / "1.png").hardlink_to(first)
    for letter in {"one letter": "α", "many": ""}.get(name, "αβ"):
        for number in range(2 if name == "few" else FOLDS):
            save(image, folder / letter / f"{number}.png")
    if name == "unreadable":
        (folder / "β" / "2.png").write_bytes(b"no picture")
    if name == "name":
        save(image, folder / "alpha" / "1.png")
    if name == "gap":
        save(image, folder / "α" / "word1_2.png")
    refused(tmp_path, message, "--letters", folder)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("image", "text"), ("1.png", "αβ")], "picture"),
        ([("picture", "word"), ("1.png", "αβ")], "text"),
        ([("picture", "text")], "no rows"),
        ([("picture", "text"), ("1.png", "")], "line 2"),
        ([("picture", "text"), ("nowhere.png", "αβ")], "nowhere.png"),
        ([("picture", "text"), ("1.png", "αβ"), ("bad.png", "αβ")], "bad.png"),
        ([("picture", "text"), ("1.png", "αβ" * 40)], "too narrow"),
        ([("picture", "text"), ("1.png", "αα")], "too few"),
        ([("picture", "text"), ("1.png", "α\nβ")], "character"),
        ([("picture", "text"), ("1.png", "αβ"), ("1.png", "βα")], "too few words"),
    ],
    ids=["picture", "text", "empty", "no text", "missing", "damaged", "narrow", "one", "lines", "few"],
)
def test_a_wrong_file_of_words_is_one_message(
    rows: Sequence[Sequence[str]], message: str, tmp_path: Path
) -> None:
    save(255 * written("αβ", 1), tmp_path / "1.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    refused(tmp_path, message, "--words", table(tmp_path / "words.csv", rows))


def refused(folder: Path, message: str, *arguments: object) -> None:
    """One message, exit code 2, and nothing written."""
    before = sorted(folder.iterdir())
    done = fit(folder / "out", *arguments, code=2)
    assert message in done.stderr and "Traceback" not in done.stderr
    assert sorted(folder.iterdir()) == before


def test_letters_and_words_exclude_each_other(letters: Path, words: Path, tmp_path: Path) -> None:
    done = fit(tmp_path / "out", "--letters", letters, "--words", words, code=2)
    assert "exclude each other" in done.stderr
    done = fit(tmp_path / "out", "--letters", letters, "--recipe", "words", code=2)
    assert "does not suit" in done.stderr
    assert not list(tmp_path.iterdir())
