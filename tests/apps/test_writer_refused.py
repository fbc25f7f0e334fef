"""What a writer does not learn from: texts, settings and folders that are refused, and say why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from apps.writer.recipes import RECIPES, WriterRecipe
from apps.writer.sources import text_source
from apps.writer.task import WriterTask, prepared
from data_prep.errors import InputError
from data_prep.text.streams import StreamWindows
from models.training.driver import fit_task

TINY = ["layers=1", "members=1", "units=16", "embedding=8", "batch_size=4", "length=16", "epochs=2"]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "play.txt"
    path.write_text("ROMEO:\nBut soft, what light?\n\n" * 60, encoding="utf-8")
    return path


def fitted(out: Path, text: Path, overrides: list[str], **options: str) -> dict:
    return fit_task(WriterTask(), out, options={"text": [text], **options}, overrides=overrides)


def test_a_text_too_short_names_the_number_needed(tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("ab" * 300, encoding="utf-8")
    with pytest.raises(
        InputError, match=r"too short.*16 rows of 64 tokens.*1,025 tokens.*1,140 characters"
    ) as caught:
        fitted(tmp_path / "out", path, ["batch_size=16", "length=64"])
    assert not (tmp_path / "out.run").exists(), "nothing is left behind"
    needed = 1_140
    path.write_text("ab" * (needed // 2), encoding="utf-8")
    assert "1,140" in str(caught.value)
    data = prepared(replace(RECIPES["sample"], batch_size=16, length=64), text_source([path]))
    assert len(StreamWindows(data.ids, 16, 64)) == 1


def test_one_character_less_is_too_short(tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("a" * 1138, encoding="utf-8")
    with pytest.raises(InputError, match="too short"):
        fitted(tmp_path / "out", path, ["batch_size=16", "length=64"])


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\x00\x01\x02" * 400, "NUL"), (b"", "is empty"), (b"ab\xff" * 400, "not UTF-8")],
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        fitted(tmp_path / "out", path, TINY)
    assert not (tmp_path / "out.run").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        fitted(tmp_path / "out", tmp_path / "nowhere.txt", TINY)


def test_a_text_and_the_sample_exclude_each_other(tmp_path: Path, text: Path) -> None:
    with pytest.raises(InputError, match="exclude each other"):
        fitted(tmp_path / "out", text, [], sample=True)


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, text: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        fitted(tmp_path, text, TINY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"overrides": ["unit=3"]}, "'unit' is unknown"),
        ({"cell": "transformer"}, "cell does not fit"),
        ({"tokens": "byte"}, "tokens does not fit"),
        ({"overrides": ["layers=4"]}, "layers does not fit"),
        ({"overrides": ["cell=gru", "weight_dropout=0.1"]}, "Only an LSTM"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, text: Path, changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fitted(tmp_path / "out", text, **{"overrides": TINY, **changes})
    assert {path.name for path in tmp_path.iterdir()} == {"play.txt"}, "nothing is left behind"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs does not fit"),
        ({"batch_size": 0}, "batch_size does not fit"),
        ({"length": 0}, "length does not fit"),
        ({"averaging": 1.0}, "averaging does not fit"),
        ({"final_rate": 1.0}, "final_rate does not fit"),
        ({"renamed": -0.1}, "renamed does not fit"),
        ({"learning_rate": 0.0}, "learning_rate does not fit"),
        ({"clip": 0.0}, "clip does not fit"),
        ({"calibration": 0.0}, "calibration does not fit"),
        ({"warmup": -1}, "warmup does not fit"),
        ({"weight_decay": -0.1}, "weight_decay does not fit"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(change, message) -> None:
    with pytest.raises(InputError, match=message):
        replace(WriterRecipe(), **change)
