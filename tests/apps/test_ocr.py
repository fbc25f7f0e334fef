"""The reader on drawn weights: what holds whatever a network says, and one message for each wrong input."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.ocr.application import Reader, noisy
from apps.ocr.evaluation import WAYS
from apps.ocr.sources import banks, scored_words, spell
from data_prep.datasets import DATA_DIR_VARIABLE
from data_prep.errors import InputError
from data_prep.images.letter_words import PLAIN, compose_word
from data_prep.images.preparation import PreparedImage
from data_prep.readers.letters import LETTERS, decode_word, encode_word
from models.serving.ctc import collapse, compiled_search
from tests.apps.ocr_presets import save_reader, small_reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return small_reader()


def png(image: np.ndarray) -> bytes:
    written = io.BytesIO()
    Image.fromarray(image).save(written, "PNG")
    return written.getvalue()


def picture(text: str = "heat") -> np.ndarray:
    """A word in black on white as a scan would show it, uint8."""
    word = compose_word(spell(text), encode_word(text), PLAIN)[..., 0]
    return np.pad(
        255 - np.kron((255 * word).astype(np.uint8), np.ones((6, 6), np.uint8)), 30, constant_values=255
    )


@pytest.mark.parametrize("answer", ["bilstm", "crf", "search"])
def test_letters_have_an_answer_before_and_after_context(answer: str) -> None:
    result = small_reader(answer=answer).read_letters(spell("heat"))
    assert result.text == result.by_way[answer] and len(result.text) == 4
    assert result.by_way.keys() < WAYS.keys()
    assert result.before == result.by_way["alone"]
    for letter in result.letters:
        for shares in (letter.before_probabilities, letter.probabilities):
            assert len(shares) == 26 and sum(shares) == pytest.approx(1.0)
        assert letter.before_probability == max(letter.before_probabilities)
        assert len(letter.alternatives) == 3 and letter.letter not in [
            one.text for one in letter.alternatives
        ]
    assert result.changed == tuple(at for at in range(4) if result.text[at] != result.before[at])
    assert result.text not in [one.text for one in result.alternatives]


def test_a_word_has_an_answer_and_a_way_through_its_frames(reader: Reader) -> None:
    result = reader.read_word(picture())
    assert decode_word(collapse(result.path, len(LETTERS))) == result.text
    assert len(result.path) == len(result.frames) and result.frames.shape[1] == len(LETTERS) + 1
    np.testing.assert_allclose(result.frames.sum(axis=1), 1.0)
    assert len(result.letters) == len(result.text)
    assert "".join(span.letter for span in result.spans) == result.text
    assert all(span.start < span.end for span in result.spans)
    assert [step.name for step in result.prepared.steps][-1] == "scaled"


def test_many_words_are_read_as_one_by_one_by_the_compiled_search(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled_search.cache_clear()
    given = [picture(), picture()[:, 10:], picture()[10:]]
    alone = list(map(reader.read_word, given))
    monkeypatch.setattr("apps.ocr.application._WORDS_AT_ONCE", 2)
    for one, other in zip(reader.read_words(iter(given)), alone, strict=True):
        assert compiled_search.cache_info().currsize == 1
        assert (one.text, one.path, one.spans) == (other.text, other.path, other.spans)
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-4)
        assert [reading.text for reading in one.alternatives] == [
            reading.text for reading in other.alternatives
        ]
    assert list(reader.read_texts(given)) == [one.text for one in alone]
    with pytest.raises(InputError, match="shows nothing"):
        list(reader.read_words([picture(), BLANK_PAPER]))


def test_what_json_holds(reader: Reader) -> None:
    for result in (reader.read_word(picture()), reader.read_letters(spell("tea"))):
        found = json.loads(json.dumps(result.to_dict()))
        assert list(found) == ["text", "probabilities", "alternatives"]
        assert len(found["probabilities"]) == len(found["text"])
        assert all(0.0 <= share <= 1.0 for share in found["probabilities"])
        assert all(set(one) == {"text", "probability"} for one in found["alternatives"])


def test_sources_of_letters_agree(reader: Reader, tmp_path: Path) -> None:
    letters = spell("tea")
    large = [255 - np.kron(one, np.ones((8, 8), np.uint8)) for one in letters]
    (tmp_path / "e.png").write_bytes(png(large[1]))
    mixed = reader.read_letters([png(large[0]), tmp_path / "e.png", large[2]])
    arrays = reader.read_letters(large)
    assert mixed == arrays and len(mixed.text) == 3
    as_float = (letters / 255.0).astype(np.float32)[..., None]
    assert reader.read_letters(as_float) == reader.read_letters(letters)


def test_sources_of_a_word_agree(reader: Reader, tmp_path: Path) -> None:
    drawn = picture()
    (tmp_path / "word.png").write_bytes(png(drawn))
    for source in (png(drawn), tmp_path / "word.png", 255 - drawn):
        np.testing.assert_allclose(reader.read_word(source).frames, reader.read_word(drawn).frames, atol=1e-4)


def test_noise_is_seeded_and_grows(reader: Reader) -> None:
    clean = (spell("that") / 255.0).astype(np.float32)[..., None]
    some, more = noisy(clean, 0.1), noisy(clean, 0.3)
    assert ((some != clean) <= (more != clean)).all() and (some != clean).mean() == pytest.approx(
        0.1, abs=0.04
    )
    np.testing.assert_array_equal(noisy(clean, 0.0), clean)
    assert reader.read_letters(more) == reader.read_letters(noisy(clean, 0.3))


def test_presets_are_opened_and_told_apart(tmp_path: Path) -> None:
    letters, words = save_reader(tmp_path / "l", "letters"), save_reader(tmp_path / "w", "words", seed=1)
    opened = Reader.from_preset(letters, words)
    assert opened.read_letters(spell("tea")).text and opened.read_word(picture()).frames.size
    with pytest.raises(InputError, match="reads something else"):
        Reader.from_preset(None, letters)
    with pytest.raises(InputError, match="reads something else"):
        Reader.from_preset(words, words)
    with pytest.raises(InputError, match="no preset for words"):
        Reader.from_preset(letters, None).read_word(picture())
    with pytest.raises(InputError, match="no preset for letters"):
        Reader.from_preset(words).read_letters(spell("tea"))


BLANK_PAPER = np.full((60, 90), 255, np.uint8)
STRIP = np.pad(np.zeros((4, 3000), np.uint8), 30, constant_values=255)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "too few or too many letters"),
        ([BLANK_PAPER] * 33, "too few or too many letters"),
        ([BLANK_PAPER], "shows nothing"),
        ([b"no image"], "no PNG or JPEG"),
        (np.zeros((3, 28, 28, 1), np.float32), "wrong shape"),
    ],
    ids=["none", "many", "blank", "text", "digits"],
)
def test_wrong_letters_are_one_message(reader: Reader, images, message: str) -> None:
    with pytest.raises(InputError, match=message):
        reader.read_letters(images)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (BLANK_PAPER, "shows nothing"),
        (STRIP, "too long a strip"),
        (b"no image", "no PNG or JPEG"),
        (Path("nowhere.png"), r"no file nowhere\.png"),
    ],
    ids=["blank", "long", "text", "missing"],
)
def test_a_wrong_word_is_one_message(reader: Reader, image, message: str) -> None:
    with pytest.raises(InputError, match=message):
        reader.read_word(image)


def test_a_prepared_word_of_another_height_is_refused(reader: Reader) -> None:
    with pytest.raises(InputError, match="wrong shape"):
        reader.read_prepared_word(PreparedImage(np.zeros((28, 40, 1), np.float32), ()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("",), "letters a-z"),
        (("naïve",), "letters a-z"),
        (("two words",), "letters a-z"),
        (("a" * 33,), "too long"),
        (("tea", "clay"), "no such letter bank"),
        (("tea", "pen", -1), "no such hand"),
    ],
    ids=["empty", "accent", "space", "long", "bank", "hand"],
)
def test_the_bank_refuses_what_it_cannot_write(arguments: tuple, message: str) -> None:
    with pytest.raises(InputError, match=message):
        spell(*arguments)


def test_without_the_set_the_pen_is_the_bank(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(tmp_path))
    monkeypatch.setattr("data_prep.datasets._cache_dir", lambda: tmp_path)
    scored_words.cache_clear()
    try:
        assert banks() == ("pen",)
        with pytest.raises(InputError, match="no such letter bank"):
            spell("tea", "set")
    finally:
        scored_words.cache_clear()
    assert spell("Tea").shape == (3, 16, 8)


@pytest.mark.realdata
def test_the_banks_letters_of_the_set_are_those_of_the_test_fold(data_dir: Path) -> None:
    scored_words.cache_clear()
    assert banks() == ("pen", "set")
    drawn, again = spell("quiz", "set", 5), spell("quiz", "set", 5)
    np.testing.assert_array_equal(drawn, again)
    known = {one.tobytes() for one in scored_words().images}
    assert all(one.tobytes() in known for one in drawn)


def test_only_what_your_own_data_are_for_is_scored(reader: Reader, tmp_path: Path) -> None:
    letters = Reader(reader.letters, None, {"letters": None})
    with pytest.raises(InputError, match=r"The preset reads something else\. Allowed: letters\. Received: 'words'"):
        letters.evaluate(words=str(tmp_path / "words.csv"))
    with pytest.raises(InputError, match="no such network"):
        letters.keras_model("words")
    for wrong in (np.nan, 255.0, -1.0):
        with pytest.raises(InputError, match="wrong values"):
            letters.read_letters(np.full((2, 16, 8, 1), wrong))
