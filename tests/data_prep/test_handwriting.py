"""Handwriting of your own: folders of letters, CSV files of words; one wrong thing a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from data_prep.errors import InputError
from data_prep.images.augmentation import LetterAugmentation
from data_prep.images.letter_batches import composed_batches, letter_batches, picture_batches
from data_prep.images.letter_words import LAYOUT, compose_word
from data_prep.images.letters import prepare_letter, prepare_word
from data_prep.images.preparation import image_bytes
from data_prep.readers.handwriting import read_letter_folder, read_word_pictures

# Strokes that tell the letters apart, in a box of 10 x 10.
SHAPES = {
    "ж": [(1, 1, 9, 9), (9, 1, 1, 9), (5, 1, 5, 9)],
    "я": [(8, 1, 8, 9), (8, 1, 3, 3), (8, 5, 2, 9)],
    "É": [(2, 1, 2, 9), (2, 1, 8, 1), (2, 5, 7, 5), (2, 9, 8, 9)],
}


def draw(text: str, path: Path, unit: int = 6) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", (12 * unit * len(text), 12 * unit), 255)
    pen = ImageDraw.Draw(image)
    for at, letter in enumerate(text):
        for x1, y1, x2, y2 in SHAPES[letter]:
            left = 12 * at
            pen.line([(left + x1) * unit, y1 * unit, (left + x2) * unit, y2 * unit], fill=0, width=unit)
    image.save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The words "жя" and "яжя" and eight letters alone, in pictures of several sizes."""
    draw("ж", tmp_path / "ж" / "word1_1.png", 3)
    draw("я", tmp_path / "я" / "word1_2.png", 9)
    draw("я", tmp_path / "я" / "word2_1.png")
    draw("ж", tmp_path / "ж" / "deeper" / "word2_2.png")
    draw("я", tmp_path / "я" / "word2_3.jpg")
    draw("É", tmp_path / "U+00C9" / "1.png")
    draw("É", tmp_path / "U+00C9" / "scan_1.png")
    draw("я", tmp_path / "я" / "scan_1.png")
    for number in range(5):
        draw("É", tmp_path / "U+00C9" / f"more{number}.png")
    return tmp_path


def test_letters_in_folders_become_words(folder: Path) -> None:
    calls = []
    words, checksum = read_letter_folder(folder, progress=lambda done, total: calls.append((done, total)))
    assert words.alphabet == "Éжя" and words.texts == (*"ÉÉÉÉÉÉÉ", "жя", "яжя", "я")
    assert words.images.shape == (13, 16, 8) and words.images.dtype == np.uint8
    assert sorted(words.folds.tolist()) == list(range(10)) and calls[-1] == (13, 13)
    files = [
        *(f"U+00C9/{name}.png" for name in ("1", *(f"more{number}" for number in range(5)), "scan_1")),
        *("ж/word1_1.png", "я/word1_2.png", "я/word2_1.png", "ж/deeper/word2_2.png", "я/word2_3.jpg"),
        "я/scan_1.png",
    ]
    for file, image in zip(files, words.images, strict=True):
        np.testing.assert_array_equal(image, image_bytes(prepare_letter(folder / file)))
    assert words.part(np.array([8])).texts == ("яжя",)
    again, same = read_letter_folder(folder)
    assert same == checksum
    np.testing.assert_array_equal(again.folds, words.folds)


def test_letters_are_scored_by_the_alphabet_of_a_preset(folder: Path) -> None:
    words, _ = read_letter_folder(folder, alphabet="я?жÉ")
    assert (words.alphabet, words.texts[7], words.labels[:2].tolist()) == ("я?жÉ", "жя", [3, 3])
    with pytest.raises(InputError, match=r"characters that are not known. Allowed: жя. Received: \['É'\]"):
        read_letter_folder(folder, alphabet="жя")


def test_letters_of_any_alphabet_become_batches(folder: Path) -> None:
    words, _ = read_letter_folder(folder)
    batches = letter_batches(words, ["жяж", "abc", "я"], 3, LetterAugmentation(), other_words=0.5, seed=1)
    found = [labels["context"] for _, labels in batches.epoch(0)]
    assert {int(label) for rows in found for label in rows.ravel()} <= {-1, 0, 1, 2}
    changes = {"augmentation": LetterAugmentation(), "changed": 0.5}
    inputs, labels = next(composed_batches(words, ["жя", "яÉ"], 2, LAYOUT, 2, **changes).epoch(0))
    assert inputs["image"].shape[:2] == (2, 16) and labels.shape == (2, 2)
    assert compose_word(words.images[:2], words.labels[:2], alphabet=words.alphabet).shape[0] == 16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: draw("ж", f / "жя" / "1.png"),
            "not called by a letter.*one character, or U.0041. Received: 'жя'",
        ),
        (lambda f: draw("ж", f / "U+110000" / "1.png"), "not called by a letter"),
        (lambda f: draw("É", f / "É" / "1.png"), "two sub-folders for one letter"),
        (lambda f: draw("я", f / "ж" / "word1_2.png"), r"word1_2\.png are the same letter of the word word1"),
        (lambda f: (f / "я" / "word2_1.png").unlink(), "The word word2 lacks a letter.*Received: .2, 3."),
        (
            lambda f: draw("я", f / "я" / "word2_0.png"),
            "The word word2 lacks a letter.*Received: .0, 1, 2, 3.",
        ),
        (lambda f: (f / "я" / "notes.txt").write_text("x"), r"notes\.txt is no image"),
        (lambda f: (f / "я" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n"), r"cut\.png is (no PNG|damaged)"),
        (lambda f: Image.new("L", (9, 9), 255).save(f / "я" / "blank.png"), r"blank\.png shows nothing"),
        (lambda f: (f / "ю").mkdir(), "The class ю has no images"),
    ],
)
def test_a_wrong_folder_of_letters_is_refused(folder: Path, change, message: str) -> None:
    change(folder)
    with pytest.raises(InputError, match=message):
        read_letter_folder(folder)


