"""One training: epochs, best weights, what is written and shown, and what is refused."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from data_prep.errors import InputError
from models.storage.variables import variable_arrays
from models.training.events import DivergedError, tensorboard_writer
from tests.models.training_run import BATCH, EPOCHS, ROWS, SEED, batches_of, build, epoch_data, run

STEPS = ROWS // BATCH


def test_epochs_one_by_one_train_as_one_keras_fit_does(tmp_path):
    """Averaged weights must not leak into the training, and at the end they are what Keras would give."""
    model, _ = run(tmp_path / "run", keep="last")
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

    def evaluate(model):
        seen.append(variable_arrays(model.weights))
        return {"score": next(values)}

    model, result = run(tmp_path / "run", evaluate=evaluate, monitor="score")
    assert (result.best_epoch, result.best_value, result.epoch) == (2, 1.0, EPOCHS)
    for name, array in variable_arrays(model.weights).items():
        np.testing.assert_array_equal(array, seen[1][name])
    assert [line["best"] for line in result.history] == [True, True, False, False]


def test_the_largest_value_can_be_the_best(tmp_path):
    values = iter([1.0, 3.0, 2.0, 3.0])
    _, result = run(
        tmp_path / "run", evaluate=lambda model: {"score": next(values)}, monitor="score", mode="max"
    )
    assert (result.best_epoch, result.best_value, result.epoch) == (2, 3.0, EPOCHS)


def test_recipe_and_metrics_are_written_and_shown(tmp_path, capsys):
    _, result = run(tmp_path / "run")
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert recipe["recipe"] == {"rate": 0.05, "network": {"units": 12}}
    assert (recipe["fit"]["seed"], recipe["fit"]["epochs"]) == (SEED, EPOCHS)
    assert recipe["versions"]["keras"] == keras.__version__
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert lines == list(result.history)
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    assert lines[0].keys() == {"epoch", "steps", "seconds", "best", "loss", "dev"}
    shown = capsys.readouterr().err
    assert shown.index('"rate"') < shown.index("epoch 1/4")
    assert f"{EPOCHS * STEPS}/{EPOCHS * STEPS}" in shown


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"Cannot write .*file/run.*Choose a folder"):
        run(tmp_path / "file" / "run")


def test_a_nan_loss_names_the_step_and_keeps_the_checkpoint(tmp_path):
    def poisoned(epoch):
        inputs, targets = epoch_data(epoch)
        if epoch == 1:
            targets = targets.copy()
            targets[3 * BATCH] = np.nan
        return batches_of(inputs, targets)

    with pytest.raises(
        DivergedError, match=r"diverged at step 4 of epoch 2: the loss is nan.*Lower the learning"
    ):
        run(tmp_path / "run", epoch=poisoned)
    assert (tmp_path / "run" / "state-0001.json").exists()
    _, result = run(tmp_path / "run", resume=True)
    assert result.epoch == EPOCHS


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
    def batches(epoch):
        return (inputs for inputs, _ in batches_of(*epoch_data(epoch)))

    def attempt(epoch=batches, resume=False):
        model = SilentNan()
        model.compile(optimizer=None)
        settings = {"evaluate": None, "monitor": "loss", "epochs": 2, "steps": 3}
        return run(tmp_path / "run", model, epoch=epoch, resume=resume, **settings)

    def stops(epoch):
        if epoch == 1:
            raise KeyboardInterrupt
        return batches(epoch)

    with pytest.raises(KeyboardInterrupt):
        attempt(stops)
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


def test_an_epoch_without_data_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"There are no batches to train on"):
        run(tmp_path / "run", epoch=lambda epoch: ())


def test_the_number_of_steps_is_found_in_the_first_epoch(tmp_path, capsys):
    _, result = run(tmp_path / "run", epochs=2, steps=None)
    assert [line["steps"] for line in result.history] == [STEPS, STEPS]
    assert f"/{2 * STEPS}" in capsys.readouterr().err


def test_a_score_that_is_not_finite_stops_the_run(tmp_path):
    with pytest.raises(DivergedError, match=r"at epoch 1: score is nan"):
        run(tmp_path / "run", evaluate=lambda model: {"score": float("nan")}, monitor="score")


def test_an_unknown_monitor_names_what_there_is(tmp_path):
    with pytest.raises(InputError, match=r"No metric is called 'devv'. Allowed: loss, dev. Received: 'devv'"):
        run(tmp_path / "run", monitor="devv")


def test_clashing_metric_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"names of training metrics: \['loss'\]"):
        run(tmp_path / "run", evaluate=lambda model: {"loss": 1.0}, monitor="loss")


def test_an_unbuilt_model_is_refused(tmp_path):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"built and compiled"):
        run(tmp_path / "run", model)
    assert not (tmp_path / "run").exists()


def test_tensorboard_gets_the_numbers_of_every_epoch(tmp_path):
    tf = pytest.importorskip("tensorflow")
    write = tensorboard_writer(tmp_path)
    write({"event": "begin", "stage": "", "time": 1.0, "epochs": 2})
    for epoch in (1, 2):
        write({"event": "epoch", "stage": "", "time": 1.0, "epoch": epoch, "steps": 4, "loss": 0.5 / epoch})
    (file,) = (tmp_path / "training").iterdir()
    records = [tf.compat.v1.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(file))]
    values = [(event.step, value) for event in records for value in event.summary.value]
    assert [(step, value.tag, float(tf.make_ndarray(value.tensor))) for step, value in values] == [
        (1, "loss", 0.5),
        (2, "loss", 0.25),
    ]
    assert {value.metadata.plugin_data.plugin_name for _, value in values} == {"scalars"}


def test_tensorboard_gets_the_points_within_an_epoch(tmp_path):
    tf = pytest.importorskip("tensorflow")
    write = tensorboard_writer(tmp_path)
    when = {"stage": "words", "time": 1.0, "epoch": 1, "steps_done": 7, "seconds": 3.5}
    write({"event": "step", "step": 7, "steps": 9, "loss": 0.5, "learning_rate": None, **when})
    write(
        {"event": "watch", "numbers": {"held_out_loss": 0.75}, "norms": {"dense": 2.0}, "cost": 0.1, **when}
    )
    (file,) = (tmp_path / "words").iterdir()
    found = {
        value.tag: (event.step, float(tf.make_ndarray(value.tensor)))
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    }
    assert found == {
        "steps/loss": (7, 0.5),
        "steps/seconds": (7, 3.5),
        "steps/held_out_loss": (7, 0.75),
        "steps/gradient norm/dense": (7, 2.0),
    }
