"""The preset of a language model: its arrays are those of the network, and it answers as the network does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data_prep.array_files import specs_of
from data_prep.errors import InputError
from models.char_lm.config import (
    CharLMConfig,
    char_lm_specs,
    joined,
    parameter_count,
    units_for,
)
from models.char_lm.network import build_char_lm
from models.char_lm.serving import char_lm_answer
from models.layers.cells import CELLS
from models.serving.operations import softened
from models.storage.variables import variable_arrays
from tests.apps.writer_preset import made_play, save_writer
from tests.models.contract import answers
from tests.models.recurrent_shapes import each_recurrent


@pytest.fixture
def network(cell: str, layers: int, members: int):
    config = CharLMConfig(tokens=9, cell=cell, layers=layers, members=members, units=6, embedding=4)
    model = build_char_lm(config)
    rng = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return config, model


@each_recurrent
def test_arrays_are_those_of_the_network(network) -> None:
    config, model = network
    assert char_lm_specs(config) == specs_of(variable_arrays(model.weights))
    assert parameter_count(config) == model.count_params()


@each_recurrent
def test_answers_as_the_network(network) -> None:
    config, model = network
    ids = np.random.default_rng(0).integers(0, 9, (3, 7)).astype(np.int32)
    answer = char_lm_answer(config, variable_arrays(model.weights), {"ids": ids})["logits"]
    np.testing.assert_allclose(answer, answers(model, ids)[0], atol=1e-5)


def test_joined_networks_answer_with_the_mean_of_their_logits() -> None:
    config = CharLMConfig(tokens=9, layers=2, units=6, embedding=4)
    rng = np.random.default_rng(4)
    specs = char_lm_specs(config)
    members = [
        {name: rng.normal(size=spec.shape).astype(np.float32) for name, spec in specs.items()}
        for _ in range(3)
    ]
    together, arrays = joined(config, members)
    assert {name: array.shape for name, array in arrays.items()} == {
        name: spec.shape for name, spec in char_lm_specs(together).items()
    }
    ids = {"ids": rng.integers(0, 9, (2, 5))}
    expected = np.mean([char_lm_answer(config, member, ids)["logits"] for member in members], axis=0)
    np.testing.assert_allclose(char_lm_answer(together, arrays, ids)["logits"], expected, atol=1e-5)


def test_softened_networks_are_as_much_less_sure() -> None:
    config = CharLMConfig(tokens=9, units=6, embedding=4)
    rng = np.random.default_rng(4)
    arrays = {
        name: rng.normal(size=spec.shape).astype(np.float32) for name, spec in char_lm_specs(config).items()
    }
    ids = {"ids": rng.integers(0, 9, (2, 5))}
    logits, softer = (
        char_lm_answer(config, found, ids)["logits"] for found in (arrays, softened(arrays, 1.25))
    )
    assert softer.dtype == np.float32
    np.testing.assert_allclose(softer, logits / 1.25, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("members", [0, 5])
def test_the_number_of_members_is_bounded(members: int) -> None:
    with pytest.raises(InputError, match="members does not fit"):
        CharLMConfig(tokens=9, members=members)


@pytest.mark.parametrize("cell", CELLS)
def test_most_units_within_a_budget(cell: str) -> None:
    config = units_for(20_000, CharLMConfig(tokens=9, cell=cell))
    more = CharLMConfig(tokens=9, cell=cell, units=config.units + 1)
    assert parameter_count(config) <= 20_000 < parameter_count(more)


def test_a_budget_for_no_unit_is_refused() -> None:
    with pytest.raises(InputError, match="budget of parameters is too small"):
        units_for(60, CharLMConfig(tokens=9))


def test_a_preset_opens_and_scores_without_keras(tmp_path: Path) -> None:
    text = tmp_path / "play.txt"
    text.write_text(made_play(60), encoding="utf-8")
    preset = save_writer(tmp_path / "preset", text)
    code = (
        "import sys\n"
        "from apps.writer.application import Writer\n"
        f"print(Writer.from_preset({str(preset)!r}).score('the old king').to_dict()['n'])\n"
        "print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["12", "set()"]
