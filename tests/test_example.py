"""A model is added in five files (docs/add-a-model.md): trained, stored, opened, scored, resumed, given to Keras."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from apps.shared.commands import add_evaluate, add_fit
from models.presets import kinds
from models.storage.variables import variable_arrays
from models.training import driver
from models.training.task import Run
from tests.example.application import Flowers
from tests.example.task import FlowersRecipe, FlowersTask

ROOT = Path(__file__).resolve().parents[1]
PLACE = "tests.example.serving:FLOWERS"
VERIFY = (
    "import sys; from models.presets import kinds, store; "
    f"kinds.KINDS['flowers'] = {PLACE!r}; sys.exit(store.main(sys.argv[1:]))"
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.KINDS, "flowers", PLACE)
    monkeypatch.setattr(driver, "VERIFY_COMMAND", (sys.executable, "-c", VERIFY))


def test_the_commands_train_and_score_it(tmp_path: Path, in_a_fresh_process: None) -> None:
    app = typer.Typer()
    add_fit(app, FlowersTask(), "Train.")
    add_evaluate(app, FlowersTask(), "Score.")
    fitted = CliRunner().invoke(app, ["fit", "--out", str(tmp_path / "flowers"), "--json"])
    assert fitted.exit_code == 0, fitted.output
    summary = json.loads(fitted.stdout.splitlines()[-1])
    scored = CliRunner().invoke(app, ["evaluate", "--preset", str(tmp_path / "flowers"), "--json"])
    assert json.loads(scored.stdout)["accuracy"] == pytest.approx(summary["accuracy"], abs=1e-3)
    assert summary["accuracy"] > 85.0 and json.loads(scored.stdout)["n"] == 30
    assert "Irises" in (tmp_path / "flowers" / "README.md").read_text(encoding="utf-8")
    assert not (tmp_path / "flowers.run").exists()


def test_keras_answers_as_the_application(tmp_path: Path) -> None:
    driver.fit_task(FlowersTask(), tmp_path / "flowers", overrides=["epochs=2"])
    flowers = Flowers.from_preset(tmp_path / "flowers")
    measures = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]], np.float32)
    logits = np.asarray(flowers.keras_model()(measures))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, flowers.probabilities(measures), atol=1e-5)


def test_a_cut_training_goes_on_to_the_same_bits(tmp_path: Path, stopped_after) -> None:
    task, recipe = FlowersTask(), FlowersRecipe(epochs=4)
    source = task.source(recipe, {}, Run(tmp_path))
    whole = driver.train(task, recipe, source, Run(tmp_path / "whole")).answers
    with stopped_after(2):
        driver.train(task, recipe, source, Run(tmp_path / "cut"))
    resumed = driver.train(task, recipe, source, Run(tmp_path / "cut", resume=True))
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(array, resumed.answers.arrays[name])
    lines = map(json.loads, (tmp_path / "cut" / "events.jsonl").read_text().splitlines())
    events = [event["epoch"] for event in lines if event["event"] == "epoch"]
    assert events == [1, 2, 3, 4] == [line["epoch"] for line in resumed.history]


def test_the_weights_have_the_names_that_the_config_gives(tmp_path: Path) -> None:
    from tests.example.config import FlowerConfig, flower_specs
    from tests.example.network import build_flower_network

    model = build_flower_network(FlowerConfig())
    assert {name: array.shape for name, array in variable_arrays(model.weights).items()} == {
        name: spec.shape for name, spec in flower_specs(FlowerConfig()).items()
    }
