"""Training runs that were killed, stopped or damaged go on to the same bits, or are refused."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.files import UNFINISHED
from models.storage.variables import variable_arrays
from tests.models.training_run import (
    BATCH,
    EPOCHS,
    ROWS,
    TARGETS,
    AtStep,
    batches_of,
    dev_error,
    epoch_data,
    run,
)

ROOT = Path(__file__).resolve().parents[2]
STEPS = ROWS // BATCH


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    model, result = run(folder)
    return folder, model, result


def without_seconds(history):
    return [{name: value for name, value in line.items() if name != "seconds"} for line in history]


def assert_same_end(folder, model, result, undisturbed):
    """Weights, seed generators, optimizer, history and best weights are the same bits."""
    other_folder, other_model, other_result = undisturbed
    assert without_seconds(result.history) == without_seconds(other_result.history)
    assert (result.best_epoch, result.best_value) == (other_result.best_epoch, other_result.best_value)
    for name, array in variable_arrays(other_model.variables).items():
        np.testing.assert_array_equal(variable_arrays(model.variables)[name], array, err_msg=name)
    names = {path.name for path in other_folder.iterdir()}
    assert {path.name for path in folder.iterdir()} == names
    for name in sorted(name for name in names if name.endswith(".npz")):
        assert (folder / name).read_bytes() == (other_folder / name).read_bytes(), name


def crash(folder: Path, moment: str, *more: str) -> subprocess.CompletedProcess:
    script = Path(__file__).with_name("training_run.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), str(folder), moment, *more]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)


@pytest.mark.parametrize(
    ("moment", "epochs_safe"),
    [
        pytest.param(f"step{2 * STEPS + 3}", 2, marks=pytest.mark.slow),
        ("during:state-0002.npz", 1),
        pytest.param("during:state-0003.json", 2, marks=pytest.mark.slow),
        pytest.param("after:best-0002.npz", 1, marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, capsys, undisturbed, moment, epochs_safe):
    killed = crash(tmp_path / "run", moment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    model, result = run(tmp_path / "run", resume=True)
    assert f"Going on after epoch {epochs_safe} of {EPOCHS}" in capsys.readouterr().err
    assert_same_end(tmp_path / "run", model, result, undisturbed)


@pytest.mark.slow
def test_a_terminated_process_says_what_is_safe_and_can_be_resumed(tmp_path, undisturbed):
    ended = crash(tmp_path / "run", f"terminate{STEPS + 2}")
    assert ended.returncode != 0
    assert f"Interrupted: 1 of {EPOCHS} epochs are safe" in ended.stderr
    model, result = run(tmp_path / "run", resume=True)
    assert_same_end(tmp_path / "run", model, result, undisturbed)


class Crash(BaseException):
    pass


def test_a_crash_at_any_rename_leaves_a_run_that_can_be_resumed(tmp_path, monkeypatch):
    """Each attempt fails before another rename; the next one goes on from what is there."""
    epochs = 2
    reference = (tmp_path / "reference", *run(tmp_path / "reference", epochs=epochs))
    real, folder, crashes = os.replace, tmp_path / "run", 0
    for fatal in (1, 2, 3, 4, 5, 3, 4, 99):
        calls = itertools.count(1)

        def failing(source, target, calls=calls, fatal=fatal):
            if next(calls) == fatal:
                raise Crash
            real(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", failing)
            try:
                model, result = run(folder, resume=True, epochs=epochs)
            except Crash:
                crashes += 1
                assert not list(folder.glob(f"*{UNFINISHED}"))
    assert crashes == 7
    assert_same_end(folder, model, result, reference)
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert {event["epoch"] for event in events if event["event"] == "epoch"} == {1, 2}


def interrupt():
    raise KeyboardInterrupt


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def interrupted(folder, step, act=interrupt, **changes):
    with pytest.raises(KeyboardInterrupt):
        run(folder, callbacks=lambda: [AtStep(step, act)], **changes)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Copy the folder of a run that was interrupted at a step; it is trained once."""

    @cache
    def original(step):
        folder = tmp_path_factory.mktemp("stopped") / "run"
        interrupted(folder, step)
        return folder

    return lambda step, folder: shutil.copytree(original(step), folder)


@pytest.mark.parametrize("act", [interrupt, terminate])
def test_an_interrupt_leaves_a_state_and_restores_the_signal(tmp_path, capsys, undisturbed, act):
    before = signal.getsignal(signal.SIGTERM)
    interrupted(tmp_path / "run", STEPS + 1, act)
    assert signal.getsignal(signal.SIGTERM) is before
    assert "--resume" in capsys.readouterr().err
    model, result = run(tmp_path / "run", resume=True)
    assert_same_end(tmp_path / "run", model, result, undisturbed)


