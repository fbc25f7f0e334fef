from __future__ import annotations

import io
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from data_prep.files import UNFINISHED
from models.storage import atomic
from models.storage.variables import assign_arrays, stable_paths, variable_arrays
from models.training.fit import fit
from models.training.progress import DivergedError
from tests.models.training_run import (
    BATCH,
    EPOCHS,
    INPUTS,
    ROWS,
    SEED,
    TARGETS,
    AtStep,
    build,
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
        (f"step{2 * STEPS + 3}", 2),
        ("during:state-0002.npz", 1),
        pytest.param("during:state-0003.json", 2, marks=pytest.mark.slow),
        pytest.param("after:best-0002.npz", 1, marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, undisturbed, moment, epochs_safe):
    killed = crash(tmp_path / "run", moment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    out = io.StringIO()
    model, result = run(tmp_path / "run", resume=True, stream=out)
    assert f"Going on after epoch {epochs_safe} of {EPOCHS}" in out.getvalue()
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
            patch.setattr(atomic.os, "replace", failing)
            try:
                model, result = run(folder, resume=True, epochs=epochs)
            except Crash:
                crashes += 1
                assert not list(folder.glob(f"*{UNFINISHED}"))
    assert crashes == 7
    assert_same_end(folder, model, result, reference)


def interrupt():
    raise KeyboardInterrupt


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def interrupted(folder, step, act=interrupt, **changes):
    with pytest.raises(KeyboardInterrupt):
        run(folder, callbacks=[AtStep(step, act)], **changes)


@pytest.mark.parametrize("act", [interrupt, terminate])
def test_an_interrupt_leaves_a_state_and_restores_the_signal(tmp_path, undisturbed, act):
    before, out = signal.getsignal(signal.SIGTERM), io.StringIO()
    interrupted(tmp_path / "run", STEPS + 1, act, stream=out)
    assert signal.getsignal(signal.SIGTERM) is before
    assert "--resume" in out.getvalue()
    model, result = run(tmp_path / "run", resume=True)
    assert_same_end(tmp_path / "run", model, result, undisturbed)


def test_epochs_one_by_one_train_as_one_keras_fit_does(tmp_path):
    """Averaged weights must not leak into the training, and at the end they are what Keras would give."""
    model, _ = run(tmp_path / "run", keep_best=False)
    plain = build()
    inputs = np.concatenate([epoch_data(epoch)[0] for epoch in range(EPOCHS)])
    targets = np.concatenate([epoch_data(epoch)[1] for epoch in range(EPOCHS)])
    plain.fit(inputs, targets, batch_size=BATCH, shuffle=False, verbose=0)
    for name, array in variable_arrays(plain.variables).items():
        np.testing.assert_allclose(
            variable_arrays(model.variables)[name], array, rtol=1e-5, atol=1e-6, err_msg=name
        )


def test_the_best_weights_end_in_the_model(tmp_path):
    values = iter([3.0, 1.0, 2.0, 4.0])
    seen = []
    model = build()

    def evaluate():
        seen.append(variable_arrays(model.weights))
        return {"score": next(values)}

    _, result = run(tmp_path / "run", model, evaluate=evaluate, monitor="score")
    assert (result.best_epoch, result.best_value, result.epochs) == (2, 1.0, EPOCHS)
    for name, array in variable_arrays(model.weights).items():
        np.testing.assert_array_equal(array, seen[1][name])
    assert [line["best"] for line in result.history] == [True, True, False, False]


def test_max_mode_and_patience(tmp_path):
    values = iter([1.0, 3.0, 2.0, 9.0])
    _, result = run(
        tmp_path / "run", evaluate=lambda: {"score": next(values)}, monitor="score", mode="max", patience=1
    )
    assert (result.best_epoch, result.epochs, result.stopped_early) == (2, 3, True)
    _, again = run(
        tmp_path / "run",
        evaluate=lambda: pytest.fail("ran on"),
        monitor="score",
        mode="max",
        patience=1,
        resume=True,
    )
    assert (again.best_epoch, again.epochs, again.stopped_early) == (2, 3, True)


def test_recipe_and_metrics_are_written_and_shown(tmp_path):
    out = io.StringIO()
    _, result = run(tmp_path / "run", stream=out, progress=True)
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert recipe["recipe"] == {"rate": 0.05, "network": {"units": 12}}
    assert (recipe["fit"]["seed"], recipe["fit"]["epochs"]) == (SEED, EPOCHS)
    assert recipe["versions"]["keras"] == keras.__version__
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert lines == list(result.history)
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert lines[0].keys() == {"epoch", "steps", "seconds", "best", "loss", "dev"}
    shown = out.getvalue()
    assert shown.index('"rate"') < shown.index("epoch 1/4")
    assert f"{EPOCHS * STEPS}/{EPOCHS * STEPS}" in shown


def test_a_finished_run_resumes_to_its_best_weights_without_training(undisturbed):
    folder, model, result = undisturbed
    again, resumed = run(folder, resume=True, epoch_data=lambda epoch: pytest.fail("trained"))
    assert resumed.history == result.history
    assert_same_end(folder, again, resumed, undisturbed)
    assert model is not again


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-20])


