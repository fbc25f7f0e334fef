"""``python -m apps digits inspect``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from apps.__main__ import app
from apps.digits.examples import examples
from tests.apps.digit_presets import save_digits


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_digits(tmp_path_factory.mktemp("digits") / "lecture", "lecture")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "five.png"
    Image.fromarray(255 - np.kron(examples().images[0], np.ones((4, 4), np.uint8))).save(path)
    return path


def inspect(*arguments: object):
    return CliRunner().invoke(app, ["digits", "inspect", *map(str, arguments)])


def test_numbers_of_every_layer(preset: Path, image: Path) -> None:
    done = inspect(image, "--preset", preset, "--label", 5, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["file"] == str(image)
    assert found["label"] == "5"
    assert [layer["name"] for layer in found["layers"]][1] == "conv1"
    assert found["layers"][1]["parameters"] == 208
    assert found["layers"][1]["activations"]["min"] < found["layers"][1]["activations"]["max"]
    assert len(found["nearest"]) == 5
    table = inspect(image, "--preset", preset).stdout
    assert "conv1\tConv2D\t24x24x8\t208" in table
    assert "nearest, training image" in table


def test_a_saved_epoch_and_pictures(preset: Path, image: Path, tmp_path: Path) -> None:
    finished = json.loads(inspect(image, "--preset", preset, "--json").stdout)
    folder = tmp_path / "strips"
    done = inspect(image, "--preset", preset, "--epoch", 0, "--pictures", folder, "--json")
    assert json.loads(done.stdout)["layers"] != finished["layers"]
    assert (folder / "002-conv1-kernel.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--epoch", "99"), "That epoch was not saved"),
        (("--label", "ten"), "There is no such class"),
        (("--preset", "nowhere"), "nowhere"),
    ],
)
def test_wrong_options_are_one_message(
    preset: Path, image: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = inspect(image, "--preset", preset, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert done.stderr.count("Error:") == 1


def test_wrong_files_are_one_message(preset: Path, image: Path, tmp_path: Path) -> None:
    (tmp_path / "digit.png").write_bytes(b"%PDF-1.7")
    done = inspect(tmp_path / "digit.png", "--preset", preset)
    assert done.exit_code == 2
    assert "no PNG or JPEG" in done.stderr
    done = inspect(image, "--preset", preset, "--pictures", tmp_path)
    assert done.exit_code == 2
    assert "is not an empty folder" in done.stderr