def test_one_letter_too_many_letters_and_too_few_words_are_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "я" / "scan_1.png").unlink()
    with pytest.raises(
        InputError, match=r"too few words. Allowed: 10 words or more; a letter .* Received: 9"
    ):
        read_letter_folder(folder)
    assert len(read_letter_folder(folder, alphabet="Éжя")[0].folds) == 9  # to be scored
    (tmp_path / "alone" / "a").mkdir(parents=True)
    with pytest.raises(InputError, match=r"2 to 1000 sub-folders, one a class. Received: '1 sub-folders'"):
        read_letter_folder(tmp_path / "alone")
    for number in range(10_001):
        (tmp_path / "many" / f"U+{0x4E00 + number:04X}").mkdir(parents=True)
    with pytest.raises(
        InputError, match=r"2 to 1000 sub-folders, one a class. Received: '10001 sub-folders'"
    ):
        read_letter_folder(tmp_path / "many")


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    draw("жя", tmp_path / "pictures" / "1.png", 3)
    draw("яÉж", tmp_path / "2.png")
    path = tmp_path / "words.csv"
    path.write_text("text;picture\n" + "жя ;pictures/1.png\nяE\u0301ж;2.png\n" * 5, encoding="utf-8")
    return path


def test_pictures_of_words_are_read_from_a_csv(csv: Path) -> None:
    words, checksum = read_word_pictures(csv)
    assert (words.texts, words.alphabet) == (("жя", "яÉж") * 5, "Éжя")
    assert sorted(words.folds.tolist()) == list(range(10))
    assert [labels.tolist() for labels in words.labels[:2]] == [[1, 2], [2, 0, 1]]
    for file, image in zip(("pictures/1.png", "2.png"), words.images, strict=False):
        np.testing.assert_array_equal(image, image_bytes(prepare_word(csv.parent / file)))
    assert words.part(np.array([1])).texts == ("яÉж",)
    assert read_word_pictures(csv)[1] == checksum
    assert read_word_pictures(csv, alphabet="яжÉ")[0].labels[0].tolist() == [1, 0]
    with pytest.raises(InputError, match="characters that are not known"):
        read_word_pictures(csv, alphabet="жя")


def test_pictures_of_words_become_batches(csv: Path) -> None:
    words = read_word_pictures(csv)[0].part(np.arange(2))
    batches = picture_batches(words, 2, seed=4)
    ((inputs, labels),) = batches.epoch(1)
    assert len(batches) == 1 and sorted(map(tuple, labels.tolist())) == [(1, 2, -1), (2, 0, 1)]
    assert inputs["image"].dtype == np.float32 and inputs["mask"].any(axis=1).all()
    ((again, _),) = batches.epoch(1)
    np.testing.assert_array_equal(again["image"], inputs["image"])
    assert [image.shape for image in inputs["image"]] == [inputs["image"].shape[1:]] * 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,file\nж,2.png\n", "has no column picture. Allowed: text, file"),
        ("text,picture\n", "has no rows"),
        ("text,picture\nжя,none.png\n", r"There is no file .*none\.png"),
        ("text,picture\nжя,words.csv\n", r"words\.csv is no PNG or JPEG"),
        ("text,picture\n ,2.png\n", r"words\.csv, line 2: its text is empty"),
        ("text,picture\nжя,\n", r"words\.csv, line 2: its picture is empty"),
        (
            "text,picture\nжжж,2.png\n",
            "too few or too many different characters. Allowed: 2 to 1,000. Received: 1",
        ),
        ("text,picture\n" + "жя" * 20 + ",2.png\n", r"2\.png is too narrow for its text. Allowed: 80 pixels"),
    ],
)
def test_a_wrong_csv_of_words_is_refused(csv: Path, content: str, message: str) -> None:
    csv.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_word_pictures(csv)


def test_too_many_different_characters_are_refused(csv: Path) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 1_001)))
    csv.write_text(f"text,picture\n{text},2.png\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"different characters. Allowed: 2 to 1,000. Received: 1001"):
        read_word_pictures(csv)