def damage_flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("suffix", [".npz", ".json"])
@pytest.mark.parametrize("damage", [damage_cut, damage_flip, Path.unlink])
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(tmp_path, undisturbed, suffix, damage):
    interrupted(tmp_path / "run", 2 * STEPS + 1)
    damage(tmp_path / "run" / f"state-0002{suffix}")
    out = io.StringIO()
    model, result = run(tmp_path / "run", resume=True, stream=out)
    assert f"Going on after epoch 1 of {EPOCHS}" in out.getvalue()
    if suffix == ".npz" or damage is not Path.unlink:  # without its JSON a checkpoint was never finished
        assert "The checkpoint of epoch 2 is damaged and was passed over" in out.getvalue()
        assert "state-0002" in result.notices[0]
    assert_same_end(tmp_path / "run", model, result, undisturbed)


def test_without_one_whole_checkpoint_resume_is_refused(tmp_path):
    interrupted(tmp_path / "run", STEPS + 1)
    for path in (tmp_path / "run").glob("state-*.npz"):
        damage_flip(path)
    with pytest.raises(
        InputError, match=r"No checkpoint in .* can be read.*altered.*Start again in another folder"
    ):
        run(tmp_path / "run", resume=True)


def test_damaged_best_weights_are_noticed(tmp_path, undisturbed):
    interrupted(tmp_path / "run", 2 * STEPS + 1)
    damage_flip(tmp_path / "run" / "best-0002.npz")
    out = io.StringIO()
    model, result = run(tmp_path / "run", resume=True, stream=out)
    assert "best-0002.npz was altered" in out.getvalue()
    assert_same_end(tmp_path / "run", model, result, undisturbed)


def test_a_run_killed_before_its_first_checkpoint_starts_again(tmp_path, undisturbed):
    out = io.StringIO()
    model, result = run(tmp_path / "run", resume=True, stream=out)
    assert "Nothing was begun" in out.getvalue()
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


def test_resume_without_a_readable_recipe_is_refused(tmp_path):
    interrupted(tmp_path / "run", STEPS + 1)
    damage_cut(tmp_path / "run" / "recipe.json")
    with pytest.raises(InputError, match=r"recipe\.json, cannot be read"):
        run(tmp_path / "run", resume=True)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"Cannot write .*file/run.*Choose a folder"):
        run(tmp_path / "file" / "run")


def test_a_second_process_in_the_folder_is_refused(tmp_path):
    def second(epoch):
        with pytest.raises(InputError, match=r"Another process is training in"):
            run(tmp_path / "run", resume=True)
        return epoch_data(epoch)

    run(tmp_path / "run", epochs=1, epoch_data=second)


def test_a_nan_loss_names_the_step_and_keeps_the_checkpoint(tmp_path):
    def poisoned(epoch):
        inputs, targets = epoch_data(epoch)
        if epoch == 1:
            targets = targets.copy()
            targets[3 * BATCH] = np.nan
        return inputs, targets

    with pytest.raises(
        DivergedError, match=r"diverged at step 4 of epoch 2: the loss is nan.*Lower the learning"
    ):
        run(tmp_path / "run", epoch_data=poisoned)
    assert (tmp_path / "run" / "state-0001.json").exists()
    _, result = run(tmp_path / "run", resume=True)
    assert result.epochs == EPOCHS


class SilentNan(keras.Model):
    """A weight turns NaN while the loss stays healthy, as happens with fused operations."""

    def __init__(self):
        super().__init__()
        self.steps = self.add_weight(
            shape=(), dtype="int64", trainable=False, initializer="zeros", name="steps"
        )
        self.table = self.add_weight(shape=(3, 2), initializer="zeros", name="table")
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.built = True

    @property
    def metrics(self):
        return [self.mean_loss]

    def train_step(self, data):
        self.steps.assign_add(1)
        poison = keras.ops.where(self.steps > 10, float("nan"), 1.0)
        self.table.assign_add(keras.ops.ones((3, 2)) * poison)
        self.mean_loss.update_state(1.0 / keras.ops.cast(self.steps, "float32"))
        return {"loss": self.mean_loss.result()}


class ForgottenLoss(SilentNan):
    @property
    def metrics(self):
        return keras.Model.metrics.fget(self)[:1]  # the tracker of Keras, which this train_step never updates

    def train_step(self, data):
        self.steps.assign_add(1)
        return {"loss": keras.ops.convert_to_tensor(2.0)}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="assigns variables in its train_step")
