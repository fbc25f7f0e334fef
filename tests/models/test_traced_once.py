"""What TensorFlow traces before the first step of a training: the network once, the learning rate once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from models.training.fit import fit
from models.training.optimizers import adamw, warmup_then_cosine
from models.training.task import Run, Stage

RECIPE = SimpleNamespace(learning_rate=0.01, warmup=2, weight_decay=0.01, averaging=0.9)
BATCH = ({"x": np.ones((4, 3), np.float32)}, {name: np.ones((4, 1), np.float32) for name in ("one", "two")})


def test_a_network_of_several_outputs_is_traced_once(tmp_path: Path) -> None:
    traced = []

    def loss(labels: Any, found: Any) -> Any:
        traced.append(found)
        return ops.mean(ops.square(labels - found))

    def network() -> keras.Model:
        x = keras.Input((3,), name="x")
        outputs = {name: keras.layers.Dense(1)(keras.layers.Dense(2)(x)) for name in ("one", "two")}
        model = keras.Model({"x": x}, outputs)
        losses = dict.fromkeys(outputs, loss)
        model.compile(adamw(RECIPE, 8, beta_2=0.98), losses, jit_compile=False)
        return model

    stage = Stage("", network, lambda epoch: [BATCH] * 4, epochs=2, seed=1, recipe={}, keep="last")
    reached = fit(stage, Run(tmp_path / "run"))[1]
    assert len(traced) == 2, "once for each output"
    assert reached.history[0].keys() >= {"loss", "one_loss", "two_loss"}
    assert reached.history[1]["loss"] < reached.history[0]["loss"]


def test_the_rate_is_worked_out_once_in_a_step_and_is_that_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule, plain = warmup_then_cosine(0.01, 3, 12, 0.1), keras.optimizers.schedules.CosineDecay
    by_keras = plain(**schedule.get_config())
    assert [float(schedule(step)) for step in range(14)] == [float(by_keras(step)) for step in range(14)]
    asked, original = [], plain.__call__
    monkeypatch.setattr(plain, "__call__", lambda self, step: asked.append(step) or original(self, step))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
    model.compile(adamw(RECIPE, 8, beta_2=0.98), "mse", jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    model.fit(BATCH[0]["x"], BATCH[1]["one"], verbose=0)
    assert len(asked) == 1
