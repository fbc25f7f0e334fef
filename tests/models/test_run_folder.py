"""The folder of a run at its end: whole or gone, and the preset that it may replace."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from benchmarks.campaign.changes import counted, counter
from benchmarks.campaign.forked import forked
from data_prep.errors import InputError
from models.training.run_folder import begin_preset, remove_run, run_folder_of

NAMES = ("recipe.json", "state-0001.json", "state-0001.npz")


def begun(folder: Path) -> Path:
    """Make a run whose preset is put in place."""
    run = folder / "out.run"
    run.mkdir(parents=True)
    for name in NAMES:
        (run / name).write_text("a run")
    begin_preset(run, folder / "out")
    (folder / "out").mkdir()
    (folder / "out" / "weights.npz").write_text("a preset")
    return run


def test_a_run_that_is_removed_is_whole_or_gone_after_a_kill(tmp_path: Path) -> None:
    seen, out, wholes = counter(), tmp_path / "cwd" / "out", []
    for change in range(1, 8):
        run = begun(tmp_path / "cwd")
        ended = forked(counted(lambda: remove_run(Path("out.run")), seen, change), tmp_path, seconds=60)
        assert ended.code == (-signal.SIGKILL if change < 7 else 0), ended
        wholes.append(run.exists())
        if run.exists():
            assert {path.name for path in run.iterdir()} == {*NAMES, "preset"}
            assert run_folder_of(out, resume=True) == run
        else:
            with pytest.raises(InputError, match="exists already"):
                run_folder_of(out, resume=True)
            assert [path.name for path in (tmp_path / "cwd").iterdir()] == ["out"]
        shutil.rmtree(tmp_path / "cwd")
    assert wholes == [True] + [False] * 6


def test_only_the_run_that_put_a_preset_in_place_may_replace_it(tmp_path: Path) -> None:
    run = begun(tmp_path)
    own = run.rename(tmp_path / "own")  # of a run of the laboratory
    assert run_folder_of(tmp_path / "out", True, own) == own
    (tmp_path / "other").mkdir()
    for folder, resume in ((own, False), (tmp_path / "other", True)):
        with pytest.raises(InputError, match="exists already"):
            run_folder_of(tmp_path / "out", resume, folder)
    shutil.copytree(tmp_path / "out", tmp_path / "second")
    with pytest.raises(InputError, match="exists already"):
        run_folder_of(tmp_path / "second", True, own)


def test_what_a_killed_process_was_writing_beside_a_preset_is_removed(tmp_path: Path) -> None:
    dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    kept = {f".out.epochs.npz.{os.getpid()}-ab.part", f".other.npz.{dead}-ab.part", ".out.part"}
    for name in {*kept, f".out.epochs.npz.{dead}-ab.part"}:
        (tmp_path / name).touch()
    run_folder_of(tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == kept