def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    model = SilentNan()
    model.compile()
    with pytest.raises(DivergedError, match=r"at epoch 2: the variable .*table is not finite"):
        run(tmp_path / "run", model, evaluate=None, monitor="loss")
    assert sorted(path.name for path in (tmp_path / "run").glob("best*")) == ["best-0001.npz"]
    assert not (tmp_path / "run" / "state-0002.npz").exists()


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="assigns variables in its train_step")
def test_a_custom_train_step_on_a_dataset_resumes_with_its_own_counter(tmp_path):
    import tensorflow as tf

    def dataset(epoch):
        return tf.data.Dataset.from_tensor_slices(epoch_data(epoch)[0]).batch(4)

    def attempt(**changes):
        model = SilentNan()
        model.compile(optimizer=None)
        arguments = {
            "evaluate": None,
            "monitor": "loss",
            "epochs": 2,
            "batch_size": None,
            "steps_per_epoch": 3,
        }
        return run(tmp_path / "run", model, **{**arguments, "epoch_data": dataset, **changes})

    def stop(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(epoch_data=lambda epoch: dataset(epoch) if epoch == 0 else stop(epoch))
    model, result = attempt(resume=True)
    assert int(model.steps) == 6
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(model.table), np.full((3, 2), 6.0))
    assert [line["steps"] for line in result.history] == [3, 3]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="assigns variables in its train_step")
def test_a_loss_that_keras_would_report_as_zero_is_refused(tmp_path):
    model = ForgottenLoss()
    model.compile(optimizer=None)
    with pytest.raises(ValueError, match=r"train_step returns a loss that no metric has seen"):
        run(tmp_path / "run", model, evaluate=None, monitor="loss")


@pytest.mark.parametrize("kind", ["arrays", "generator"])
def test_an_epoch_without_data_is_refused(tmp_path, kind):
    if kind == "arrays":
        nothing, batch_size = (np.zeros((0, 6), np.float32), np.zeros((0, 1), np.float32)), BATCH
    else:
        nothing, batch_size = (batch for batch in ()), None
    with pytest.raises(InputError, match=r"The training data of epoch 1 are empty"):
        run(tmp_path / "run", epoch_data=lambda epoch: nothing, batch_size=batch_size)


def test_a_generator_without_a_known_length(tmp_path):
    def batches(epoch):
        inputs, targets = epoch_data(epoch)
        for start in range(0, ROWS, BATCH):
            yield inputs[start : start + BATCH], targets[start : start + BATCH]

    out = io.StringIO()
    _, result = run(
        tmp_path / "run", epoch_data=batches, batch_size=None, epochs=2, progress=True, stream=out
    )
    assert [line["steps"] for line in result.history] == [STEPS, STEPS]
    assert f"/{2 * STEPS}" in out.getvalue()


def test_a_score_that_is_not_finite_stops_the_run(tmp_path):
    with pytest.raises(DivergedError, match=r"at epoch 1: score is nan"):
        run(tmp_path / "run", evaluate=lambda: {"score": float("nan")}, monitor="score")


def test_an_unknown_monitor_names_what_there_is(tmp_path):
    with pytest.raises(InputError, match=r"No metric is called 'devv'. Allowed: loss, dev. Received: 'devv'"):
        run(tmp_path / "run", monitor="devv")


def test_clashing_metric_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"names of training metrics: \['loss'\]"):
        run(tmp_path / "run", evaluate=lambda: {"loss": 1.0}, monitor="loss")


def test_unbuilt_model_and_bad_arguments_are_refused(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"built and compiled"):
        fit(model, epoch_data, epochs=1, run_dir=tmp_path, seed=1, recipe={})
    with pytest.raises(ValueError, match=r"epochs does not fit"):
        run(tmp_path / "run", epochs=0)
    assert not (tmp_path / "run").exists()


def test_names_of_variables_do_not_depend_on_what_was_built_before():
    def network():
        inputs = keras.Input((4, 3))
        hidden = keras.layers.Bidirectional(keras.layers.LSTM(2, dropout=0.1))(inputs)
        return keras.Sequential([keras.Model(inputs, keras.layers.Dense(3)(hidden)), keras.layers.Dense(3)])

    first, second = network(), network()
    first(INPUTS[:2, None, :3].repeat(4, 1))
    second(INPUTS[:2, None, :3].repeat(4, 1))
    assert [v.path for v in first.variables] != [v.path for v in second.variables]
    assert stable_paths(first.variables) == stable_paths(second.variables)


def test_wrong_arrays_are_not_assigned():
    model = build()
    arrays = variable_arrays(model.weights)
    arrays["dense/kernel"] = arrays["dense/kernel"].T
    with pytest.raises(ValueError, match=r"'dense/kernel' is float32\[12, 6\] instead of float32\[6, 12\]"):
        assign_arrays(model.weights, arrays)


def test_training_reduces_the_error(undisturbed):
    _, model, result = undisturbed
    assert dev_error(model)["dev"] == result.best_value < 0.5 * float(np.mean(TARGETS**2))
