"""``python -m apps digits``: the exact forms of its answers, and its messages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from apps.__main__ import app
from tests.apps.digit_presets import save_digits


@pytest.fixture(scope="module")
def preset(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_digits(tmp_path_factory.mktemp("digits") / "tiny", "lecture"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("pictures")
    values = np.full((90, 70), 255, np.uint8)
    values[15:75, 30:42] = 0
    Image.fromarray(values).save(folder / "dark.png")
    Image.fromarray(255 - values).save(folder / "light.jpg")
    Image.new("L", (50, 50), 255).save(folder / "blank.png")
    (folder / "document.png").write_bytes(b"%PDF-1.7\n")
    return [str(folder / name) for name in ("dark.png", "light.jpg", "blank.png", "document.png")]


def call(*arguments: str):
    return CliRunner().invoke(app, ["digits", *arguments], prog_name="python -m apps")


def refused(*arguments: str) -> str:
    done = call(*arguments)
    assert done.exit_code == 2, (done.exit_code, done.output)
    assert "Error: " in done.stderr
    return done.stderr


def test_classify_prints_one_object_an_image(preset: str, pictures: list[str]) -> None:
    done = call("classify", *pictures[:2], "--preset", preset, "--json")
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"] for line in lines] == pictures[:2]
    for line in lines:
        assert list(line) == ["file", "digit", "probabilities"]
        assert len(line["probabilities"]) == 10 and sum(line["probabilities"]) == pytest.approx(1.0)
        assert line["digit"] == int(np.argmax(line["probabilities"]))
    assert isinstance(lines[0]["digit"], int)


def test_classify_prints_a_table(preset: str, pictures: list[str]) -> None:
    done = call("classify", pictures[0], "--preset", preset)
    header, row = done.stdout.splitlines()
    assert header.split("\t") == ["file", "digit", "probability", "or"]
    assert row.startswith(pictures[0] + "\t")


@pytest.mark.parametrize(("picture", "message"), [(2, "shows nothing"), (3, "but a PDF")])
def test_bad_pictures_are_named(preset: str, pictures: list[str], picture: int, message: str) -> None:
    error = refused("classify", pictures[picture], "--preset", preset, "--json")
    assert message in error and Path(pictures[picture]).name in error


def test_a_missing_picture_is_named(preset: str) -> None:
    assert "There is no file nowhere.png" in refused("classify", "nowhere.png", "--preset", preset)


def test_a_missing_preset_is_named(pictures: list[str]) -> None:
    assert "no preset of this name" in refused("classify", pictures[0], "--preset", "digits_nowhere")


def test_evaluate_scores_a_folder(preset: str, tmp_path: Path) -> None:
    for name in ("1", "7"):
        (tmp_path / name).mkdir()
        for number in range(6):
            values = np.zeros((60, 60), np.uint8)
            values[10:50, 20 + number : 30] = 255
            Image.fromarray(values).save(tmp_path / name / f"{number}.png")
    done = call("evaluate", "--preset", preset, "--folder", str(tmp_path), "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found) == ["accuracy", "n", "standard_error"]
    assert found["n"] == 12 and 0.0 <= found["accuracy"] <= 100.0
    table = call("evaluate", "--preset", preset, "--folder", str(tmp_path))
    assert "accuracy, %" in table.stdout and "wrong" in table.stdout


@pytest.mark.realdata
def test_evaluate_scores_the_official_test_set(tmp_path: Path, data_dir: Path, monkeypatch) -> None:
    from apps.digits.application import Digits

    monkeypatch.setattr(Digits, "metadata", {}, raising=False)
    folder = save_digits(tmp_path / "tiny", "lecture")
    original = Digits.from_preset

    def from_mnist(name: str) -> Digits:
        opened = original(name)
        opened.metadata = {"recipe": {}, "data": {"mnist.npz": "sha256 any"}}
        return opened

    monkeypatch.setattr(Digits, "from_preset", from_mnist)
    done = call("evaluate", "--preset", str(folder), "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["n"] == 10_000


def test_wrong_settings_of_a_training_are_told(tmp_path: Path) -> None:
    arguments = ("fit", "--out", str(tmp_path / "digits"), "--sample")
    assert "The key 'epoch' is unknown" in refused(*arguments, "--set", "epoch=3")
    assert "no such recipe" in refused(*arguments, "--recipe", "vgg")
    assert "exclude each other" in refused(*arguments, "--folder", str(tmp_path))
    assert "is no folder" in refused(
        "fit", "--out", str(tmp_path / "digits"), "--folder", str(tmp_path / "none")
    )


def test_every_verb_has_help() -> None:
    for verb in ("fit", "evaluate", "classify", "inspect"):
        done = call(verb, "--help")
        assert done.exit_code == 0 and "Usage" in done.stdout
