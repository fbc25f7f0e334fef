"""The benchmark of writing: all systems write the same text, and what is counted is characters."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest

from apps.shared.reports import Stored
from apps.writer.reports import GENERATION
from benchmarks.generation import (
    ALPHABET,
    agreement,
    measure,
    numpy_loop,
    ours,
    predict_loop,
    random_writer,
    torch_loops,
)
from benchmarks.harness import print_report


@pytest.fixture(scope="module")
def writer():
    return random_writer(16)


def test_the_alphabet_is_that_of_tiny_shakespeare() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 65


@pytest.mark.realdata
def test_the_alphabet_is_the_data_sets(data_dir) -> None:
    assert set(ALPHABET) == set((data_dir / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8"))


def test_all_systems_write_the_same_text(writer) -> None:
    systems = {**ours(writer), "numpy": numpy_loop(writer), "keras predict": predict_loop(writer)}
    systems |= torch_loops(writer)
    shares = agreement(systems, 12)
    assert shares == dict.fromkeys(systems, 1.0)
    assert len(systems["lectern"](100)) == 100


def test_agreement_ends_at_the_first_difference() -> None:
    systems = {
        "lectern": lambda n: np.arange(n),
        "other": lambda n: np.where(np.arange(n) == 3, 9, np.arange(n)),
    }
    assert agreement(systems, 10) == {"lectern": 1.0, "other": 0.3}


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_without_pytorch_there_are_no_loops_of_it(writer) -> None:
    assert torch_loops(writer) == {}


def test_measure_counts_characters_of_every_pass(capsys) -> None:
    calls: list[int] = []
    found = measure({"a": calls.append, "b": calls.append}, {"a": 7, "b": 3}, repeats=2)
    assert calls == [7, 3, 7, 3, 7, 3]
    assert all(len(one["passes"]) == 2 and one["characters_per_second"] > 0 for one in found.values())
    for one in found.values():
        one["same_text"] = 1.0
    settings = {"units": 16, "cores": 1, "processor": "one"}
    results = {"settings": settings, "systems": found, "ratio": None, "best_torch": None}
    print_report(GENERATION.report(Stored("generation.json", json.loads(json.dumps(results)))))
    assert "PyTorch is not installed" in capsys.readouterr().out
