"""The benchmark of the product as people use it: what it times, its table, and the instruction sets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import apps.shared.reports
import benchmarks.instruction_sets as sets
from apps.shared.as_used import AS_USED, NATIVE
from benchmarks.as_used import cold, main, milliseconds, rates
from data_prep.errors import InputError
from tests.as_used_results import as_used_results


def test_a_cold_command_is_timed_with_its_memory() -> None:
    found = cold(["--version"], 1)
    assert 0.0 < found["first_character_seconds"] <= found["cold_seconds"] < 60.0
    assert 5.0 < found["cold_mib"] < 500.0
    with pytest.raises(InputError, match="failed"):
        cold(["no-such-application"], 1)


def test_works_take_turns_and_the_median_counts() -> None:
    order: list[str] = []

    def work(name: str, seconds: float):
        def call() -> None:
            order.append(name)
            time.sleep(seconds)

        return call

    found = rates({"ours": work("ours", 0.001), "peer": work("peer", 0.01)}, 100, 3)
    assert order == ["ours", "peer"] * 4
    assert found["ours"] > found["peer"] > 0.0
    assert found["spread"]["peer"][0] <= found["peer"] <= found["spread"]["peer"][1]
    one = milliseconds({"call": work("call", 0.001)}, 3, calls=2)
    assert 1.0 <= one["spread"]["call"][0] <= one["call"] <= one["spread"]["call"][1]


def test_the_table_has_every_number_of_both_readings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(apps.shared.reports, "RESULTS_DIR", tmp_path)
    assert "--isa avx2 --store" in AS_USED.markdown() and "--isa native --store" in NATIVE.markdown()
    results = as_used_results()
    (tmp_path / "as_used.json").write_text(json.dumps(results), encoding="utf-8")
    text = AS_USED.markdown()
    assert "| characters written a second (PyTorch, same network) | 20 | 10 | 40 | 15 |" in text
    assert "one, instruction set: avx2" in text
    for cores in "12":  # PyTorch is not always installed
        del results["cores"][cores]["writer"]["torch_characters_per_second"]
    (tmp_path / "as_used.json").write_text(json.dumps(results), encoding="utf-8")
    assert "| 20 | – | 40 | – |" in AS_USED.markdown()
    del results["cores"]["2"]["ocr"]
    (tmp_path / "as_used.json").write_text(json.dumps(results), encoding="utf-8")
    with pytest.raises(InputError, match=r"as_used\.json lack"):
        AS_USED.markdown()


def test_a_process_is_held_to_an_instruction_set() -> None:
    if "avx2" not in sets._flags():
        pytest.skip("the processor has no AVX2")
    code = "from benchmarks.instruction_sets import in_use; print(in_use('avx2'))"
    held = subprocess.run(
        [sys.executable, "-c", code], env=sets.environment("avx2", 1), capture_output=True, text=True, check=True
    )
    assert held.stdout.strip() == "avx2"
    if "avx512f" in sets._flags():
        free = {name: value for name, value in os.environ.items() if not name.startswith(("OPENBLAS_CORE", "NPY_"))}
        done = subprocess.run([sys.executable, "-c", code], env=free, capture_output=True, text=True)
        assert "not held to avx2" in done.stderr


def test_an_instruction_set_that_the_processor_lacks(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor: 0\nflags\t\t: sse4_2 avx\n", encoding="utf-8")
    monkeypatch.setattr(sets, "_CPU_INFO", info)
    assert main(["--isa", "avx2"]) == 2
    assert "This processor has no AVX2. Allowed: native. Received: 'avx2'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--isa", "sse9"])
