from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.readers.letters import (
    LETTERS,
    LetterWords,
    decode_word,
    encode_word,
    parse_letters,
    read_letters,
)


def lines(words: tuple[str, ...] = ("cat", "at"), folds: tuple[int, ...] = (0, 1)) -> list[str]:
    """Words in the publisher's fields; pixel number k of letter number k is ink."""
    found, identity = [], 0
    for word_id, (word, fold) in enumerate(zip(words, folds, strict=True), start=1):
        for position, letter in enumerate(word, start=1):
            identity += 1
            following = identity + 1 if position < len(word) else -1
            pixels = ["1" if at == identity else "0" for at in range(128)]
            found.append(
                "\t".join([str(identity), letter, *map(str, (following, word_id, position, fold)), *pixels])
            )
    return found


def changed(line: str, column: int, value: str) -> str:
    columns = line.split("\t")
    columns[column] = value
    return "\t".join(columns)


def test_words_come_with_their_letters() -> None:
    words = parse_letters(lines())
    assert words.texts == ("cat", "at")
    assert words.images.shape == (5, 16, 8) and words.images.dtype == np.uint8
    assert [np.flatnonzero(image.ravel()).tolist() for image in words.images] == [[1], [2], [3], [4], [5]]
    assert set(np.unique(words.images)) == {0, 255}
    assert words.lengths.tolist() == [3, 2] and words.folds.tolist() == [0, 1]


def test_the_publishers_lines_end_in_a_tab() -> None:
    assert parse_letters([line + "\t" for line in lines()]).texts == ("cat", "at")


def test_a_part_keeps_the_order_that_is_asked_for() -> None:
    part = parse_letters(lines()).part(np.array([1, 0]))
    assert part.texts == ("at", "cat") and part.folds.tolist() == [1, 0]
    assert [int(image.ravel().argmax()) for image in part.images] == [4, 5, 1, 2, 3]


@pytest.mark.parametrize(
    ("number", "column", "value", "message"),
    [
        (2, 1, "é", "line 2: it is no letter"),
        (2, 1, "A", "line 2: it is no letter"),
        (2, 2, "4", "line 3: it does not go on"),
        (3, 2, "9", "line 4: it does not go on"),
        (5, 2, "6", "line 5: it does not go on.*ends with next_id -1"),
        (5, 2, "5", "line 5: it does not go on"),
        (1, 2, "1", "line 1: it does not go on"),
        (2, 3, "7", "line 2: it does not go on"),
        (3, 4, "2", "line 3: it does not go on"),
        (4, 4, "2", "line 4: it does not go on.*begins with position 1"),
        (3, 5, "2", "line 3: it does not go on"),
        (1, 5, "10", "line 1: it is no letter.*fold 0 to 9"),
        (1, 0, "one", "line 1: it is no letter"),
        (4, 20, "2", "line 4: it is no letter.*0 or 1"),
    ],
)
def test_a_broken_line_is_named(number: int, column: int, value: str, message: str) -> None:
    broken = lines()
    broken[number - 1] = changed(broken[number - 1], column, value)
    with pytest.raises(InputError, match=message):
        parse_letters(broken)


def test_missing_pixels_are_named() -> None:
    broken = lines()
    broken[2] = broken[2].rsplit("\t", 1)[0]
    with pytest.raises(InputError, match=r"line 3: it is no letter.*128 pixels"):
        parse_letters(broken)


def test_missing_fields_are_named() -> None:
    with pytest.raises(
        InputError, match=r"line 1: it is no letter. Allowed: id, a letter a-z.*Received: '1.tc.t2'"
    ):
        parse_letters(["1\tc\t2"])


def test_no_letters_are_refused() -> None:
    with pytest.raises(InputError, match="holds no letters"):
        parse_letters([])


def test_a_part_of_the_set_is_not_the_set(tmp_path: Path) -> None:
    path = tmp_path / "letter.data.gz"
    path.write_bytes(gzip.compress(("\n".join(lines()) + "\n").encode()))
    with pytest.raises(InputError, match=r"not the whole data set.*52,152 letters.*5 letters"):
        read_letters(path)


def test_words_become_places_and_back() -> None:
    assert encode_word("az").tolist() == [0, 25]
    assert decode_word(encode_word(LETTERS)) == LETTERS


@pytest.mark.parametrize("text", ["", "Az", "a b", "ä"])
def test_other_characters_have_no_place(text: str) -> None:
    with pytest.raises(InputError, match="letters a-z"):
        encode_word(text)


@pytest.mark.realdata
def test_the_set_is_whole(data_dir: Path) -> None:
    words = read_letters(data_dir / "ocr_letters" / "letter.data.gz")
    assert isinstance(words, LetterWords)
    assert len(words.labels) == 52_152 and len(words.folds) == 6_877 and len(set(words.texts)) == 55
    assert words.texts[0] == "ommanding"
