"""The Keras network of every shipped preset: it answers as serving does, learns, is saved and loaded."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest

from data_prep.array_files import read_arrays, specs_of, write_arrays
from data_prep.text.vocab import PAD
from models.presets.kinds import kind_named
from models.presets.search import list_presets
from models.presets.store import Preset, load_preset
from models.storage.variables import variable_arrays
from models.text_classifier.config import member_arrays
from models.text_classifier.packed import packed_network
from models.text_classifier.serving import margins
from tests.models import contract
from tests.repeated import slow_but

ROOT = Path(__file__).resolve().parents[2]
PRESETS = list_presets()
# Serving adds up in another order, and rounds nothing else: logits up to about 20 differ in the fifth digit.
RELATIVE, ABSOLUTE = 1e-4, 2e-4

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def opened() -> dict[str, Preset]:
    """Every preset."""
    return {name: load_preset(name) for name in PRESETS}


@pytest.fixture(scope="module")
def networks(opened: dict[str, Preset]) -> dict[str, keras.Model]:
    """Every network, built once."""
    return {name: contract.keras_model(preset) for name, preset in opened.items()}


def golden(preset: Preset) -> tuple[Arrays, Arrays]:
    """The stored input and output."""
    path = preset.path / "golden.npz"
    arrays = read_arrays(path)
    parts = {
        part: {name.removeprefix(part): array for name, array in arrays.items() if name.startswith(part)}
        for part in ("input/", "output/")
    }
    return parts["input/"], parts["output/"]


def asked(model: keras.Model, inputs: Arrays) -> Arrays:
    """The stored input as the network takes it: in a batch, also where serving reads one text."""
    ranks = {tensor.name: len(tensor.shape) for tensor in model.inputs}
    assert ranks.keys() == inputs.keys(), "the network's inputs have the names of the stored ones"
    return {name: array if array.ndim == ranks[name] else array[None] for name, array in inputs.items()}


def answered(model: keras.Model, asked: Arrays) -> Arrays:
    """The network's output by name."""
    single = not isinstance(model.input, Mapping)
    found = model(next(iter(asked.values())) if single else asked, training=False)
    if not isinstance(found, Mapping):
        found = {model.output_names[0]: found}
    return {name: keras.ops.convert_to_numpy(output) for name, output in found.items()}


def comparable(preset: Preset, inputs: Arrays, found: Arrays, stored: Arrays) -> tuple[Arrays, Arrays]:
    """The network's output and the stored one, each in the form that the other has."""
    if preset.kind == "word_vectors":  # the stored answer holds cosines
        table = {"vectors": preset.arrays["vectors"]}
        np.testing.assert_array_equal(found["vectors"][0], table["vectors"][inputs["rows"]])
        changed = {"vectors": table["vectors"].copy()}
        changed["vectors"][inputs["rows"]] = found["vectors"][0]
        return dict(kind_named(preset.kind).answer(preset.config, changed, inputs)), stored
    if preset.kind == "text_classifier":  # the stored answer is that of averages, whatever the pooling
        stored = {}
        for number, (member, weight) in enumerate(
            zip(preset.config.members, preset.config.weights, strict=True), start=1
        ):
            reads = [row[row != PAD] for row in inputs[f"member{number}"]]
            logits = packed_network(member, member_arrays(preset.arrays, number)).answer(reads)
            stored[f"member{number}"] = logits
            stored["logits"] = stored.get("logits", 0.0) + logits * weight / preset.config.temperature
        words = np.array([len(read) - 1 for read in reads])
        alone = (words <= preset.config.short) & (margins(logits) > preset.config.short_margin)
        if preset.config.short:  # the last network answers short texts alone where it is sure
            sure = logits / preset.config.short_temperature
            stored["logits"] = np.where(alone[:, None], sure, stored["logits"])
    if len(found) == 1 and not found.keys() & stored.keys():
        found = {next(iter(stored)): next(iter(found.values()))}  # the only output has the name of its layer
    if "mask" in inputs:
        found = {name: np.where(inputs["mask"][..., None], array, 0.0) for name, array in found.items()}
    shared = found.keys() & stored.keys()
    return {name: found[name].reshape(stored[name].shape) for name in shared}, stored


@pytest.mark.parametrize("name", PRESETS)
def test_answers_are_the_stored_ones(
    opened: dict[str, Preset], networks: dict[str, keras.Model], name: str
) -> None:
    preset, model = opened[name], networks[name]
    assert model.built and model.count_params() > 0
    assert "Total params" in summary_of(model)
    inputs, stored = golden(preset)
    found, wanted = comparable(preset, inputs, answered(model, asked(model, inputs)), stored)
    assert found, "at least one stored output is the network's"
    for output, array in found.items():
        np.testing.assert_allclose(array, wanted[output], rtol=RELATIVE, atol=ABSOLUTE, err_msg=output)


def summary_of(model: keras.Model) -> str:
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    return "\n".join(lines)


_FRESH = f"""
import sys
from pathlib import Path
import keras
import models.presets.registered
import numpy as np
from collections.abc import Mapping
from data_prep.array_files import read_arrays, write_arrays
Arrays = dict[str, np.ndarray]
{inspect.getsource(answered)}
for path in sorted(Path(sys.argv[1]).glob("*.keras")):
    inputs = path.with_suffix(".input.npz")
    found = answered(keras.models.load_model(path), read_arrays(inputs))
    write_arrays(path.with_suffix(".output.npz"), found)
"""


def test_saved_networks_are_loaded_in_a_fresh_process(
    opened: dict[str, Preset], networks: dict[str, keras.Model], tmp_path: Path
) -> None:
    expected = {}
    for name, preset in opened.items():
        model = networks[name]
        model.save(tmp_path / f"{name}.keras")
        inputs = asked(model, golden(preset)[0])
        write_arrays(tmp_path / f"{name}.input.npz", inputs)
        expected[name] = answered(model, inputs)
    done = subprocess.run(
        [sys.executable, "-c", _FRESH, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for name, outputs in expected.items():
        path = tmp_path / f"{name}.output.npz"
        for output, array in read_arrays(path, specs_of(outputs)).items():
            np.testing.assert_allclose(array, outputs[output], rtol=1e-6, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    "name", slow_but(["digits_lecture"], ["segmenter_en_ewt", "digits_lecture", "vectors_en_wiki_output"])
)
def test_a_network_goes_on_learning(name: str) -> None:
    preset = load_preset(name)
    model = contract.keras_model(preset)
    (inputs,) = asked(model, golden(preset)[0]).values()
    before = variable_arrays(model.weights)
    model.compile(keras.optimizers.Adam(0.01), "mean_squared_error", jit_compile=False)
    model.fit(inputs, contract.answers(model, inputs)[0] + 1.0, epochs=1, verbose=0)
    after = variable_arrays(model.weights)
    assert any(not np.array_equal(array, after[path]) for path, array in before.items())
