"""The writer that goes on learning while it reads: scored before it learns, and better for it where a text repeats."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest

from apps.shared.reports import Stored
from apps.writer.application import Writer
from apps.writer.reports import DYNAMIC
from benchmarks.writer_dynamic import measured
from data_prep.text.streams import Parts
from tests.apps.writer_preset import made_play, save_writer

SETTINGS = {"piece": 16, "rate": 0.0, "decay": 1e-3, "measured": 6, "whole": True}


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Writer:
    folder = tmp_path_factory.mktemp("writer")
    (folder / "play.txt").write_text(made_play(), encoding="utf-8")
    return Writer.from_preset(save_writer(folder / "preset", folder / "play.txt", members=2, dropout=0.5))


def test_without_a_rate_the_scores_are_those_of_the_writer(writer: Writer) -> None:
    text = made_play(60, seed=9)[:1_008]
    found = measured(Namespace(**SETTINGS), writer, Parts((made_play(20),), (text,)))
    nats = writer.language_model.score(text, unknown="map").nats
    assert found["all"]["n"] == 1_008 and found["first"]["n"] == 192 and found["rest"]["n"] == 816
    for name, part in (("first", slice(192)), ("rest", slice(192, None)), ("all", slice(None))):
        assert found[name]["plain"] == pytest.approx(nats[part].mean())
        assert found[name]["learning"] == pytest.approx(nats[part].mean(), abs=1e-3)
    assert found["all"]["standard_error"] > 0.0


def test_what_repeats_is_learned_and_the_preset_stays(writer: Writer) -> None:
    before = {name: np.array(array) for name, array in writer.arrays.items()}
    text = ("the old king sees the night. " * 60)[:1_600]
    found = measured(Namespace(**SETTINGS | {"rate": 0.01}), writer, Parts((made_play(20),), (text,)))
    assert found["rest"]["learning"] < 0.7 * found["rest"]["plain"]
    for name, array in writer.arrays.items():
        np.testing.assert_array_equal(array, before[name])
    table = DYNAMIC.report(Stored("of a test", {"settings": SETTINGS, "parts": found})).markdown()
    assert "| all of it |" in table and "Every piece of 16 characters" in table
