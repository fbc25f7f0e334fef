"""From any picture of a digit to what a network reads."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from data_prep.errors import InputError
from data_prep.images.preparation import (
    DIGIT_BOX,
    DIGIT_SIZE,
    centred_by_mass,
    digit_batch,
    image_bytes,
    prepare_digit,
)


def seven(width: int = 400, height: int = 500, pen: int = 50) -> np.ndarray:
    """A seven in black on white, uint8 (height, width)."""
    image = Image.new("L", (width, height), 255)
    points = [(0.25, 0.2), (0.75, 0.2), (0.42, 0.85)]
    ImageDraw.Draw(image).line([(x * width, y * height) for x, y in points], fill=0, width=pen, joint="curve")
    return np.asarray(image)


def names(prepared) -> list[str]:
    return [step.name for step in prepared.steps]


def test_steps_lead_to_what_the_network_reads() -> None:
    prepared = prepare_digit(seven())
    assert names(prepared) == ["gray", "ink", "box", "scaled", "centred"]
    assert prepared.image.shape == (DIGIT_SIZE, DIGIT_SIZE, 1)
    assert prepared.image.dtype == np.float32
    np.testing.assert_array_equal(prepared.image[..., 0], prepared.steps[-1].image)
    for step in prepared.steps:
        assert step.text and step.image.ndim == 2
        assert step.image.min() >= 0.0 and step.image.max() <= 1.0 + 1e-6


def test_box_of_twenty_and_centre_of_mass() -> None:
    image = prepare_digit(seven()).image[..., 0]
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == DIGIT_BOX
    at = np.arange(DIGIT_SIZE)
    total = image.sum()
    for middle in ((image.sum(axis=1) @ at) / total, (image.sum(axis=0) @ at) / total):
        assert abs(middle - 14.0) <= 0.5 + 1e-4


def test_shape_is_kept() -> None:
    tall = np.full((400, 400), 255, np.uint8)
    tall[50:350, 180:240] = 0
    image = prepare_digit(tall).image[..., 0]
    assert np.ptp(np.flatnonzero(image.any(axis=1))) + 1 == DIGIT_BOX
    assert np.ptp(np.flatnonzero(image.any(axis=0))) + 1 == 4


def test_light_on_dark_equals_dark_on_light() -> None:
    dark, light = prepare_digit(seven()), prepare_digit(255 - seven())
    assert dark.steps[1].text == "dark ink on light paper"
    assert light.steps[1].text == "light ink on dark paper"
    np.testing.assert_allclose(dark.image, light.image, atol=1e-5)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "bool", "float32", "rgb", "rgba"])
def test_kinds_of_array_agree(kind: str) -> None:
    gray = np.where(seven() > 127, 255, 0).astype(np.uint8)
    arrays = {
        "uint8": gray,
        "uint16": gray.astype(np.uint16) * 257,
        "bool": gray > 0,
        "float32": gray.astype(np.float32) / 255.0,
        "rgb": np.repeat(gray[..., None], 3, axis=2),
        "rgba": np.concatenate([np.zeros((*gray.shape, 3), np.uint8), 255 - gray[..., None]], axis=2),
    }
    np.testing.assert_allclose(prepare_digit(arrays[kind]).image, prepare_digit(gray).image, atol=1e-4)


def test_bytes_path_and_array_agree(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(seven()).save(file, "PNG")
    path = tmp_path / "seven.png"
    path.write_bytes(file.getvalue())
    expected = prepare_digit(seven()).image
    for source in (file.getvalue(), path, str(path)):
        np.testing.assert_array_equal(prepare_digit(source).image, expected)


@settings(max_examples=25, deadline=None)
@given(st.integers(60, 700), st.integers(60, 700), st.floats(0.0, 0.3), st.floats(0.6, 1.0), st.booleans())
def test_size_and_contrast_change_little(
    width: int, height: int, dark: float, light: float, turn: bool
) -> None:
    image = Image.fromarray(seven()).resize((width, int(width * 1.25)))
    canvas = Image.new("L", (width + height // 4, int(width * 1.25) + height // 4), 255)
    canvas.paste(image, (height // 8, height // 8))
    gray = dark + (light - dark) * np.asarray(canvas, np.float32) / 255.0
    found = prepare_digit(1.0 - gray if turn else gray).image
    expected = prepare_digit(seven()).image
    # Images are moved by whole pixels: where the centre of mass lies between two, the one or the other is right.
    moved = [np.roll(expected, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    assert min(np.abs(found - image).mean() for image in moved) < 0.03


def test_uneven_light_and_grain_of_a_photograph() -> None:
    rng = np.random.default_rng(1)
    drawn = seven().astype(np.float32) / 255.0
    light = 0.95 - 0.4 * np.linspace(0, 1, 400)[None] - 0.15 * np.linspace(0, 1, 500)[:, None] ** 2
    photo = np.clip(light * (0.3 + 0.7 * drawn) + rng.normal(0, 0.02, drawn.shape), 0, 1).astype(np.float32)
    found = prepare_digit(photo)
    assert np.abs(found.image - prepare_digit(seven()).image).mean() < 0.03


def test_specks_are_removed() -> None:
    drawn = seven().copy()
    drawn[5:9, 390:395] = 0
    prepared = prepare_digit(drawn)
    assert "clean" in names(prepared)
    np.testing.assert_allclose(prepared.image, prepare_digit(seven()).image, atol=0.02)


def test_a_second_stroke_is_no_speck() -> None:
    drawn = np.full((300, 300), 255, np.uint8)
    drawn[100:250, 80:110] = 0
    drawn[60:90, 130:230] = 0
    prepared = prepare_digit(drawn)
    assert "clean" not in names(prepared)


def test_thin_strokes_become_as_thick_as_mnists() -> None:
    thin = prepare_digit(seven(800, 1000, pen=6))
    assert "stroke" in names(thin)
    plain = prepare_digit(seven(800, 1000, pen=100))
    assert "stroke" not in names(plain)
    assert 40.0 < thin.image.sum() < 1.3 * plain.image.sum()


def test_ink_that_touches_the_border_is_whole() -> None:
    bar = np.zeros((28, 28), np.uint8)
    bar[:, 13:16] = 255
    image = prepare_digit(bar).image[..., 0]
    assert np.ptp(np.flatnonzero(image.any(axis=1))) + 1 == DIGIT_BOX


BLANK = {
    "white": np.full((280, 280), 255, np.uint8),
    "black": np.zeros((280, 280), np.uint8),
    "transparent": np.zeros((280, 280, 4), np.uint8),
    "one pixel": np.zeros((1, 1), np.uint8),
    "faint": np.pad(np.full((20, 20), 250, np.uint8), 60, constant_values=255),
    "noise": np.random.default_rng(2).random((80, 80)),
    "grain": np.clip(0.8 + np.random.default_rng(2).normal(0, 0.03, (200, 200)), 0, 1),
}


@pytest.mark.parametrize("name", BLANK)
def test_nothing_drawn_is_said(name: str) -> None:
    with pytest.raises(InputError, match="shows nothing") as caught:
        prepare_digit(BLANK[name], "The canvas")
    assert str(caught.value).startswith("The canvas ")


def test_a_few_pixels_are_enough() -> None:
    dot = np.zeros((100, 100), np.uint8)
    dot[50, 50] = 255
    assert prepare_digit(dot).image.sum() > 0.0


def test_centring_never_cuts_off() -> None:
    lopsided = np.zeros((20, 20), np.float32)
    lopsided[0] = 1.0
    lopsided[19, 0] = 0.01
    assert centred_by_mass(lopsided, 28).sum() == pytest.approx(lopsided.sum())


def test_prepared_sets_only_change_their_type() -> None:
    images = np.random.default_rng(3).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    batch = digit_batch(images)
    assert batch.shape == (5, 28, 28, 1) and batch.dtype == np.float32
    np.testing.assert_array_equal(np.round(batch[..., 0] * 255).astype(np.uint8), images)


def test_bytes_of_a_prepared_digit() -> None:
    prepared = prepare_digit(seven())
    stored = image_bytes(prepared)
    assert stored.dtype == np.uint8 and stored.max() == 255
    np.testing.assert_allclose(digit_batch(stored[None])[0], prepared.image, atol=0.5 / 255 + 1e-6)


@pytest.mark.realdata
def test_mnist_comes_out_as_it_went_in(data_dir: Path) -> None:
    """MNIST was made this way, so its images change next to nothing: one pipeline for training and for drawing."""
    from data_prep.readers.mnist import read_mnist

    images = read_mnist("test").images[:300]
    changes = [np.abs(prepare_digit(one).image[..., 0] - one / 255.0).mean() for one in images]
    assert np.mean(changes) < 0.003
    assert np.mean(np.array(changes) < 0.01) > 0.98
