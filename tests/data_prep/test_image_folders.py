"""A folder of your own images: one sub-folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep.errors import InputError
from data_prep.images.folders import read_image_folder
from data_prep.images.preparation import image_bytes, prepare_digit


def stroke(upright: bool, pen: int = 8) -> Image.Image:
    values = np.full((60, 60), 255, np.uint8)
    values[10:50, 26 : 26 + pen] = 0
    return Image.fromarray(values if upright else values.T.copy())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, upright in (("one", True), ("dash", False)):
        (tmp_path / name).mkdir()
        for number, suffix in enumerate((".png", ".JPG", ".jpeg")):
            stroke(upright, 8 + number).save(tmp_path / name / f"{number}{suffix}")
    (tmp_path / "one" / "more").mkdir()
    stroke(True).save(tmp_path / "one" / "more" / "deep.png")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "one" / ".DS_Store").write_bytes(b"x")
    return tmp_path


def test_images_classes_and_files(folder: Path) -> None:
    calls = []
    read = read_image_folder(folder, lambda done, total: calls.append((done, total)))
    assert read.classes == ("dash", "one")
    assert read.found.labels.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert read.found.images.shape == (7, 28, 28) and read.found.images.dtype == np.uint8
    assert [path.name for path in read.files] == [
        "0.png",
        "1.JPG",
        "2.jpeg",
        "0.png",
        "1.JPG",
        "2.jpeg",
        "deep.png",
    ]
    assert calls[-1] == (7, 7)
    for path, image in zip(read.files, read.found.images, strict=True):
        np.testing.assert_array_equal(image, image_bytes(prepare_digit(path)))


def test_the_checksum_is_of_names_and_images(folder: Path) -> None:
    first = read_image_folder(folder).checksum
    assert read_image_folder(folder).checksum == first
    (folder / "one" / "0.png").rename(folder / "one" / "00.png")
    assert read_image_folder(folder).checksum != first


def test_another_file_is_named(folder: Path) -> None:
    (folder / "one" / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match=r"notes\.txt is no image"):
        read_image_folder(folder)


def test_a_blank_image_is_named(folder: Path) -> None:
    Image.new("L", (30, 30), 255).save(folder / "one" / "blank.png")
    with pytest.raises(InputError, match=r"blank\.png shows nothing"):
        read_image_folder(folder)


def test_an_empty_class_is_named(folder: Path) -> None:
    (folder / "two").mkdir()
    with pytest.raises(InputError, match="The class two has no images"):
        read_image_folder(folder)


def test_one_class_is_none(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(InputError, match="does not hold classes"):
        read_image_folder(tmp_path)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        read_image_folder(tmp_path / "nothing")


def test_a_name_that_cannot_be_written_is_refused(folder: Path) -> None:
    (folder / "caf\udce9").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        read_image_folder(folder)
