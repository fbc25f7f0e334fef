"""What every network's test asserts in the same way; a test gives a tiny config and calls these functions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from data_prep.array_files import specs_of
from models.presets.card import CardText
from models.presets.kinds import kind_named
from models.presets.store import Preset, load_preset, save_preset
from models.storage.variables import stable_paths, variable_arrays
from models.training.losses import begin_losses
from models.training.recipe import from_dict, to_dict

Inputs = np.ndarray | Mapping[str, np.ndarray]

CARD = CardText(
    title="A test",
    summary="A network as small as it gets.",
    data="Made up.",
    licence="None needed.",
    intended_use="Tests.",
    limits="Everything else.",
)
METRICS = {
    "accuracy": {"score": 0.5, "protocol": "made up", "n": 2, "standard_error": None, "baseline": 0.25}
}
METADATA = {"recipe": {"epochs": 1}, "seed": 1, "data": {"made up": "no checksum"}, "seconds": 1.5}


def check_config_round_trip(config_class: type, values: Mapping[str, Any]) -> None:
    """Every argument of the config, set to a value that is not its default, survives JSON.

    ``values`` must name every field: a config compared only with its own revival hides a forgotten one.
    """
    fields = {field.name: field for field in dataclasses.fields(config_class)}
    assert dataclasses.fields(config_class)
    assert config_class.__dataclass_params__.frozen, "a config is frozen"
    assert values.keys() == fields.keys(), "values must name every field of the config"
    for name, value in values.items():
        assert fields[name].default != value, f"{name} is set to its default: the test would not see it lost"
    config = config_class(**values)
    revived = from_dict(config_class, json.loads(json.dumps(to_dict(config))))
    assert revived == config
    for name, value in values.items():
        assert getattr(revived, name) == value, name


def check_stable_names(build: Callable[[Any], keras.Model], config: Any) -> None:
    """Two networks of one config, built in one process, name their weights alike, each its own."""
    first, second = build(config), build(config)
    names = stable_paths(first.variables)
    assert names == stable_paths(second.variables)
    assert len(set(names)) == len(names)


def ready(model: keras.Model) -> None:
    """Make all variables of a compiled network's training: what makes them in its first step is traced twice."""
    model.optimizer.build(model.trainable_variables)
    begin_losses(model)


def check_overfits(
    model: keras.Model, inputs: Inputs, targets: Any, *, steps: int = 200, loss_below: float = 0.05
) -> None:
    """A compiled network learns two examples by heart; else a gradient does not arrive."""
    ready(model)
    loss = float("inf")
    for _ in range(steps):
        logs = model.train_on_batch(inputs, targets, return_dict=True)
        model.reset_metrics()
        loss = float(logs["loss"])
        if loss < loss_below:
            break
    assert loss < loss_below, f"after {steps} steps the loss is {loss:.4f}"


def check_save_load_equal(
    kind: str,
    config: Any,
    model: keras.Model,
    golden: Mapping[str, np.ndarray],
    folder: Path,
    **parts: Any,
) -> Preset:
    """A network comes back from a preset with the same weights and the same bits in its answer.

    ``parts``: ``vocabulary`` and ``labels`` where the kind needs them.
    """
    path = save_preset(
        folder / "preset",
        kind=kind,
        config=config,
        weights=variable_arrays(model.weights),
        golden=golden,
        metrics=METRICS,
        metadata=METADATA,
        card=CARD,
        **parts,
    )
    preset = load_preset(path)
    assert preset.config == config
    rules = kind_named(kind)
    before = variable_arrays(model.weights)
    after, again = preset.arrays, variable_arrays(keras_model(preset).weights)
    assert specs_of(before) == specs_of(after)
    for name, array in before.items():
        np.testing.assert_array_equal(array, after[name], err_msg=name)
        np.testing.assert_array_equal(array, again[name], err_msg=name)
    expected = rules.answer(config, before, golden)
    for name, output in rules.answer(config, after, golden).items():
        np.testing.assert_array_equal(output, expected[name], err_msg=name)
    return preset


def keras_model(preset: Preset) -> keras.Model:
    """Build the Keras network of a preset."""
    return kind_named(preset.kind).keras_model(preset.config, preset.arrays)


def check_single_equals_batch(model: keras.Model, inputs: Inputs, *, tolerance: float = 1e-5) -> None:
    """Each example alone gets the answer that it gets in the batch."""
    together = answers(model, inputs)
    size = len(together[0])
    assert size > 1, "give a batch of two or more"
    for row in range(size):
        alone = answers(model, _rows(inputs, slice(row, row + 1)))
        for one, all_ in zip(alone, together, strict=True):
            np.testing.assert_allclose(
                one[0], all_[row], rtol=tolerance, atol=tolerance, err_msg=f"row {row}"
            )


def check_padding_changes_nothing(
    model: keras.Model,
    inputs: Inputs,
    padded: Inputs,
    crop: Callable[[np.ndarray], np.ndarray],
    *,
    tolerance: float = 1e-5,
) -> None:
    """The padded inputs give, after ``crop`` has cut the padding off an output, what the plain ones give."""
    for plain, more in zip(answers(model, inputs), answers(model, padded), strict=True):
        np.testing.assert_allclose(crop(more), plain, rtol=tolerance, atol=tolerance)


def check_output_shapes(model: keras.Model, cases: list[tuple[Inputs, tuple[int, ...]]]) -> None:
    """The first output has the given shape for each of at least two sizes of input."""
    assert len(cases) > 1
    for inputs, shape in cases:
        assert answers(model, inputs)[0].shape == shape


def answers(model: keras.Model, inputs: Inputs) -> list[np.ndarray]:
    """Call a network without training behaviour; return its outputs as a list of arrays."""
    if isinstance(inputs, Mapping):
        tensors: Any = {name: keras.ops.convert_to_tensor(array) for name, array in inputs.items()}
    else:
        tensors = keras.ops.convert_to_tensor(inputs)
    return [
        keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(model(tensors, training=False))
    ]


def _rows(inputs: Inputs, rows: slice) -> Inputs:
    if isinstance(inputs, Mapping):
        return {name: array[rows] for name, array in inputs.items()}
    return inputs[rows]