def test_a_finished_run_resumes_to_its_best_weights_without_training(undisturbed):
    folder, model, result = undisturbed
    again, resumed = run(folder, resume=True, epoch=lambda epoch: pytest.fail("trained"))
    assert resumed.history == result.history
    assert_same_end(folder, again, resumed, undisturbed)
    assert model is not again


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def damage_flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("damage", "suffix"),
    [
        (damage_cut, ".npz"),
        pytest.param(damage_cut, ".json", marks=pytest.mark.slow),
        (damage_flip, ".npz"),
        pytest.param(damage_flip, ".json", marks=pytest.mark.slow),
        pytest.param(Path.unlink, ".npz", marks=pytest.mark.slow),
        (Path.unlink, ".json"),
    ],
)
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(
    tmp_path, capsys, undisturbed, stopped, suffix, damage
):
    stopped(2 * STEPS + 1, tmp_path / "run")
    damage(tmp_path / "run" / f"state-0002{suffix}")
    model, result = run(tmp_path / "run", resume=True)
    said = capsys.readouterr().err
    assert f"Going on after epoch 1 of {EPOCHS}" in said
    if suffix == ".npz" or damage is not Path.unlink:  # without its JSON a checkpoint was never finished
        assert re.search("The checkpoint of epoch 2 is damaged and was passed over: .*state-0002", said)
    assert_same_end(tmp_path / "run", model, result, undisturbed)


def test_without_one_whole_checkpoint_resume_is_refused(tmp_path, stopped):
    stopped(STEPS + 1, tmp_path / "run")
    for path in (tmp_path / "run").glob("state-*.npz"):
        damage_flip(path)
    with pytest.raises(
        InputError, match=r"No checkpoint in .* can be read.*altered.*Start again in another folder"
    ):
        run(tmp_path / "run", resume=True)


def test_damaged_best_weights_are_noticed(tmp_path, capsys, undisturbed, stopped):
    stopped(2 * STEPS + 1, tmp_path / "run")
    damage_flip(tmp_path / "run" / "best-0002.npz")
    model, result = run(tmp_path / "run", resume=True)
    assert "best-0002.npz was altered" in capsys.readouterr().err
    assert_same_end(tmp_path / "run", model, result, undisturbed)


def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path, capsys, undisturbed):
    model, result = run(tmp_path / "run", resume=True)
    assert "Nothing was begun" in capsys.readouterr().err
    assert_same_end(tmp_path / "run", model, result, undisturbed)


def test_a_folder_with_a_run_needs_resume(undisturbed):
    with pytest.raises(InputError, match=r"already holds a run.*--resume, or choose another folder"):
        run(undisturbed[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": {"rate": 0.1, "network": {"units": 12}}}, r"recipe\.rate \(0\.05 -> 0\.1\)"),
        ({"recipe": {"rate": 0.05, "network": {"units": 9}}}, r"recipe\.network\.units \(12 -> 9\)"),
        (
            {"recipe": {**{"rate": 0.05, "network": {"units": 12}}, "more": 1}},
            r"recipe\.more \(absent -> 1\)",
        ),
        ({"epochs": 9}, r"fit\.epochs \(4 -> 9\)"),
        ({"seed": 6}, r"fit\.seed \(5 -> 6\)"),
    ],
)
def test_resume_with_another_recipe_is_refused(undisturbed, changes, message):
    with pytest.raises(InputError, match=f"recipe differs.*{message}.*same recipe"):
        run(undisturbed[0], resume=True, **changes)


def test_resume_with_another_network_is_refused(undisturbed):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(InputError, match=r"made with another network: .*Resume with the code and the recipe"):
        run(undisturbed[0], model, resume=True)


def test_resume_without_a_readable_recipe_is_refused(tmp_path, stopped):
    stopped(STEPS + 1, tmp_path / "run")
    damage_cut(tmp_path / "run" / "recipe.json")
    with pytest.raises(InputError, match=r"recipe\.json, cannot be read"):
        run(tmp_path / "run", resume=True)


def test_a_second_process_in_the_folder_is_refused(tmp_path):
    def second(epoch):
        with pytest.raises(InputError, match=r"Another process is training in"):
            run(tmp_path / "run", resume=True)
        return batches_of(*epoch_data(epoch))

    run(tmp_path / "run", epochs=1, epoch=second)


def test_training_reduces_the_error(undisturbed):
    _, model, result = undisturbed
    assert dev_error(model)["dev"] == result.best_value < 0.5 * float(np.mean(TARGETS**2))
