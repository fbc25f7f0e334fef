"""From any picture of a letter or a word to what the readers' networks read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from data_prep.errors import InputError
from data_prep.images.letters import (
    MAX_LETTERS,
    cut_at_gaps,
    prepare_letter,
    prepare_letters,
    prepare_word,
)
from data_prep.images.preparation import LETTER_HEIGHT, find_ink

PREPARE = {"letter": prepare_letter, "letters": prepare_letters, "word": prepare_word}


def letter_n(
    height: int = 320, width: int = 220, pen: int = 24, paper: int = 255, ink: int = 0
) -> np.ndarray:
    """An n on paper, uint8 (height, width)."""
    image = Image.new("L", (width, height), paper)
    points = [(0.2, 0.85), (0.2, 0.2), (0.5, 0.2), (0.8, 0.4), (0.8, 0.85)]
    ImageDraw.Draw(image).line(
        [(x * width, y * height) for x, y in points], fill=ink, width=pen, joint="curve"
    )
    return np.asarray(image)


def word(count: int = 3, **changes: int) -> np.ndarray:
    return np.hstack([letter_n(**changes)] * count)


def png(image: np.ndarray) -> bytes:
    written = io.BytesIO()
    Image.fromarray(image).save(written, "PNG")
    return written.getvalue()


def test_a_letter_keeps_its_shape_in_the_middle_of_its_box() -> None:
    wide = np.full((60, 200), 255, np.uint8)
    wide[20:40, 20:180] = 0
    boxed = prepare_letter(wide).image[..., 0]
    assert boxed.shape == (16, 8)
    rows = np.flatnonzero(boxed.any(axis=1))
    assert (rows[0] + rows[-1], np.ptp(np.flatnonzero(boxed.any(axis=0)))) == (15, 7)
    assert len(rows) == 2
    tall = prepare_letter(letter_n(width=90)).image[..., 0]
    columns = np.flatnonzero(tall.any(axis=0))
    assert tall[0].any() and tall[-1].any() and columns[0] + columns[-1] == 7


@pytest.mark.parametrize("kind", PREPARE)
def test_bytes_path_array_and_polarity_agree(kind: str, tmp_path: Path) -> None:
    drawn = word() if kind != "letter" else letter_n()
    (tmp_path / "drawn.png").write_bytes(png(drawn))

    def image_of(source) -> np.ndarray:
        found = PREPARE[kind](source)
        return np.stack([one.image for one in found]) if kind == "letters" else found.image

    expected = image_of(drawn)
    assert expected.dtype == np.float32 and expected.max() == 1.0 and expected.min() == 0.0
    for source in (png(drawn), tmp_path / "drawn.png", drawn / 255.0, np.repeat(drawn[..., None], 3, 2)):
        np.testing.assert_allclose(image_of(source), expected, atol=1e-5)
    np.testing.assert_allclose(image_of(255 - drawn), expected, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(st.integers(60, 500), st.integers(0, 60), st.sampled_from([(255, 0), (20, 240), (200, 90)]))
def test_size_place_and_colour_change_little(height: int, margin: int, tones: tuple[int, int]) -> None:
    paper, ink = tones
    drawn = letter_n(height, round(0.7 * height), max(3, height // 12), paper, ink)
    found = prepare_letter(np.pad(drawn, margin, constant_values=paper)).image
    assert np.abs(found - prepare_letter(letter_n(pen=26)).image).mean() < 0.12


@pytest.mark.parametrize("pen", [3, 56])
def test_thin_and_thick_pens_become_those_of_the_set(pen: int) -> None:
    prepared = prepare_letter(letter_n(pen=pen))
    assert [step.name for step in prepared.steps][-2:] == ["pen", "scaled"]
    usual = prepare_letter(letter_n(pen=26))
    assert "pen" not in [step.name for step in usual.steps]
    assert prepared.image.mean() == pytest.approx(usual.image.mean(), rel=0.25)


def test_letters_are_cut_at_gaps_and_a_dot_stays_with_its_letter() -> None:
    drawn = word(3)
    assert len(prepare_letters(drawn)) == 3
    dotted = np.full((300, 100), 255, np.uint8)
    dotted[100:260, 40:60] = 0
    dotted[40:70, 40:60] = 0
    assert len(prepare_letters(np.hstack([dotted, drawn[:300]]))) == 4
    assert [one.image.shape for one in prepare_letters(drawn)] == [(16, 8, 1)] * 3
    assert [piece.shape for piece in cut_at_gaps(np.ones((6, 5), np.float32))] == [(6, 5)]


def test_a_word_is_sixteen_pixels_high_and_keeps_its_shape() -> None:
    prepared = prepare_word(word(3, pen=26))
    height, width, channels = prepared.image.shape
    box = next(step for step in prepared.steps if step.name == "box").image
    assert (height, channels) == (LETTER_HEIGHT, 1)
    assert width == round(16 * box.shape[1] / box.shape[0])


@pytest.mark.parametrize("kind", PREPARE)
def test_blank_paper_shows_nothing(kind: str) -> None:
    with pytest.raises(InputError, match="Mine shows nothing"):
        PREPARE[kind](np.full((200, 300), 255, np.uint8), "Mine")


@pytest.mark.parametrize("kind", PREPARE)
def test_what_is_no_image_is_said(kind: str) -> None:
    with pytest.raises(InputError, match=r"mine\.txt is no PNG or JPEG"):
        PREPARE[kind](b"Dear reader, this is a letter.", "mine.txt")


def test_far_too_long_a_strip_is_no_word() -> None:
    strip = np.full((40, 2000), 255, np.uint8)
    strip[18:22, 20:1980] = 0
    with pytest.raises(InputError, match="too long a strip for a word"):
        prepare_word(strip)


def test_far_too_many_letters_are_no_word() -> None:
    bars = np.full((60, 8 * (MAX_LETTERS + 3)), 255, np.uint8)
    bars[10:50, 8:-8:8] = 0
    with pytest.raises(InputError, match="too many letters"):
        prepare_letters(bars)


@pytest.mark.realdata
def test_letters_of_the_set_come_out_as_they_went_in(data_dir: Path) -> None:
    """The set was made this way: a letter of it, drawn ten times as large, is the same letter again."""
    from data_prep.readers.letters import read_letters

    letters = read_letters().images[:400:4]
    large = [np.pad(np.kron(letter, np.ones((10, 10), np.uint8)), 20) for letter in letters]
    found = np.stack([prepare_letter(one).image[..., 0] for one in large])
    assert np.mean((found > 0.5) == (letters > 0)) > 0.97


def test_a_fainter_letter_is_made_as_dark_as_the_others() -> None:
    image = word(3)
    first = image[:, : image.shape[1] // 3]
    faint = np.concatenate([255 - (255 - first) // 3, image[:, image.shape[1] // 3 :]], axis=1)
    for dark, other in zip(prepare_letters(image), prepare_letters(faint), strict=True):
        assert np.abs(dark.image - other.image).max() < 0.2


def test_ink_paler_than_a_speck_is_read_without_it() -> None:
    paper = np.full((200, 200), 255, np.uint8)
    paper[40:160, 90:100] = 150
    paper[10, 10:190:20] = 0
    found, _ = find_ink(paper)
    assert np.isfinite(found).all() and found.max() == 1.0


def test_a_bar_that_becomes_thin_is_too_long_a_strip() -> None:
    bar = Image.new("L", (500, 120), 255)
    ImageDraw.Draw(bar).rounded_rectangle((10, 30, 490, 85), 27, fill=0)
    with pytest.raises(InputError, match="too long a strip"):
        prepare_word(np.asarray(bar))
